"""What a workspace promises that keeps its content on this machine, and the records of that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from amlkit.records import Asset, AssetDraft, AssetUse, Record


@dataclass(frozen=True)
class AssetFile(Record):
    """One file of an asset. size: bytes; digest: SHA-256 of its content, or where a link leads."""

    COLUMNS = ("path", "size", "digest")

    path: str
    size: int
    digest: str
    executable: bool = False

    @property
    def reference(self) -> str:
        """The path itself."""
        return self.path


@dataclass(frozen=True)
class FileChange(Record):
    """A file that two versions do not share. change: `added`, `removed` or `changed`; bytes."""

    COLUMNS = ("change", "path", "size_before", "size_after")

    change: str
    path: str
    size_before: int | None = None
    size_after: int | None = None

    @property
    def reference(self) -> str:
        """The path itself."""
        return self.path


@dataclass(frozen=True)
class CodeSince:
    """The files of a code folder as the last run had them, and as they are. job: that run."""

    job: str
    before: Sequence[AssetFile]
    after: Sequence[AssetFile]


@dataclass(frozen=True)
class SnapshotFile(Record):
    """A file of a code folder. left_out_by: the rule that keeps it out of the snapshot; bytes."""

    COLUMNS = ("path", "size", "left_out_by")

    path: str
    size: int | None
    left_out_by: str | None
    code: str

    @property
    def reference(self) -> str:
        """The path itself."""
        return self.path


@dataclass(frozen=True)
class SnapshotReason(Record):
    """Why a file is in a snapshot, or is not. rule: `FILE:LINE: PATTERN`; decided_at: a path."""

    COLUMNS = ("path", "included", "rule", "decided_at")

    path: str
    included: bool
    rule: str | None
    decided_at: str
    code: str

    @property
    def reference(self) -> str:
        """The path itself."""
        return self.path


@dataclass(frozen=True)
class DamagedFile(Record):
    """A stored file that is missing or has other bytes than it had. users: assets and jobs."""

    COLUMNS = ("path", "problem", "digest", "users")

    users: tuple[str, ...]
    path: str
    problem: str
    digest: str

    @property
    def reference(self) -> str:
        """The hash that its content should have."""
        return self.digest


@dataclass(frozen=True)
class FreedContent(Record):
    """What a collection freed, or would free. size: bytes of the objects; trees: file lists."""

    COLUMNS = ("trees", "objects", "size", "dry_run")

    trees: int
    objects: int
    size: int
    dry_run: bool


@runtime_checkable
class KeptAssets(Protocol):
    """Assets whose files this machine keeps and knows one by one; not those of Azure ML."""

    def create_parts(
        self, source: Asset, parts: Sequence[tuple[AssetDraft, Sequence[str]]]
    ) -> Sequence[Asset]:
        """Register versions that have some files of `source` each, all of them or none.

        Raises: Conflict. NotFound: `source` has no files here.
        """
        ...

    def copy(self, asset: Asset, paths: Sequence[str], target: Path) -> None:
        """Write some files of an asset below `target`. Raises: NotFound: it has none here."""
        ...

    def files(self, asset: Asset, *, follow: bool = False) -> Sequence[AssetFile]:
        """Return the files of an asset, by path. Raises: NotFound: it has none here.

        follow: the file that a link leads to in the place of the link.
        """
        ...

    def uses(self, asset: Asset) -> Sequence[AssetUse]:
        """Return the jobs that read or wrote an asset."""
        ...


@runtime_checkable
class KeptContent(Protocol):
    """A workspace that keeps content in a folder of its own, and can look after it."""

    def verify(self, *, repair: bool = False) -> Iterator[DamagedFile]:
        """Hash everything that is stored again, and yield what is damaged or missing.

        repair: take it out of use afterwards, and yield only what that did not mend: what can only
            be had from its source, which makes it whole when it is registered again.
        """
        ...

    def code_since(self, folder: Path, includes: Sequence[Path] = ()) -> CodeSince:
        """Return the files of a code folder at its last run, and now.

        Raises: NotFound: no job was run from it.
        """
        ...

    def collect(self, *, dry_run: bool) -> FreedContent:
        """Free what no asset and no job refers to. What is being stored now stays."""
        ...
