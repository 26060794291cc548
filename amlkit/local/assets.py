"""Assets of the embedded workspace: rows in the catalogue, files in the content store."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlparse

from amlkit import placing, references
from amlkit.errors import NotFound
from amlkit.file_records import AssetFile
from amlkit.light import replace
from amlkit.local.catalogue import ADDRESS_MARK, AssetTable
from amlkit.local.folder import DEFAULT_DATASTORE
from amlkit.records import Asset, AssetDraft, AssetKind, AssetUse
from amlkit.workspace import Progress

if TYPE_CHECKING:
    from amlkit.local.content import Tree
    from amlkit.local.workspace import LocalWorkspace

_BYTES = "surrogateescape"
"""Names of files are bytes, and not always text."""


class LocalAssets:
    """Versioned assets. Content first, then the row: a crash between leaves no half asset."""

    def __init__(self, table: AssetTable, workspace: LocalWorkspace) -> None:
        self._table = table
        self._workspace = workspace

    def create(self, draft: AssetDraft, *, progress: Progress | None = None) -> Asset:
        """Store the files and register the version.

        Raises: Conflict: that version exists with other content. NotFound: no such path.
        """
        references.check_name(draft.name, draft.kind.value)
        if draft.version is not None:
            references.check_name(draft.version, "version")
        if draft.kind is AssetKind.CODE and draft.path is not None:
            return self._create_code(draft)
        return self._table.add(self._stored(self._marked(draft), progress))[0]

    def _marked(self, draft: AssetDraft) -> AssetDraft:
        """Return the draft with a mark of what is at its address, where it is to be compared."""
        from amlkit.local.storage import places

        uri = str(draft.spec.get("path") or "")
        if not draft.if_changed or draft.path is not None or not uri.startswith(places.SCHEMES):
            return draft
        mark = self._workspace.remote.mark(uri, str(draft.spec.get("type") or "uri_folder"))
        return replace(draft, properties={**draft.properties, ADDRESS_MARK: mark})

    def create_parts(
        self,
        source: Asset,
        parts: Sequence[tuple[AssetDraft, Sequence[AssetFile]]],
        *,
        progress: Progress | None = None,
    ) -> Sequence[Asset]:
        """Register versions that have some files of `source` each, all of them or none.

        Nothing is copied: a part is one more list of files that are stored.
        """
        digest = self._kept(source)
        drafts = []
        for draft, files in parts:
            tree = self._workspace.content.subset(digest, [each.path for each in files])
            spec = {**draft.spec, "path": _uri(tree.digest, draft.name)}
            drafts.append(replace(draft, spec=spec, digest=tree.digest))
        return self._table.add(*drafts)

    def _kept(self, asset: Asset) -> str:
        """Return the digest of an asset's files, which are stored now if they were not."""
        if (source := referenced(asset)) is not None:
            self.check(asset)
            return self._workspace.content.add(source).digest
        digest = self._digest(asset)
        if digest is None:
            raise _not_here(asset)
        return digest

    def head(self, asset: Asset, file: AssetFile, size: int) -> bytes:
        """Return the first bytes of a file of an asset. Raises: NotFound: it has none here."""
        place = self.local_path(asset)
        if place is None:
            raise _not_here(asset)
        with (place / file.path if place.is_dir() else place).open("rb") as content:
            return content.read(size)

    def copy(
        self,
        asset: Asset,
        files: Sequence[AssetFile],
        target: Path,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Write some files of an asset below `target`. Raises: NotFound: it has none here."""
        paths = [each.path for each in files]
        source = referenced(asset)
        if source is None:
            self._workspace.content.copy(self._kept(asset), paths, target)
            return
        self.check(asset)
        with placing.placed(target) as made:
            made.mkdir()
            for path in paths:
                place = made / path
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / path, place)

    def _stored(self, draft: AssetDraft, progress: Progress | None) -> AssetDraft:
        if draft.path is None:
            return draft
        source = Path(draft.path)
        if draft.by_reference:
            from amlkit.local.content import pins

            tree = pins.pin(self._workspace.content, source, progress=progress)
            path = source.resolve().as_uri()
        else:
            tree = self._workspace.content.add(source, progress=progress)
            path = _uri(tree.digest, source.absolute().name)
        return replace(draft, spec={**draft.spec, "path": path}, digest=tree.digest)

    def _create_code(self, draft: AssetDraft) -> Asset:
        source = Path(str(draft.path))
        tree = self._snapshot(draft, source)
        if draft.version is None and (known := self._code(draft.name, tree.digest)):
            return known
        spec = {**draft.spec, "path": _uri(tree.digest, source.absolute().name)}
        return self._table.add(replace(draft, spec=spec, digest=tree.digest, if_changed=True))[0]

    def _snapshot(self, draft: AssetDraft, folder: Path) -> Tree:
        from amlkit.local import snapshot
        from amlkit.snapshots.files import size_limit_bytes

        return snapshot.take(
            self._workspace.content,
            folder,
            includes=tuple(Path(each) for each in draft.includes),
            size_limit_bytes=size_limit_bytes(),
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

    def describe(self, asset: Asset, *, description: str | None, tags: Mapping[str, str]) -> Asset:
        """Replace the description and the tags of a version. Raises: NotFound."""
        return self._table.describe(asset, description=description, tags=tags)

    def download(self, asset: Asset, target: Path, *, progress: Progress | None = None) -> Path:
        """Copy the asset's files below `target`. Raises: NotFound: it has no files here."""
        digest = self._digest(asset, progress)
        if digest is None:
            raise NotFound(
                f"`{asset.reference}` has no files in this workspace",
                hint=f"it refers to {asset.spec.get('path')}",
            )
        path = str(asset.spec.get("path", asset.name)).partition("?")[0]
        place = target / unquote(path.rstrip("/").rsplit("/", 1)[-1] or asset.name, errors=_BYTES)
        if (source := referenced(asset)) is not None:
            return self._copy(asset, source, place)
        self._workspace.content.materialise(digest, place)
        return place

    def _copy(self, asset: Asset, source: Path, place: Path) -> Path:
        """Copy what is kept by reference, as it was when it was registered."""
        self.check(asset)
        with placing.placed(place) as made:
            if source.is_dir():
                shutil.copytree(source, made, symlinks=True, ignore=placing.parts_of)
            else:
                shutil.copyfile(source, made)
        return place

    def local_path(self, asset: Asset) -> Path | None:
        """Return a path with the content, fetching it; None when where it is means nothing here.

        Raises: AmlkitError: it is kept by reference, and a file has changed since.
        """
        if (source := referenced(asset)) is not None:
            self.check(asset)
            return source
        digest = self._digest(asset)
        return self._workspace.content.view(digest) if digest is not None else None

    def _digest(self, asset: Asset, progress: Progress | None = None) -> str | None:
        """Return the digest of an asset's files, which are fetched when they are elsewhere."""
        if asset.digest is not None:
            return asset.digest
        from amlkit.local.storage import places

        path = str(asset.spec.get("path") or "")
        if not path.startswith(places.SCHEMES):
            return None
        return self._workspace.remote.fetch(path, asset.type or "uri_folder", progress)

    def check(self, asset: Asset) -> None:
        """Raises: AmlkitError: what the asset refers to has changed since it was registered."""
        source = referenced(asset)
        if source is not None and asset.digest is not None:
            from amlkit.local.content import pins

            pins.check(self._workspace.content, asset.digest, source)

    def files(self, asset: Asset, *, follow: bool = False) -> Sequence[AssetFile]:
        """Return the files of an asset, by path. Raises: NotFound: it has none here.

        follow: the file that a link leads to in the place of the link.
        """
        from amlkit.local.content.links import followed
        from amlkit.local.snapshot import files

        digest = self._digest(asset)
        if digest is None:
            raise _not_here(asset)
        entries = list(self._workspace.content.entries(digest))
        return files(sorted(followed(entries).values()) if follow else entries)

    def digests(self, asset: Asset, files: Sequence[AssetFile]) -> Mapping[str, str]:
        """Return the digests of files, which are all known here."""
        return {each.path: each.digest for each in files}

    def uses(self, asset: Asset) -> Sequence[AssetUse]:
        """Return the jobs that read or wrote an asset."""
        return [AssetUse(*each) for each in self._table.linked_jobs(asset)]


def referenced(asset: Asset) -> Path | None:
    """Return where the files of an asset are that was registered by reference."""
    path = str(asset.spec.get("path") or "")
    if asset.digest is None or not path.startswith("file://"):
        return None
    return place_of(path)


def place_of(uri: str) -> Path:
    """Return the path of a `file://` address."""
    return Path(unquote(urlparse(uri).path, errors=_BYTES))


def _not_here(asset: Asset) -> NotFound:
    return NotFound(
        f"the files of `{asset.reference}` are not in this workspace",
        hint=f"it refers to {asset.spec.get('path')}",
    )


def _uri(digest: str, name: str) -> str:
    plain = digest.rsplit(":", 1)[-1]
    quoted = quote(name, errors=_BYTES)
    return f"azureml://datastores/{DEFAULT_DATASTORE}/paths/LocalUpload/{plain}/{quoted}"
