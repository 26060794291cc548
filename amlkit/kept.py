"""What a workspace promises that keeps its content on this machine, and the records of that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from amlkit.light import dataclass
from amlkit.records import Asset, AssetUse, Record


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
    """Assets of a workspace that notes which jobs used them; Azure ML's API does not."""

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

    def collect(self, *, dry_run: bool) -> FreedContent:
        """Free what no asset and no job refers to. What is being stored now stays."""
        ...
