"""Where the secrets of datastores are: the keyring, an encrypted file, or a variable.

A changed secret goes to the other of two entries. What the catalogue says of a datastore names the
entry that counts, so its definition and its secret change in one step, whenever a process dies.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from amlkit.config import PASSPHRASE, setting
from amlkit.errors import AmlkitError, NotLoggedIn, WorkspaceUnusable
from amlkit.light import dataclass
from amlkit.local.locks import lock
from amlkit.local.storage import keyrings, sealed
from amlkit.local.storage.secrets import OPTIONS, Secret
from amlkit.records import JSON

Credentials = Mapping[str, JSON]
"""What the catalogue keeps of a login: the kind, the place, no secret."""
FOLDER = "secrets"
_LOCK = ".lock"


@dataclass(frozen=True)
class Keeper:
    """Keeps the secrets of one workspace's datastores."""

    workspace: Path

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Let one process at a time change definitions and their secrets."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            held = lock(self._folder / _LOCK)
        except OSError as cause:
            raise WorkspaceUnusable(
                f"`{self._folder}` cannot be written: {cause.strerror}",
                hint="mend its permissions, or choose another workspace with --workspace",
            ) from None
        try:
            for left in self._folder.glob(f"*{sealed.SCRATCH}"):
                left.unlink(missing_ok=True)
            yield
        finally:
            held.release()

    def keep(
        self, datastore: str, address: str, secret: Secret, before: Credentials
    ) -> dict[str, JSON]:
        """Put a secret beside the one that counts now, and return where it is.

        address: of what it opens; an encrypted file opens for the same only.
        Raises: NotSupported: this machine has no keyring, and there is no passphrase.
        """
        if secret.value is None:
            return {"kept_in": "environment", "variable": secret.variable}
        turn = 2 if _entry(datastore, before) in _entries(datastore, 1) else 1
        passphrase = setting("secrets_passphrase")
        try:
            entry = _ring_entry(datastore, turn)
            ring = keyrings.opened(secret.kind, _way_out(secret.kind))
            ring.put(self._named(entry), secret.value)
        except AmlkitError:
            if passphrase is None:
                raise
        else:
            return {"kept_in": "keyring", "entry": entry}
        file = _file_entry(datastore, turn)
        sealed.write(
            self.workspace / file, secret.value, passphrase, _bound(datastore, secret.kind, address)
        )
        return {"kept_in": "file", "entry": file}

    def forget(
        self, datastore: str, credentials: Credentials, *, but: Credentials | None = None
    ) -> None:
        """Remove a secret from where it is, and what a killed process left there of others.

        but: the credentials that count now, which stay.
        Raises: AmlkitError: the keyring cannot be used.
        """
        stays = _entry(datastore, but or {})
        for turn in (1, 2):
            if (file := _file_entry(datastore, turn)) != stays:
                (self.workspace / file).unlink(missing_ok=True)
        if credentials.get("kept_in") != "keyring":
            return
        ring = keyrings.opened(str(credentials.get("kind")), "unlock the keyring")
        for turn in (1, 2):
            if (entry := _ring_entry(datastore, turn)) != stays:
                ring.remove(self._named(entry))

    def read(self, datastore: str, address: str, credentials: Credentials) -> str:
        """Return a secret. Raises: NotLoggedIn: it is not where it should be."""
        kind = str(credentials.get("kind"))
        remedy = f"define it again: amlkit datastore create ... --{OPTIONS[kind]}-stdin"
        if variable := credentials.get("variable"):
            value = os.environ.get(str(variable))
            where, remedy = f"environment variable `{variable}`", f"export {variable}=..."
        elif credentials.get("kept_in") == "file":
            value = self._opened(datastore, address, credentials, remedy)
            where = f"file `{self._path(credentials)}`"
        else:
            entry = _entry(datastore, credentials)
            value = keyrings.opened(kind, _way_out(kind)).get(self._named(entry))
            where = "keyring"
        if not value:
            raise NotLoggedIn(
                f"the {kind} of datastore `{datastore}` is not in the {where}", hint=remedy
            )
        return value.strip()

    def tidy(self, known: Callable[[], Collection[JSON]]) -> None:
        """Remove files that killed processes left. known: returns the entries that count."""
        if not self._folder.exists():
            return
        with self.changing():
            kept = {_LOCK, *(Path(str(each)).name for each in known())}
            for path in self._folder.iterdir():
                if path.name not in kept:
                    path.unlink(missing_ok=True)

    def _opened(
        self, datastore: str, address: str, credentials: Credentials, remedy: str
    ) -> str | None:
        kind = str(credentials.get("kind"))
        what = f"the {kind} of datastore `{datastore}`"
        passphrase = setting("secrets_passphrase")
        if passphrase is None:
            raise NotLoggedIn(
                f"{what} is in an encrypted file, and {PASSPHRASE} is not set",
                hint=f"export {PASSPHRASE}=..., or {remedy}",
            )
        path = self._path(credentials)
        try:
            return sealed.read(path, passphrase, _bound(datastore, kind, address))
        except FileNotFoundError:
            return None
        except sealed.WrongPassphrase:
            raise NotLoggedIn(
                f"{what} was encrypted with another passphrase than {PASSPHRASE} has",
                hint=f"export the one of then, or {remedy}",
            ) from None
        except AmlkitError as cause:
            raise AmlkitError(
                f"{what} cannot be had: {cause.message}", hint=cause.hint or remedy
            ) from None

    @property
    def _folder(self) -> Path:
        return self.workspace / FOLDER

    def _path(self, credentials: Credentials) -> Path:
        return self._folder / Path(str(credentials.get("entry"))).name

    def _named(self, entry: str) -> str:
        place = hashlib.sha256(str(self.workspace.resolve()).encode()).hexdigest()[:16]
        return f"{place}/{entry}"


def _ring_entry(datastore: str, turn: int) -> str:
    # No name of a datastore has a tilde.
    return f"datastore/{datastore}" + ("~2" if turn == 2 else "")


def _file_entry(datastore: str, turn: int) -> str:
    # Names that differ in their capitals alone are not one file on any disk.
    mark = hashlib.sha256(datastore.encode()).hexdigest()[:8]
    return f"{FOLDER}/{datastore[:100]}-{mark}-{turn}.json"


def _entries(datastore: str, turn: int) -> tuple[str, str]:
    return _ring_entry(datastore, turn), _file_entry(datastore, turn)


def _entry(datastore: str, credentials: Credentials) -> str:
    """Return the entry that credentials name; before they did, there was one in the keyring."""
    old = _ring_entry(datastore, 1) if credentials.get("kept_in") == "keyring" else ""
    return str(credentials.get("entry") or old)


def _bound(datastore: str, kind: str, address: str) -> dict[str, str]:
    return {"datastore": datastore, "kind": kind, "address": address}


def _way_out(kind: str) -> str:
    option = OPTIONS.get(kind, "account-key")
    return (
        f"name an environment variable that has it: --{option}-env NAME; or set {PASSPHRASE}, and"
        " an encrypted file keeps it"
    )
