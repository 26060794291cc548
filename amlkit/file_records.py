"""Single files, as assets, code folders and comparisons of them have them: frozen records."""

from __future__ import annotations

from collections.abc import Sequence

from amlkit.light import dataclass, field
from amlkit.records import Record


@dataclass(frozen=True)
class AssetFile(Record):
    """One file of an asset. size: bytes; digest: of its content, or where a link leads.

    digest: `` where only reading the file would tell. mark: what storage calls this state of it.
    """

    COLUMNS = ("path", "size", "digest")

    path: str
    size: int
    digest: str
    executable: bool = False
    mark: str | None = field(default=None, compare=False)

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
