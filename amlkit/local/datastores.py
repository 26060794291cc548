"""Datastores of the embedded workspace: four built in, each a folder, as a workspace has them.

Others are folders of this machine or Azure storage: blob containers, Data Lake Gen2 file systems,
OneLake. Files of those are staged in the workspace when a job or an asset reads them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit import transfers
from amlkit.errors import Conflict, NotFound, NotSupported, UsageError, did_you_mean
from amlkit.local.catalogue import AssetTable
from amlkit.local.folder import BUILT_IN_DATASTORES, DEFAULT_DATASTORE, Folder
from amlkit.local.storage import places, secrets
from amlkit.local.storage.blob_store import BlobStore, identity, login_with
from amlkit.local.storage.folder_store import FolderStore
from amlkit.records import JSON, Datastore, StoredFile
from amlkit.transfers import Transfer, Transferred
from amlkit.workspace import Progress

if TYPE_CHECKING:
    from amlkit.local.storage.copying import Store


@dataclass(frozen=True)
class Location:
    """A path in a store. folder: where the store is when it is a folder of this machine."""

    store: Store
    path: str

    @property
    def local(self) -> Path | None:
        """The path on this machine, or None when it is in Azure storage."""
        return self.store.folder / self.path if isinstance(self.store, FolderStore) else None


class LocalDatastores:
    """Named places for files."""

    def __init__(self, table: AssetTable, folder: Folder) -> None:
        self._table = table
        self._folder = folder
        self._keeper = secrets.Keeper(folder.root)
        self._stores: dict[str, Store] = {}

    def create(self, name: str, spec: Mapping[str, JSON]) -> Datastore:
        """Define a datastore; the same definition again only replaces the secret.

        A secret in `credentials` goes to the keyring, and `account_key_variable: NAME` there
        says which environment variable has it; the catalogue gets neither secret.
        Raises: Conflict: the name means something else. NotSupported: it cannot be used here.
        """
        if name in BUILT_IN_DATASTORES:
            raise Conflict(f"datastore `{name}` is built in", hint="choose another name")
        if spec.get("type") in places.REMOTE_TYPES:
            self._create_remote(name, spec)
        elif spec.get("type") == "local":
            self._table.add_datastore(name, spec)
        else:
            raise NotSupported(
                f"the embedded workspace has no datastores of type `{spec.get('type')}`",
                hint=f"use local, {', '.join(places.REMOTE_TYPES)}",
            )
        self._stores.pop(name, None)
        return self.get(name)

    def _create_remote(self, name: str, spec: Mapping[str, JSON]) -> None:
        plain, secret = secrets.split({key: each for key, each in spec.items() if each is not None})
        places.place_of(plain)
        more = dict(plain.pop("credentials", None) or {})
        plain["authentication"] = secrets.described(secret, more)
        is_new = not any(each == name for each, _, _ in self._table.datastores())
        self._table.add_datastore(name, plain)
        try:
            if secret is not None:
                self._keeper.keep(name, secret)
        except BaseException:
            if is_new:
                self._table.delete_datastore(name)
            raise

    def get(self, name: str) -> Datastore:
        """Return one. Raises: NotFound."""
        known = {each.name: each for each in self.list()}
        if name not in known:
            close = did_you_mean(name, known)
            hint = f"did you mean `{close}`?" if close else "see `amlkit datastore list`"
            raise NotFound(f"no datastore is called `{name}`", hint=hint)
        return known[name]

    def list(self) -> Sequence[Datastore]:
        """Return all, the default first."""
        built_in = [
            Datastore(name, kind, str(self._folder.datastore(name)), name == DEFAULT_DATASTORE)
            for name, kind in BUILT_IN_DATASTORES.items()
        ]
        return built_in + [_datastore(*each) for each in self._table.datastores()]

    def delete(self, name: str) -> None:
        """Forget a definition and its secret; the files stay.

        Raises: NotFound, Conflict: it is built in.
        """
        credentials = self.get(name).spec.get("authentication")
        if name in BUILT_IN_DATASTORES:
            raise Conflict(f"datastore `{name}` is built in", hint="it cannot be deleted")
        if isinstance(credentials, Mapping):
            self._keeper.forget(name, credentials)
        self._table.delete_datastore(name)
        self._stores.pop(name, None)

    # Files.

    def files(self, name: str, prefix: str = "") -> Iterator[StoredFile]:
        """Yield the files below a prefix, or that a glob finds, sorted by path."""
        base, pattern = transfers.split_glob(transfers.inside(prefix, name))
        cut = len(base) + 1 if base else 0
        found = {each.path: each for each in self.store(name).files(base)}
        sizes = transfers.without_folder_marks({path: each.size for path, each in found.items()})
        for path in sorted(sizes):
            if pattern is None or pattern.match(path[cut:]):
                modified = found[path].modified.isoformat(timespec="seconds")
                yield StoredFile(path, sizes[path], modified)

    def upload(self, name: str, source: Path, target: str, how: Transfer) -> Transferred:
        """Copy a file, a folder or what a glob finds into the datastore; only what is missing."""
        from amlkit.local.storage import copying

        place = transfers.inside(target, name)
        return copying.upload(self.store(name), source, place, how)

    def download(self, name: str, prefix: str, target: Path, how: Transfer) -> Transferred:
        """Copy files out of the datastore; only what is missing. Raises: NotFound."""
        from amlkit.local.storage import copying

        place = transfers.inside(prefix, name)
        return copying.download(self.store(name), place, target, how)

    def store(self, name: str) -> Store:
        """Return the folder or the container behind a datastore, opened.

        Raises: NotLoggedIn: its secret is not here. NotSupported: a file share.
        """
        if name not in self._stores:
            self._stores[name] = self._open(self.get(name))
        return self._stores[name]

    def _open(self, datastore: Datastore) -> Store:
        name, kind, spec = datastore.name, datastore.type, datastore.spec
        if name in BUILT_IN_DATASTORES or kind == "local":
            return FolderStore(name, Path(datastore.path))
        if kind == "azure_file":
            raise NotSupported(
                f"datastore `{name}` is a file share, and amlkit moves files to and from blobs",
                hint="mount the share and use `--type local --path FOLDER`, or use a container",
            )
        return BlobStore(name, places.place_of(spec), self._login(name, spec))

    def _login(self, name: str, spec: Mapping[str, JSON]) -> dict[str, object]:
        credentials = spec.get("authentication")
        if not isinstance(credentials, Mapping) or credentials.get("kind") == "identity":
            return identity()
        secret = self._keeper.read(name, credentials)
        if credentials["kind"] == "sas_token":
            secrets.check_expiry(name, secret)
        return login_with(str(credentials["kind"]), secret, dict(credentials))

    # Places that specs name.

    def local_folder(self, name: str) -> Path:
        """Return the folder behind a datastore. Raises: NotSupported: it is not on this machine."""
        store = self.store(name)
        if not isinstance(store, FolderStore):
            raise NotSupported(
                f"datastore `{name}` is in Azure storage, not a folder of this machine",
                hint="download from it first: amlkit datastore download",
            )
        return store.folder

    def resolve(self, name: str, path: str) -> Path:
        """Return the place of a path in a datastore. Raises: UsageError: it leads outside."""
        return self.local_folder(name) / transfers.inside(path, name)

    def locate(self, uri: str) -> Location:
        """Return what a URI means: `azureml://datastores/...`, `wasbs://...` or `abfss://...`.

        The credentials for the latter two are those of a datastore of that container, if any.
        Raises: UsageError: it is none of these. NotFound: no such datastore.
        """
        if (named := places.datastore_uri(uri)) is not None:
            name, path = named
            return Location(self.store(name), transfers.inside(path, name))
        found = places.place_of_uri(uri)
        if found is None:
            raise UsageError(
                f"`{uri}` is not a place in storage",
                hint="write azureml://datastores/NAME/paths/PATH or abfss://FS@ACCOUNT.dfs...",
            )
        place, path = found
        for each in self.list():
            if each.name not in BUILT_IN_DATASTORES and each.type in places.REMOTE_TYPES:
                known = places.place_of(each.spec)
                if (known.account, known.container) == (place.account, place.container):
                    return Location(self.store(each.name), transfers.inside(path, each.name))
        return Location(BlobStore(place.container, place, identity()), transfers.inside(path, uri))

    def check(self, uri: str) -> None:
        """Raise: NotFound: nothing is at a URI."""
        location = self.locate(uri)
        if next(iter(location.store.files(location.path)), None) is None:
            raise NotFound(
                f"`{uri}` does not exist in the datastore",
                hint=f"amlkit datastore ls {location.store.name}",
            )

    def staged(self, uri: str, progress: Progress | None = None) -> Path:
        """Return a local file or folder with what is at a URI, fetching what has changed.

        Raises: NotFound: nothing is there.
        """
        location = self.locate(uri)
        if location.local is not None:
            if not location.local.exists():
                self.check(uri)
            return location.local
        assert isinstance(location.store, BlobStore)
        return self._fetched(location.store, location.path, progress)

    def _fetched(self, store: BlobStore, path: str, progress: Progress | None) -> Path:
        from filelock import FileLock

        from amlkit.local.storage import copying

        key = hashlib.sha256(f"{store.place.address}\n{path}".encode()).hexdigest()[:24]
        root = self._folder.root / "staged" / key
        name = path.rsplit("/", 1)[-1] or store.name
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(str(root / ".lock")):
            is_file = any(each.path == path and each.size for each in store.files(path))
            target = root if is_file else root / name
            # Also removes what is gone from the datastore.
            how = Transfer(delete=not is_file, progress=progress)
            copying.download(store, path, target, how)
        return root / name


def _datastore(name: str, spec: Mapping[str, JSON], created_at: str) -> Datastore:
    kind = str(spec.get("type", "local"))
    remote = kind in places.REMOTE_TYPES
    tags = spec.get("tags")
    return Datastore(
        name,
        kind,
        places.place_of(spec).address if remote else str(spec.get("path") or ""),
        description=str(spec["description"]) if spec.get("description") else None,
        tags={k: str(v) for k, v in tags.items()} if isinstance(tags, Mapping) else {},
        spec=spec,
        created_at=created_at,
    )
