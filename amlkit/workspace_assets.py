"""The largest group of the workspace protocol: versioned assets, and the files behind them.

The promises at the top of `workspace.py` are this group's too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from amlkit.file_records import AssetFile
    from amlkit.records import Asset, AssetDraft, AssetKind

Progress = Callable[[int, int], None]
"""Called with (files done, bytes done) while content moves."""


class Assets(Protocol):
    """Versioned things: data, environments, components, models, code."""

    def create(self, draft: AssetDraft, *, progress: Progress | None = None) -> Asset:
        """Register a version; the next free one when the draft names none.

        Code without a version is known by its content: the same again is the version there is.
        Raises: Conflict: that version exists with other content (the same content is returned).
        """
        ...

    def get(self, kind: AssetKind, name: str, version: str | None = None) -> Asset:
        """Return one version; the latest that is not archived when `version` is None."""
        ...

    def list(
        self, kind: AssetKind, name: str | None = None, *, archived: bool = False
    ) -> Sequence[Asset]:
        """Return every version of `name`, or the latest of every name; newest first."""
        ...

    def archive(
        self, kind: AssetKind, name: str, version: str | None, *, archived: bool
    ) -> Sequence[Asset]:
        """Hide (or show again) one version or the whole name; return what changed."""
        ...

    def describe(self, asset: Asset, *, description: str | None, tags: Mapping[str, str]) -> Asset:
        """Replace the description and the tags of a version; its content never changes."""
        ...

    def download(self, asset: Asset, target: Path, *, progress: Progress | None = None) -> Path:
        """Write the asset's files below `target` and return the path written."""
        ...

    def files(self, asset: Asset, *, follow: bool = False) -> Sequence[AssetFile]:
        """Return the files of an asset, by path. Raises: NotFound, NotSupported: not to be seen.

        follow: the file that a link leads to in the place of the link.
        """
        ...

    def digests(self, asset: Asset, files: Sequence[AssetFile]) -> Mapping[str, str]:
        """Return the digests of an asset's files by path, reading those that have none."""
        ...

    def head(self, asset: Asset, file: AssetFile, size: int) -> bytes:
        """Return the first bytes of a file of an asset, `size` at most. Raises: as `files`."""
        ...

    def copy(
        self,
        asset: Asset,
        files: Sequence[AssetFile],
        target: Path,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Write some files of an asset below `target`. Raises: as `files`."""
        ...

    def create_parts(
        self,
        source: Asset,
        parts: Sequence[tuple[AssetDraft, Sequence[AssetFile]]],
        *,
        progress: Progress | None = None,
    ) -> Sequence[Asset]:
        """Register versions that have some files of `source` each, all of them or none.

        Raises: Conflict. NotFound, NotSupported: as `files`.
        """
        ...

    def local_path(self, asset: Asset) -> Path | None:
        """Return a read-only local file or folder with the content, or None when remote."""
        ...
