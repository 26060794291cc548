"""What stays after a login: who it was (AuthenticationRecord) and the tokens, encrypted.

The record holds no secret. Tokens are kept by azure-identity's own cache, one for each login, so
that logging out removes all of it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from amlkit.config import home
from amlkit.errors import NotLoggedIn

_SUFFIXES = (".nocae", ".cae")


def folder() -> Path:
    """Return where records are."""
    return home() / "logins"


def save(key: str, record: Any) -> None:
    """Keep who logged in, readable by its owner alone."""
    place = folder() / f"{key}.json"
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(record.serialize())


def record(key: str) -> Any:
    """Return who logged in. Raises: NotLoggedIn: it is not known any more."""
    from azure.identity import AuthenticationRecord

    try:
        kept = AuthenticationRecord.deserialize(
            (folder() / f"{key}.json").read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        raise NotLoggedIn(
            "the login of this workspace is gone", hint="amlkit workspace login"
        ) from None
    if ":" not in kept.authority:
        return kept
    # azure-identity takes a host with a port for a URL of an unknown scheme.
    return AuthenticationRecord(
        kept.tenant_id,
        kept.client_id,
        f"https://{kept.authority.removeprefix('https://')}",
        kept.home_account_id,
        kept.username,
    )


def cache_options(key: str, *, plain: bool) -> Any:
    """Return the options of a login's own token cache."""
    from azure.identity import TokenCachePersistenceOptions

    return TokenCachePersistenceOptions(name=cache_name(key), allow_unencrypted_storage=plain)


def cache_name(key: str) -> str:
    """Return the name of a login's cache, which no other application uses."""
    return f"amlkit-{key}"


def encrypts() -> bool:
    """Whether this platform can encrypt a token cache (Keychain, DPAPI, libsecret)."""
    from msal_extensions import build_encrypted_persistence

    probe = folder() / ".probe"
    probe.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        build_encrypted_persistence(str(probe))
    except Exception:  # noqa: BLE001  every platform fails in its own way
        return False
    finally:
        probe.unlink(missing_ok=True)
    return True


def forget(key: str) -> None:
    """Remove a login's record and every token in its cache."""
    (folder() / f"{key}.json").unlink(missing_ok=True)
    for suffix in _SUFFIXES:
        _empty(cache_name(key) + suffix)


def _empty(name: str) -> None:
    place = _place(name)
    if not place.exists():
        return
    # Keychain and libsecret keep the tokens outside the file: they are overwritten there.
    from azure.identity._persistent_cache import _get_persistence

    try:
        _get_persistence(allow_unencrypted=True, account_name="MSALCache", cache_name=name).save(
            "{}"
        )
    finally:
        place.unlink(missing_ok=True)
        place.with_name(place.name + ".lockfile").unlink(missing_ok=True)


def _place(name: str) -> Path:
    local = os.environ.get("LOCALAPPDATA")
    root = Path(local) if os.name == "nt" and local else Path.home()
    return root / ".IdentityService" / name
