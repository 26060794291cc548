"""The one table from what obstore raises to what amlkit raises, without the requests it quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from amlkit.errors import AmlkitError, NotFound, NotLoggedIn
from amlkit.local.storage.places import Place
from amlkit.storage_refusals import REFUSED, refused

_NO_CONTAINER = {"ContainerNotFound", "FilesystemNotFound", "ContainerBeingDeleted"}
_BAD_NAMES = ("EmptySegment", "BadSegment", "InvalidPath", "Error parsing Path", 'Path "')
# A token could not be had: from the Azure CLI, a managed identity, the authority.
_NO_IDENTITY = ("az account get-access-token", "token request", "169.254.169.254", "/oauth2/")
_UNREACHABLE = ("error sending request", "HTTP error", "Connect", "dns error", "timed out")

# As obstore tells the status, and as `Refused` does.
_FOR_GOOD = re.compile(r"(?:\A|status code: )4(?!08|29)\d\d ")


class Refused(Exception):
    """An answer of the storage that is no success, as it was, or that there was none."""


@contextmanager
def translated(datastore: str, place: Place) -> Iterator[None]:
    """Raise amlkit's errors for obstore's."""
    import obstore.exceptions as theirs

    try:
        yield
    except (theirs.BaseError, Refused) as error:
        raise _error(error, datastore, place) from None
    except (FileNotFoundError, PermissionError) as error:
        # obstore raises these for answers too; what the file system raises names its file.
        if error.filename is not None:
            raise
        raise _error(error, datastore, place) from None


def _error(error: Exception, datastore: str, place: Place) -> AmlkitError:
    subject = f"datastore `{datastore}` ({place.address})"
    kind, text = type(error).__name__, str(error)
    found = re.search(r"<Code>(\w+)</Code>", text) or re.search(r'"code":\s*"(\w+)"', text)
    code = found[1] if found else ""
    if code in REFUSED or kind in {"PermissionDeniedError", "UnauthenticatedError"}:
        return refused(subject, code, text, role="Storage Blob Data Contributor")
    if code in _NO_CONTAINER:
        return NotFound(
            f"{subject}: there is no container `{place.container}`",
            hint=f"check its name, or make it in the storage account; amlkit datastore show"
            f" {datastore}",
        )
    if kind in {"NotFoundError", "FileNotFoundError"}:
        return NotFound(
            f"{subject}: there is no such file", hint=f"amlkit datastore ls {datastore}"
        )
    if kind == "PreconditionError":
        return AmlkitError(f"{subject}: a file changed while it was read", hint="do it again")
    if any(each in text for each in _BAD_NAMES):
        return AmlkitError(
            f"{subject}: it has names that are not safe to use, with `..` or empty parts",
            hint="rename them in the storage account",
        )
    if any(each in text for each in _NO_IDENTITY):
        return NotLoggedIn(
            f"{subject}: no identity was found that the storage takes",
            hint="az login, or define the datastore with a key or a SAS",
        )
    if not code and any(each in text for each in _UNREACHABLE):
        return AmlkitError(
            f"{subject}: the storage cannot be reached",
            hint="check the account name, the endpoint, the network and HTTPS_PROXY",
        )
    if code == "InvalidBlockList":
        return AmlkitError(
            f"{subject}: another command was sending the same file", hint="run it again"
        )
    if code and _FOR_GOOD.search(text):
        return AmlkitError(
            f"{subject}: Azure refuses a request ({code})",
            hint="check the container's name and the names in it; amlkit datastore show"
            f" {datastore}",
        )
    return AmlkitError(
        f"{subject}: the storage could not answer" + (f" ({code})" if code else ""),
        hint="try again in a minute",
    )
