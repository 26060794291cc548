"""Datastores of the embedded workspace: four built in, each a folder, as a workspace has them.

Others are folders of this machine or Azure storage: blob containers, Data Lake Gen2 file systems,
OneLake, file shares. `remote.py` brings files of those here when a job or an asset reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit import transfers
from amlkit.errors import (
    AmlkitError,
    Conflict,
    NotFound,
    NotLoggedIn,
    NotSupported,
    WorkspaceUnusable,
    did_you_mean,
)
from amlkit.local.catalogue import AssetTable
from amlkit.local.folder import BUILT_IN_DATASTORES, DEFAULT_DATASTORE, Folder
from amlkit.local.storage import places, secrets
from amlkit.local.storage.keeping import Keeper
from amlkit.records import JSON, Datastore, StoredFile
from amlkit.transfers import Transfer, Transferred

if TYPE_CHECKING:
    from amlkit.copying import Store


class LocalDatastores:
    """Named places for files."""

    def __init__(self, table: AssetTable, folder: Folder) -> None:
        self._table = table
        self._folder = folder
        self._keeper = Keeper(folder.root)
        self._stores: dict[str, Store] = {}

    def create(self, name: str, spec: Mapping[str, JSON]) -> Datastore:
        """Define a datastore; the same place again only replaces how it logs in.

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
        address = places.place_of(plain).address
        login: dict[str, JSON] = {"kind": "identity"}
        more = plain.pop("credentials", None) or {}
        with self._keeper.changing():
            before = self._spec(name)
            old = _login_of(before)
            if secret is not None:
                login = {"kind": secret.kind, **more}
                login |= self._keeper.keep(name, address, secret, old)
            # From here on the new secret counts; until then, the old one.
            try:
                self._table.add_datastore(name, {**plain, "authentication": login})
            except BaseException:
                self._keeper.forget(name, login, but=old)
                raise
            if before is not None:
                self._let_go(name, before, login)

    def _let_go(self, name: str, before: Mapping[str, JSON], login: Mapping[str, JSON]) -> None:
        """Remove the secret of a definition that was replaced; without that, it comes back."""
        old = _login_of(before)
        try:
            self._keeper.forget(name, old, but=login)
        except BaseException as cause:
            self._table.add_datastore(name, before)
            self._keeper.forget(name, login, but=old)
            if not isinstance(cause, AmlkitError):
                raise
            raise AmlkitError(
                f"the secret that datastore `{name}` has now cannot be removed from the keyring:"
                f" {cause.message}",
                hint=f"unlock the keyring, or leave it there: amlkit datastore delete {name} --yes,"
                " then define it again",
            ) from None

    def _spec(self, name: str) -> Mapping[str, JSON] | None:
        return next((spec for each, spec, _ in self._table.datastores() if each == name), None)

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

    def secret_variables(self) -> frozenset[str]:
        """Return the environment variables that hold secrets of datastores."""
        logins = [spec.get("authentication") for _, spec, _ in self._table.datastores()]
        return frozenset(
            str(each["variable"])
            for each in logins
            if isinstance(each, Mapping) and each.get("variable")
        )

    def delete(self, name: str) -> str | None:
        """Forget a definition and its secret; the files stay.

        Returns what is in the way of the secret, which then stays in the keyring.
        Raises: NotFound, Conflict: it is built in.
        """
        if name in BUILT_IN_DATASTORES:
            raise Conflict(f"datastore `{name}` is built in", hint="it cannot be deleted")
        left = None
        with self._keeper.changing():
            login = _login_of(self.get(name).spec)
            try:
                self._keeper.forget(name, login)
            except AmlkitError:
                left = (
                    f"the secret of datastore `{name}` stays in the keyring, which cannot be used"
                    " now; remove it there"
                )
            self._table.delete_datastore(name)
        self._stores.pop(name, None)
        return left

    def tidy(self, *, dry_run: bool) -> int:
        """Remove what killed uploads left in folders; return how many bytes that was."""
        from amlkit.local.storage.folder_store import FolderStore

        if not dry_run:
            self._keeper.tidy(
                lambda: {_login_of(spec).get("entry") for _, spec, _ in self._table.datastores()}
            )
        return sum(
            FolderStore(each.name, Path(each.path)).tidy(dry_run=dry_run)
            for each in self.list()
            if each.name in BUILT_IN_DATASTORES or each.type == "local"
        )

    # Files.

    def files(self, name: str, prefix: str = "") -> Iterator[StoredFile]:
        """Yield the files below a prefix, or that a glob finds, sorted by path."""
        from amlkit import copying

        where = transfers.inside(prefix, name)
        base, pattern, found = copying.look_up(self.store(name), where)
        cut = len(base) + 1 if base else 0
        sizes = transfers.without_folder_marks({path: each.size for path, each in found.items()})
        for path in sorted(sizes):
            if pattern is None or pattern.match(path[cut:]):
                modified = found[path].modified.isoformat(timespec="seconds")
                yield StoredFile(path, sizes[path], modified)

    def upload(self, name: str, source: Path, target: str, how: Transfer) -> Transferred:
        """Copy a file, a folder or what a glob finds into the datastore; only what is missing."""
        from amlkit import copying

        place = transfers.inside(target, name)
        return copying.upload(self.store(name), source, place, how)

    def download(self, name: str, prefix: str, target: Path, how: Transfer) -> Transferred:
        """Copy files out of the datastore; only what is missing. Raises: NotFound."""
        from amlkit import copying

        place = transfers.inside(prefix, name)
        return copying.download(self.store(name), place, target, how)

    def store(self, name: str) -> Store:
        """Return the folder, the container or the share behind a datastore, opened.

        Raises: NotLoggedIn: its secret is not here. NotSupported: an extra is not installed.
        """
        if name not in self._stores:
            self._stores[name] = self._opened(self.get(name))
        return self._stores[name]

    def _opened(self, datastore: Datastore) -> Store:
        try:
            return self._open(datastore)
        except NotLoggedIn:
            # Its secret may have been replaced between the two looks: once more, while nobody can.
            try:
                with self._keeper.changing():
                    return self._open(self.get(datastore.name))
            except WorkspaceUnusable:
                pass
            raise

    def _open(self, datastore: Datastore) -> Store:
        from amlkit.local.storage.blob_store import BlobStore
        from amlkit.local.storage.folder_store import FolderStore

        name, kind, spec = datastore.name, datastore.type, datastore.spec
        if name in BUILT_IN_DATASTORES or kind == "local":
            return FolderStore(name, Path(datastore.path))
        if kind == "azure_file":
            return self._open_share(name, spec)
        return BlobStore(name, places.place_of(spec), self._login(name, spec))

    def _open_share(self, name: str, spec: Mapping[str, JSON]) -> Store:
        from amlkit.shares import logins
        from amlkit.shares.store import Share, ShareStore

        place = places.place_of(spec)
        share = Share(place.url, place.account, place.container)
        found = self._secret(name, spec)
        if found is None:
            return ShareStore(name, share, logins.identity(name, place.url))
        kind, secret, more = found
        return ShareStore(
            name, share, logins.with_secret(name, kind, secret, account=place.account, more=more)
        )

    def _login(self, name: str, spec: Mapping[str, JSON]) -> dict[str, object]:
        from amlkit.local.storage.blob_store import identity, login_with

        found = self._secret(name, spec)
        return identity() if found is None else login_with(*found)

    def _secret(
        self, name: str, spec: Mapping[str, JSON]
    ) -> tuple[str, str, dict[str, JSON]] | None:
        """Return the kind of a datastore's secret, the secret and what is beside it; or None."""
        login = _login_of(spec)
        if login.get("kind") in {None, "identity"}:
            return None
        secret = self._keeper.read(name, places.place_of(spec).address, login)
        if login["kind"] == "sas_token":
            secrets.check_expiry(name, secret)
        return str(login["kind"]), secret, dict(login)


def _login_of(spec: Mapping[str, JSON] | None) -> Mapping[str, JSON]:
    login = (spec or {}).get("authentication")
    return login if isinstance(login, Mapping) else {}


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
