"""The secrets of datastores: in the keyring of the operating system, or in the environment.

The catalogue knows only which kind there is and where; the secret itself is read when storage is
opened and goes nowhere else.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlkit.errors import AmlkitError, NotLoggedIn, NotSupported, UsageError
from amlkit.records import JSON

SECRETS = ("account_key", "sas_token", "client_secret")
OPTIONS = {
    "account_key": "account-key",
    "sas_token": "sas-token",
    "client_secret": "client-secret",
}
_SERVICE = "amlkit"


@dataclass(frozen=True)
class Secret:
    """A secret as it is given. variable: the environment variable that has it, or None."""

    kind: str
    value: str | None = None
    variable: str | None = None

    def __repr__(self) -> str:
        return f"Secret({self.kind})"


@dataclass(frozen=True)
class Keeper:
    """Keeps the secrets of one workspace's datastores."""

    workspace: Path

    def keep(self, datastore: str, secret: Secret) -> None:
        """Put a secret into the keyring. Raises: NotSupported: there is none."""
        if secret.value is not None:
            _keyring(secret.kind).set_password(_SERVICE, self._entry(datastore), secret.value)

    def forget(self, datastore: str, credentials: Mapping[str, JSON]) -> None:
        """Take a secret out of the keyring, where it is in there."""
        if credentials.get("kept_in") != "keyring":
            return
        ring = _keyring(str(credentials.get("kind")))
        if ring.get_password(_SERVICE, self._entry(datastore)) is not None:
            ring.delete_password(_SERVICE, self._entry(datastore))

    def read(self, datastore: str, credentials: Mapping[str, JSON]) -> str:
        """Return a secret. Raises: NotLoggedIn: it is not where it should be."""
        kind = str(credentials.get("kind"))
        variable = credentials.get("variable")
        if variable:
            value = os.environ.get(str(variable))
            where, remedy = f"environment variable `{variable}`", f"export {variable}=..."
        else:
            value = _keyring(kind).get_password(_SERVICE, self._entry(datastore))
            option = OPTIONS[kind]
            where = "keyring"
            remedy = f"define it again: amlkit datastore create ... --{option}-stdin"
        if not value:
            raise NotLoggedIn(
                f"the {kind} of datastore `{datastore}` is not in the {where}", hint=remedy
            )
        return value.strip()

    def _entry(self, datastore: str) -> str:
        place = hashlib.sha256(str(self.workspace.resolve()).encode()).hexdigest()[:16]
        return f"{place}/datastore/{datastore}"


def split(document: Mapping[str, Any]) -> tuple[dict[str, Any], Secret | None]:
    """Return a datastore's fields with the secret of `credentials:` taken out, and the secret."""
    plain = dict(document)
    given = dict(plain.pop("credentials", None) or {})
    if "certificate" in given or "thumbprint" in given:
        raise NotSupported(
            "the embedded workspace does not log in to storage with certificates",
            hint="use client_secret, a SAS token, an account key or the identity of `az login`",
        )
    found = [
        Secret(kind, *((None, str(value)) if is_variable else (str(value), None)))
        for kind in SECRETS
        for is_variable in (False, True)
        if (value := given.pop(f"{kind}_variable" if is_variable else kind, None))
    ]
    if len(found) > 1:
        kinds = " and ".join(f"`{each.kind}`" for each in found)
        raise UsageError(f"the datastore has several secrets: {kinds}", hint="give one of them")
    if found and found[0].kind == "client_secret" and not {"tenant_id", "client_id"} <= set(given):
        raise UsageError(
            "a service principal needs tenant_id and client_id", hint="--tenant-id, --client-id"
        )
    if given:
        plain["credentials"] = given
    return plain, found[0] if found else None


def check_expiry(datastore: str, sas: str) -> None:
    """Raise: NotLoggedIn: a SAS token has expired. Source: "Create a service SAS", field `se`."""
    from urllib.parse import parse_qs

    until = parse_qs(sas.removeprefix("?")).get("se", [""])[0]
    try:
        end = datetime.fromisoformat(until)
    except ValueError:
        return
    if end.replace(tzinfo=end.tzinfo or UTC) < datetime.now(UTC):
        raise NotLoggedIn(
            f"the SAS token of datastore `{datastore}` expired on {until}",
            hint="make a new one and define the datastore again with it",
        )


def described(secret: Secret | None, more: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return what the catalogue keeps of credentials: the kind, the place, no secret."""
    if secret is None:
        return {"kind": "identity"}
    kept: dict[str, JSON] = {"kind": secret.kind, **more}
    if secret.variable:
        return {**kept, "kept_in": "environment", "variable": secret.variable}
    return {**kept, "kept_in": "keyring"}


def _keyring(kind: str) -> Any:
    option = OPTIONS.get(kind, "account-key")
    hint = f"name an environment variable that has it: --{option}-env NAME"
    try:
        import keyring
        from keyring.backends import fail, null
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        raise NotSupported(
            f"the {kind} cannot be kept: the keyring extra is not installed",
            hint=f"pip install 'amlkit[keyring]', or {hint}",
        ) from None
    try:
        backend = keyring.get_keyring()
    except KeyringError as cause:
        raise AmlkitError(f"the keyring cannot be used: {cause}", hint=hint) from None
    if isinstance(backend, fail.Keyring | null.Keyring):
        raise NotSupported(f"the {kind} cannot be kept: this machine has no keyring", hint=hint)
    return _Ring(backend, hint)


@dataclass(frozen=True)
class _Ring:
    """A keyring whose errors say what to do."""

    backend: Any
    hint: str

    def __getattr__(self, name: str) -> Any:
        from keyring.errors import KeyringError

        def call(*arguments: str) -> Any:
            try:
                return getattr(self.backend, name)(*arguments)
            except KeyringError as cause:
                shown = type(cause).__name__
                raise AmlkitError(f"the keyring refuses: {shown}", hint=self.hint) from None

        return call
