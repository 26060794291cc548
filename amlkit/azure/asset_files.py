"""The files behind data assets on Azure: listed, hashed, fetched, and copied into new ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from amlkit import copying, placing, transfers
from amlkit.azure.blobs import Place, at_once
from amlkit.azure.datastores import AzureDatastores
from amlkit.azure.errors import translated
from amlkit.errors import NotFound, NotSupported, UsageError
from amlkit.file_records import AssetFile
from amlkit.records import Asset
from amlkit.transfers import Transfer
from amlkit.workspace import Progress

if TYPE_CHECKING:
    from amlkit.copying import Stored

_OWN = "azureml://datastores/"
_MD5 = "md5:"


def where(asset: Asset) -> tuple[str, str]:
    """Return the datastore of this workspace, and the path in it, that an asset is at.

    Raises: NotSupported: it is somewhere else.
    """
    uri = str(asset.spec.get("path") or "")
    store, found, path = uri.removeprefix(_OWN).partition("/paths/")
    if uri.startswith(_OWN) and found:
        return store, path.strip("/")
    # What is in this workspace has the short form here.
    other = uri.startswith("azureml://") and "/datastores/" in uri
    place = "a datastore of another workspace" if other else "no datastore of the workspace"
    raise NotSupported(
        f"`{asset.reference}` is at `{uri}`, which is in {place}",
        hint="fetch it with a tool of its own, and register it: amlkit data create --path DIR",
    )


class AssetFiles:
    """Reads and copies the files of assets."""

    def __init__(self, datastores: AzureDatastores) -> None:
        self._datastores = datastores

    def files(self, asset: Asset) -> Sequence[AssetFile]:
        """Return the files by path, with their MD5 where storage tells it.

        Raises: NotFound: there are none. NotSupported: they are somewhere else.
        """
        name, base = where(asset)
        listed = {each.path: each for each in self._datastores.store(name).files(base)}
        if asset.type == "uri_file":
            names = {base.rsplit("/", 1)[-1]: base} if base in listed else {}
        else:
            marks = transfers.without_folder_marks({k: v.size for k, v in listed.items()})
            names = transfers.below({each for each in marks if each != base}, base, None)
        if not names:
            raise NotFound(
                f"`{asset.reference}` is at `{asset.spec.get('path')}`, where nothing is",
                hint=f"amlkit datastore ls {name}",
            )
        return [_file(path, listed[blob]) for path, blob in sorted(names.items())]

    def digests(self, asset: Asset, files: Sequence[AssetFile]) -> Mapping[str, str]:
        """Return the MD5 of files by path; what storage does not know is read, and not kept."""
        name, base = where(asset)
        store = self._datastores.store(name)
        found = {each.path: each.digest for each in files if each.digest}

        def read(file: AssetFile) -> int:
            found[file.path] = f"{_MD5}{store.md5_of(_stored(asset, base, file))}"
            return file.size

        at_once(read, [each for each in files if not each.digest])
        return found

    def head(self, asset: Asset, file: AssetFile, size: int) -> bytes:
        """Return the first bytes of a file."""
        name, base = where(asset)
        return self._datastores.store(name).head(_blob(asset, base, file), size)

    def copy(
        self, asset: Asset, files: Sequence[AssetFile], target: Path, progress: Progress | None
    ) -> None:
        """Write some files to `target`, each verified. Raises: Conflict: it is there already."""
        name, base = where(asset)
        wanted = {each.path: _stored(asset, base, each) for each in files}
        with placing.placed(target) as made:
            made.mkdir()
            store = self._datastores.store(name)
            copying.fetch_files(store, wanted, made, Transfer(progress=progress))

    def send_parts(
        self,
        asset: Asset,
        parts: Sequence[tuple[str, Sequence[AssetFile]]],
        progress: Progress | None,
    ) -> Sequence[str]:
        """Copy files into folders of their own, by (name, files), and return the folders' URIs.

        The folder is named after what is in it: what was broken off is not copied again.
        Raises: UsageError: a part has no files.
        """
        for name, files in parts:
            if not files:
                raise UsageError(
                    f"`{name}` would have no files", hint="Azure ML keeps no empty folders"
                )
        source_name, base = where(asset)
        target_name = self._datastores.default().name
        target = self._datastores.place(target_name)
        folders = [f"LocalUpload/{_key(source_name, base, files)}/{name}" for name, files in parts]
        wanted = []
        for folder, (_, files) in zip(folders, parts, strict=True):
            there = {each.path: each.size for each in target.files(f"{folder}/")}
            into = ((f"{folder}/{each.path}", each) for each in files)
            wanted += [(to, each) for to, each in into if there.get(to) != each.size]
        copy = self._copying(source_name, target)

        def one(item: tuple[str, AssetFile]) -> int:
            to, file = item
            copy(_stored(asset, base, file), to)
            return file.size

        with translated(f"copying files of `{asset.reference}`"):
            at_once(one, wanted, progress)
        return [f"{_OWN}{target_name}/paths/{folder}/" for folder in folders]

    def _copying(self, name: str, target: Place) -> Callable[[Stored, str], None]:
        """Return what copies a file of a datastore to a path of a container."""
        from amlkit.azure.container import ContainerStore
        from amlkit.azure.server_copies import Copier

        store = self._datastores.store(name)
        if isinstance(store, ContainerStore):
            return Copier(self._datastores.place(name), target).copy

        def through_here(stored: Stored, to: str) -> None:
            with TemporaryDirectory(prefix="amlkit-") as folder:
                file = Path(folder) / "file"
                store.fetch(stored, file, lambda size: None)
                target.send({to: file}, None)

        return through_here


def _file(path: str, stored: Stored) -> AssetFile:
    digest = f"{_MD5}{stored.md5}" if stored.md5 else ""
    return AssetFile(path, stored.size, digest, mark=stored.etag)


def _blob(asset: Asset, base: str, file: AssetFile) -> str:
    return base if asset.type == "uri_file" else transfers.join(base, file.path)


def _stored(asset: Asset, base: str, file: AssetFile) -> Stored:
    md5 = file.digest.removeprefix(_MD5) or None
    path = _blob(asset, base, file)
    return copying.Stored(path, file.size, datetime.now(UTC), file.mark, md5)


def _key(store: str, base: str, files: Sequence[AssetFile]) -> str:
    """Return the same for the same files of the same place."""
    digest = hashlib.sha256(f"{store}/{base}".encode())
    for each in sorted(files, key=lambda file: file.path):
        digest.update(f"\n{each.path} {each.size} {each.digest or each.mark}".encode())
    return digest.hexdigest()
