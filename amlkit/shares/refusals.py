"""The one table from what azure-storage-file-share raises to what amlkit raises.

The requests that it quotes, which may have a signature in them, are not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amlkit.errors import AmlkitError, Conflict, NotFound, NotLoggedIn
from amlkit.storage_refusals import REFUSED, refused

# Source: "Azure Files error codes" and "Common REST API error codes".
_NO_SHARE = {"ShareNotFound", "ShareBeingDeleted", "ShareDisabled"}
_IN_USE = {
    "CannotDeleteFileOrDirectory",
    "ClientCacheFlushDelay",
    "DeletePending",
    "FileLockConflict",
    "FileOpenBySmbClient",
    "LeaseIdMissing",
    "ReadOnlyAttribute",
    "SharingViolation",
}


class Changed(Exception):
    """A file is not the one any more that was listed."""


@contextmanager
def translated(datastore: str, address: str) -> Iterator[None]:
    """Raise amlkit's errors for the client's. address: the URL of the share."""
    from azure.core.exceptions import AzureError
    from requests.exceptions import RequestException

    subject = f"datastore `{datastore}` ({address})"
    try:
        yield
    except Changed:
        raise AmlkitError(
            f"{subject}: a file changed while it was read", hint="do it again"
        ) from None
    except (AzureError, RequestException) as error:
        # In the middle of an answer the client lets those of its HTTP library through.
        raise _error(error, subject, datastore, address) from None


def code_of(error: Any) -> str:
    """Return the storage's own word for what went wrong, or nothing."""
    found = getattr(error, "error_code", None)
    return str(getattr(found, "value", found) or "")


def _error(error: Any, subject: str, datastore: str, address: str) -> AmlkitError:
    from azure.core import exceptions as theirs

    code, answered = code_of(error), getattr(error, "response", None) is not None
    status = int(getattr(error, "status_code", None) or 0)
    if code in _NO_SHARE:
        share = address.rsplit("/", 1)[-1]
        return NotFound(
            f"{subject}: there is no share `{share}` ({code})",
            hint="check its name, or make it in the storage account; amlkit datastore show"
            f" {datastore}",
        )
    if code in REFUSED or (answered and status in {401, 403}):
        role = "Storage File Data Privileged Contributor"
        return refused(subject, code, str(error), role=role)
    if code == "ResourceTypeMismatch":
        return Conflict(
            f"{subject}: a name is a file there and a folder here, or the other way round",
            hint=f"amlkit datastore ls {datastore}, and remove or rename one of them",
        )
    if code in _IN_USE:
        return AmlkitError(
            f"{subject}: a file is in use on a computer that has the share mounted, or read-only"
            f" ({code})",
            hint="close it there and run it again: it goes on where it stopped",
        )
    if isinstance(error, theirs.ResourceNotFoundError):
        return NotFound(
            f"{subject}: there is no such file", hint=f"amlkit datastore ls {datastore}"
        )
    if isinstance(error, theirs.ClientAuthenticationError):
        return _no_login(error, subject)
    if isinstance(error, theirs.ServiceRequestError):
        return AmlkitError(
            f"{subject}: the storage cannot be reached",
            hint="check the account name, the endpoint, the network and HTTPS_PROXY",
        )
    if not code and (not answered or status < 300):
        return AmlkitError(
            f"{subject}: the connection broke off",
            hint="run it again: it goes on where it stopped",
        )
    if 400 <= status < 500 and status not in {408, 429}:
        return AmlkitError(
            f"{subject}: Azure refuses a request ({code or status})",
            hint=f"look whether the share has room and takes the names; amlkit datastore show"
            f" {datastore}",
        )
    return AmlkitError(
        f"{subject}: the storage could not answer ({code or status})", hint="try again in a minute"
    )


def _no_login(error: Any, subject: str) -> NotLoggedIn:
    """Return the error for a login that failed here: a key that is none, no token to be had."""
    if type(error).__name__ == "AzureSigningError":
        return NotLoggedIn(
            f"{subject}: the account key is none, it is not base64",
            hint="define it again with `amlkit datastore create`",
        )
    return NotLoggedIn(
        f"{subject}: no identity was found that the storage takes",
        hint="az login, or define the datastore with a key or a SAS",
    )
