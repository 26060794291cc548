"""The secrets of datastores, as they are given. `keeping.py` says where they go.

The catalogue knows only which kind there is and where; the secret itself is read when storage is
opened and goes nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amlkit.errors import NotLoggedIn, NotSupported, UsageError
from amlkit.light import dataclass

SECRETS = ("account_key", "sas_token", "client_secret")
OPTIONS = {
    "account_key": "account-key",
    "sas_token": "sas-token",
    "client_secret": "client-secret",
}


@dataclass(frozen=True)
class Secret:
    """A secret as it is given. variable: the environment variable that has it, or None."""

    kind: str
    value: str | None = None
    variable: str | None = None

    def __repr__(self) -> str:
        return f"Secret({self.kind})"


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
