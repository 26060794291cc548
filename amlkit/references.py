"""What `NAME`, `NAME:VERSION`, `NAME@latest` and `azureml:...` mean on the command line."""

from __future__ import annotations

import re

from amlkit.errors import UsageError
from amlkit.records import AssetKind

DATA = AssetKind.DATA
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,254}$")
_SIGNED = re.compile(r"[?&](sig|X-Amz-Signature|Signature)=", re.IGNORECASE)


def split(reference: str) -> tuple[str, str | None]:
    """Return (name, version); version None means the latest.

    Raises: UsageError: an unknown label, or no name at all.
    """
    text = reference.removeprefix("azureml:")
    if "@" in text:
        name, _, label = text.partition("@")
        if label != "latest":
            raise UsageError(f"`{reference}`: unknown label `{label}`", hint="only @latest exists")
        return name, None
    name, colon, version = text.partition(":")
    if not name or (colon and not version):
        raise UsageError(
            f"`{reference}` names nothing", hint="write NAME, NAME:VERSION or NAME@latest"
        )
    return name, version or None


def check_name(name: str, noun: str) -> str:
    """Return the name if Azure ML takes it. Raises: UsageError.

    Source: Azure ML's naming rule for assets, versions and jobs: 1 to 255 letters, digits, `-`,
    `_` and `.`.
    """
    if not _NAME.match(name):
        raise UsageError(
            f"`{name}` cannot be the name of a {noun}",
            hint="use letters, digits, `-`, `_` and `.`, starting with a letter or digit",
        )
    return name


def check_port(name: str, noun: str) -> str:
    """Return the name of an input or output, which becomes a folder's. Raises: UsageError."""
    if name in {"", ".", ".."} or re.search(r"[/\\\x00-\x1f]", name) or len(name) > 255:
        raise UsageError(
            f"`{name}` cannot be the name of an {noun}", hint="use letters, digits and `_`"
        )
    return name


def check_address(uri: str) -> None:
    """Raise: UsageError: an address has a secret in it: a password, a SAS, a signature."""
    if "://" not in uri:
        return
    login, at, _ = uri.partition("://")[2].partition("/")[0].rpartition("@")
    if at and ":" in login:
        raise UsageError(
            "an address has a password in it, which would be stored",
            hint="download the file and register it: amlkit data create --path FILE",
        )
    if _SIGNED.search(uri) is not None:
        raise UsageError(
            f"`{uri.partition('?')[0]}` has a signature in its address, which would be stored",
            hint="define its container as a datastore: amlkit datastore create --sas-token-stdin",
        )
