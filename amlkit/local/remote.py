"""Data that is elsewhere, brought here: datastores in Azure storage, wasbs, abfss, http(s).

What comes is kept in the content store, and a note beside it says which version of each file it
is: as long as the storage has the same, nothing is fetched again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit import transfers
from amlkit.errors import NotFound, UsageError
from amlkit.light import dataclass
from amlkit.local.folder import BUILT_IN_DATASTORES
from amlkit.local.storage import places, web
from amlkit.local.storage.blob_store import BlobStore, identity
from amlkit.local.storage.folder_store import FolderStore
from amlkit.transfers import Transfer
from amlkit.workspace import Progress

if TYPE_CHECKING:
    from amlkit.copying import Store, Stored
    from amlkit.local.content import ContentStore
    from amlkit.local.datastores import LocalDatastores


_KEPT_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Location:
    """A path in a store. defined: whether the store is a datastore, or only a container."""

    store: Store
    path: str
    defined: bool = True

    @property
    def local(self) -> Path | None:
        """The path on this machine, or None when it is in Azure storage."""
        return self.store.folder / self.path if isinstance(self.store, FolderStore) else None


class RemoteData:
    """Fetches what URIs name. folder: where downloads stay while they are not whole."""

    def __init__(self, datastores: LocalDatastores, content: ContentStore, folder: Path) -> None:
        self._datastores = datastores
        self._content = content
        self._folder = folder

    def check(self, uri: str, kind: str) -> None:
        """Look whether something is at a URI; fetch nothing.

        kind: `uri_file`, `uri_folder` or `mltable`.
        Raises: NotFound: nothing is there. UsageError: a web address as a folder.
        """
        if uri.startswith("http"):
            web.facts(_file_address(uri, kind))
        elif not self.has(uri):
            raise _absent(uri, self.locate(uri))

    def has(self, uri: str) -> bool:
        """Tell whether a file or a folder is at a URI of a datastore or a container."""
        from amlkit import copying

        location = self.locate(uri)
        if next(iter(location.store.files(location.path)), None) is not None:
            return True
        if transfers.split_glob(location.path)[1] is None:
            return False
        with suppress(NotFound):
            return bool(copying.stored_files(location.store, location.path))
        return False

    def mark(self, uri: str, kind: str) -> str:
        """Return a mark of what is at a URI, another one when it changes; fetch nothing.

        Raises: NotFound: nothing is there. UsageError: a web address as a folder.
        """
        if uri.startswith("http"):
            facts = web.facts(_file_address(uri, kind))
            # Without an ETag or a date nobody can tell whether the file is still the same.
            versions = {facts.name: facts.version if facts.marked else os.urandom(16).hex()}
        else:
            from amlkit import copying

            location = self.locate(uri)
            store, here = location.store, location.local is not None
            versions = {
                name: f"{each.size} {store.md5(each.path) if here else each.etag or each.modified}"
                for name, each in copying.stored_files(store, location.path).items()
            }
        return hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()

    def fetch(self, uri: str, kind: str, progress: Progress | None = None) -> str:
        """Return the digest of what is at a URI, kept in the content store and verified.

        Raises: NotFound: nothing is there. NotLoggedIn, AmlkitError: it cannot be had.
        """
        if uri.startswith("http"):
            return self._of_web(_file_address(uri, kind), progress)
        location = self.locate(uri)
        if location.local is not None:
            if not location.local.exists():
                raise _absent(uri, location)
            if isinstance(location.store, FolderStore):
                location.store.tidy()
            return self._content.add(location.local, progress=progress).digest
        return self._of_store(location, progress)

    def free(self, *, unused_seconds: float, dry_run: bool = False) -> int:
        """Remove downloads that broke off and that nobody went on with; return their bytes."""
        from filelock import FileLock, Timeout

        size = 0
        for files in self._folder.glob("*/files"):
            # Who holds the lock is downloading.
            with (
                suppress(Timeout, FileNotFoundError),
                FileLock(str(files.parent / ".lock"), timeout=0),
            ):
                facts = [each.stat() for each in (files, *files.rglob("*"))]
                if max(each.st_mtime for each in facts) < time.time() - unused_seconds:
                    size += sum(each.st_size for each in facts if stat.S_ISREG(each.st_mode))
                    if not dry_run:
                        shutil.rmtree(files)
        return size

    def locate(self, uri: str) -> Location:
        """Return what a URI of a datastore, or of a container, means.

        The credentials for `wasbs://` and `abfss://` are those of a datastore of that container,
        if there is one, else the identity of `az login`.
        Raises: UsageError: it is no such URI. NotFound: no such datastore.
        """
        if (named := places.datastore_uri(uri)) is not None:
            name, path = named
            return Location(self._datastores.store(name), transfers.inside(path, name))
        found = places.place_of_uri(uri)
        if found is None:
            raise UsageError(
                f"`{uri}` is not a place in storage",
                hint="write azureml://datastores/NAME/paths/PATH or abfss://FS@ACCOUNT.dfs...",
            )
        place, path = found
        for each in self._datastores.list():
            kind = each.spec.get("type")
            # wasbs and abfss are never addresses of file shares.
            if kind in places.REMOTE_TYPES and kind != "azure_file":
                known = places.place_of(each.spec)
                if (known.account, known.container) == (place.account, place.container):
                    store = self._datastores.store(each.name)
                    return Location(store, transfers.inside(path, each.name))
        store = BlobStore(place.container, place, identity())
        return Location(store, transfers.inside(path, uri), defined=False)

    def folder_of(self, uri: str) -> Path | None:
        """Return the path on this machine that a URI means, or None when it is in Azure storage.

        Opens nothing, and so needs no secret. Raises: NotFound: no such datastore.
        """
        named = places.datastore_uri(uri)
        if named is None:
            return None
        found = self._datastores.get(named[0])
        here = found.name in BUILT_IN_DATASTORES or found.type == "local"
        return self.locate(uri).local if here else None

    def _of_store(self, location: Location, progress: Progress | None) -> str:
        from amlkit import copying
        from amlkit.shares.store import ShareStore

        store, path = location.store, location.path
        assert isinstance(store, BlobStore | ShareStore)
        with self._staging(f"{store.address}\n{path}") as staging:
            files = copying.stored_files(store, path)
            versions = {name: f"{each.etag} {each.size}" for name, each in files.items()}
            if (digest := staging.still(versions, self._content)) is not None:
                return digest
            single = [each.path for each in files.values()] == [path]
            staging.files.mkdir(exist_ok=True)
            staging.keep(files, versions, self._content)
            # Also removes what is gone from the datastore.
            how = Transfer(delete=not single, progress=progress)
            copying.download(store, path, staging.files, how)
            got = staging.files / next(iter(files)) if single else staging.files
            return staging.done(self._content.add(got).digest, versions)

    def _of_web(self, url: str, progress: Progress | None) -> str:
        facts = web.facts(url)
        with self._staging(url) as staging:
            versions = {facts.name: facts.version}
            # Without an ETag or a date nobody can tell whether the file is still the same.
            if facts.marked and (digest := staging.still(versions, self._content)) is not None:
                return digest
            staging.files.mkdir(exist_ok=True)
            place = transfers.local_target(staging.files, facts.name)
            web.fetch(url, place, facts, progress)
            return staging.done(self._content.add(place).digest, versions)

    @contextmanager
    def _staging(self, key: str) -> Iterator[_Staging]:
        from filelock import FileLock

        root = self._folder / hashlib.sha256(key.encode()).hexdigest()[:24]
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(str(root / ".lock")):
            yield _Staging(root)
        self.free(unused_seconds=_KEPT_SECONDS)


@dataclass(frozen=True)
class _Staging:
    """The folder of one URI: files while they come, afterwards only the note about them."""

    root: Path

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def _note(self) -> Path:
        return self.root / "fetched.json"

    def _read(self) -> Mapping[str, object]:
        try:
            found: Mapping[str, object] = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def still(self, versions: Mapping[str, str], content: ContentStore) -> str | None:
        """Return the digest of what was fetched, when it is still the same and still kept."""
        note = self._read()
        if note.get("versions") != versions:
            return None
        digest = str(note["digest"])
        try:
            # Used just now: it is not for `workspace gc`.
            os.utime(content.tree_path(digest))
        except FileNotFoundError:
            return None
        return digest

    def keep(
        self, files: Mapping[str, Stored], versions: Mapping[str, str], content: ContentStore
    ) -> None:
        """Put what did not change since the last time back in its place."""
        note = self._read()
        known = note.get("versions")
        if not isinstance(known, Mapping) or self.still(known, content) is None:
            return
        view = content.view(str(note["digest"]))
        for name, version in versions.items():
            place = transfers.local_target(self.files, name)
            if known.get(name) == version and view.is_dir() and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(view / name, place)
                os.utime(place, (files[name].modified.timestamp(),) * 2)

    def done(self, digest: str, versions: Mapping[str, str]) -> str:
        """Note what was fetched and let go of the files, which are in the content store."""
        new = self._note.with_suffix(".new")
        new.write_text(json.dumps({"digest": digest, "versions": versions}), encoding="utf-8")
        new.replace(self._note)
        shutil.rmtree(self.files)
        return digest


def _file_address(uri: str, kind: str) -> str:
    if kind not in {"uri_file", "custom_model"}:
        raise UsageError(
            f"`{web.shown(uri)}` is a web address, one file, and its type is {kind}",
            hint="write `type: uri_file`; a folder in Azure storage has an abfss:// address",
        )
    return uri


def _absent(uri: str, location: Location) -> NotFound:
    return NotFound(
        f"`{uri}` does not exist in the datastore",
        hint=f"amlkit datastore ls {location.store.name}",
    )
