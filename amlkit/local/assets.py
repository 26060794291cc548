"""Assets of the embedded workspace: rows in the catalogue, files in the content store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from amlkit.errors import NotFound
from amlkit.local.catalogue import AssetTable
from amlkit.local.folder import DEFAULT_DATASTORE
from amlkit.records import Asset, AssetDraft, AssetKind
from amlkit.workspace import Progress

if TYPE_CHECKING:
    from amlkit.local.content import Tree
    from amlkit.local.workspace import LocalWorkspace


class LocalAssets:
    """Versioned assets. Content first, then the row: a crash between leaves no half asset."""

    def __init__(self, table: AssetTable, workspace: LocalWorkspace) -> None:
        self._table = table
        self._workspace = workspace

    def create(self, draft: AssetDraft, *, progress: Progress | None = None) -> Asset:
        """Store the files and register the version.

        Raises: Conflict: that version exists with other content. NotFound: no such path.
        """
        if draft.path is None:
            return self._table.add(draft)
        source = Path(draft.path)
        if draft.kind is AssetKind.CODE:
            tree = self._snapshot(draft, source)
            if draft.version is None and (known := self._code(draft.name, tree.digest)):
                return known
            draft = replace(draft, if_changed=True)
        else:
            tree = self._workspace.content.add(source, progress=progress)
        spec = {**draft.spec, "path": _uri(tree.digest, source)}
        return self._table.add(replace(draft, spec=spec, digest=tree.digest))

    def _snapshot(self, draft: AssetDraft, folder: Path) -> Tree:
        from amlkit.config import number
        from amlkit.local import snapshot

        limit = number("snapshot_limit_mb") or 300
        return snapshot.take(
            self._workspace.content,
            folder,
            includes=tuple(Path(each) for each in draft.includes),
            size_limit_bytes=int(limit * 1024 * 1024),
            allow_secrets=draft.allow_secrets,
        )

    def _code(self, name: str, digest: str) -> Asset | None:
        versions = self._table.list(AssetKind.CODE, name, archived=True)
        return next((each for each in versions if each.digest == digest), None)

    def get(self, kind: AssetKind, name: str, version: str | None = None) -> Asset:
        """Return one version, or the latest that is not archived. Raises: NotFound."""
        return self._table.get(kind, name, version)

    def list(
        self, kind: AssetKind, name: str | None = None, *, archived: bool = False
    ) -> Sequence[Asset]:
        """Return every version of a name, or the latest of every name; newest first."""
        return self._table.list(kind, name, archived=archived)

    def archive(
        self, kind: AssetKind, name: str, version: str | None, *, archived: bool
    ) -> Sequence[Asset]:
        """Hide or show one version or the whole name. Raises: NotFound."""
        return self._table.archive(kind, name, version, archived=archived)

    def download(self, asset: Asset, target: Path, *, progress: Progress | None = None) -> Path:
        """Copy the asset's files below `target`. Raises: NotFound: it has no files here."""
        if asset.digest is None:
            raise NotFound(
                f"`{asset.reference}` has no files in this workspace",
                hint=f"it refers to {asset.spec.get('path')}",
            )
        name = str(asset.spec.get("path", asset.name)).rstrip("/").rsplit("/", 1)[-1]
        place = target / name
        self._workspace.content.materialise(asset.digest, place)
        return place

    def local_path(self, asset: Asset) -> Path | None:
        """Return a read-only path with the content, or None when the asset is remote."""
        if asset.digest is None:
            return None
        return self._workspace.content.view(asset.digest)


def _uri(digest: str, source: Path) -> str:
    plain = digest.rsplit(":", 1)[-1]
    name = quote(source.absolute().name)
    return f"azureml://datastores/{DEFAULT_DATASTORE}/paths/LocalUpload/{plain}/{name}"
