"""One secret in one file, encrypted with a passphrase: scrypt makes the key, AES-256-GCM seals.

The file tells what is needed to open it but the passphrase: the parameters and the salt of its key,
and two checks, so that a wrong passphrase, a damaged file and a file of something else are told
apart. It is replaced in one step, so a killed writer leaves the old one or the new one.

Not `keyrings.cryptfile` 1.3: it writes its one file in place and without a lock, so that a killed
or a second writer loses every secret in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlkit.errors import AmlkitError, NotLoggedIn, NotSupported

SCRATCH = ".new"
"""How files end that are being written."""
# OWASP, "Password Storage Cheat Sheet": scrypt with 64 MiB.
_COST = {"n": 2**16, "r": 8, "p": 2}
_MOST_WORK = 2**30
_VERSION = 1


class WrongPassphrase(NotLoggedIn):
    """The file was sealed with another passphrase."""


def write(path: Path, secret: str, passphrase: str, bound: Mapping[str, str]) -> None:
    """Seal a secret in a file that its owner alone can read.

    bound: what the secret is for; the file opens only for the same.
    Raises: NotSupported: without the `cryptography` package. AmlkitError: it cannot be written.
    """
    salt, nonce = os.urandom(16), os.urandom(12)
    cipher, check = _cipher(passphrase, {**_COST, "salt": salt})
    sealed = cipher.encrypt(nonce, secret.encode(), _associated(bound))
    parts = {"salt": salt, "nonce": nonce, "check": check, "sealed": sealed}
    document = {"version": _VERSION, "kdf": "scrypt", **_COST}
    document |= {key: each.hex() for key, each in parts.items()}
    try:
        _replace(path, json.dumps({**document, "sha256": _sum(document)}, indent=1))
    except OSError as cause:
        raise AmlkitError(
            f"`{path}` cannot be written: {cause.strerror}",
            hint="mend the permissions of its folder, or free some space",
        ) from None


def read(path: Path, passphrase: str, bound: Mapping[str, str]) -> str:
    """Return the secret of a file.

    Raises: FileNotFoundError. WrongPassphrase. AmlkitError: the file is damaged, or is of something
        else than `bound`.
    """
    try:
        parts = _parts(path.read_bytes())
        cipher, check = _cipher(passphrase, parts)
    except FileNotFoundError:
        raise
    except OSError as cause:
        raise AmlkitError(f"`{path}` cannot be read: {cause.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise AmlkitError(f"`{path}` is damaged") from None
    if check != parts["check"]:
        raise WrongPassphrase("the passphrase is another")
    from cryptography.exceptions import InvalidTag

    try:
        opened: bytes = cipher.decrypt(parts["nonce"], parts["sealed"], _associated(bound))
    except (InvalidTag, ValueError):
        raise AmlkitError(f"`{path}` was not made for this, or was changed") from None
    return opened.decode()


def _parts(content: bytes) -> dict[str, Any]:
    """Return what is in a file. Raises: ValueError, KeyError, TypeError ...: it is damaged."""
    document = json.loads(content)
    claimed = document.pop("sha256")
    # Whoever may write the file may write a sum that fits: opening it must not take the machine.
    n, r, p = (int(document[key]) for key in ("n", "r", "p"))
    work = 128 * n * r * p
    if claimed != _sum(document) or min(n, r, p) < 1 or work >= _MOST_WORK:
        raise ValueError
    if document["version"] > _VERSION:
        raise AmlkitError("it was written by a newer amlkit", hint="upgrade amlkit")
    parts = ("salt", "nonce", "check", "sealed")
    return {"n": n, "r": r, "p": p, **{key: bytes.fromhex(document[key]) for key in parts}}


def _sum(document: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _associated(bound: Mapping[str, str]) -> bytes:
    return json.dumps({"amlkit": _VERSION, **bound}, sort_keys=True).encode()


def _cipher(passphrase: str, cost: Mapping[str, Any]) -> tuple[Any, bytes]:
    """Return what seals and opens, and what tells the passphrase from others."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    except ModuleNotFoundError:
        raise NotSupported(
            "encrypted files need the keyring extra", hint="pip install 'amlkit[keyring]'"
        ) from None
    kdf = Scrypt(salt=cost["salt"], length=64, n=cost["n"], r=cost["r"], p=cost["p"])
    derived = kdf.derive(os.fsencode(passphrase))
    return AESGCM(derived[:32]), hashlib.sha256(derived[32:]).digest()


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made for its owner alone.
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, suffix=SCRATCH)
    try:
        with open(descriptor, "w", encoding="ascii") as target:  # noqa: PTH123
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
