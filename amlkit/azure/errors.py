"""The one table from what Azure raises to what amlkit raises.

Exceptions are looked up by class name along their ancestry, so that translating one imports none
of the SDKs. A test lists the SDKs' public exceptions and fails when one is not here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from amlkit.errors import (
    AmlkitError,
    Conflict,
    JobFailed,
    NotFound,
    NotLoggedIn,
    NotSupported,
    UsageError,
)

LOGIN_HINT = "amlkit workspace login, then amlkit workspace doctor"
_NETWORK_HINT = "check the network, HTTPS_PROXY and REQUESTS_CA_BUNDLE: amlkit workspace doctor"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# The signature of a signed URL is a secret, and broken connections are told with their URL.
_SIGNATURE = re.compile(r"(?i)\b(sig|access_token|client_secret)=[^&\s'\")]+")

Translation = Callable[[Any, str], AmlkitError]


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """Raise amlkit's error for what Azure raises inside; `subject` is what was being done."""
    try:
        yield
    except AmlkitError:
        raise
    except Exception as error:
        found = translation(type(error))
        if found is None:
            raise
        raise found(error, subject) from error


def translation(kind: type[BaseException]) -> Translation | None:
    """Return how an exception class is translated, or None when it is not Azure's."""
    for ancestor in kind.__mro__:
        if ancestor.__name__ in TABLE:
            return TABLE[ancestor.__name__]
    return None


def _http(error: Any, subject: str) -> AmlkitError:
    status = int(error.status_code or 0)
    code, text = _reason(error)
    shown = f"{subject}: {text}" if text else f"{subject}: Azure answered {status}"
    about = ", ".join(each for each in (code, _request(error)) if each)
    message = f"{shown} ({about})" if about else shown
    if status in _BY_STATUS:
        kind, hint = _BY_STATUS[status]
        return kind(message, hint=hint)
    if status >= 500:
        return AmlkitError(message, hint="Azure could not answer; try again in a minute")
    return AmlkitError(message)


_BY_STATUS: dict[int, tuple[type[AmlkitError], str | None]] = {
    401: (NotLoggedIn, LOGIN_HINT),
    403: (
        NotLoggedIn,
        "the login needs a role, such as AzureML Data Scientist, on the workspace and its storage",
    ),
    404: (NotFound, None),
    409: (Conflict, "choose another name or version, or leave the version out"),
    412: (Conflict, "it was changed meanwhile; try again"),
    429: (AmlkitError, "Azure asks for fewer requests; try again in a minute"),
}


def _reason(error: Any) -> tuple[str, str]:
    """Return the code and the message of an answer, on one line."""
    detail = getattr(error, "error", None)
    code = str(getattr(detail, "code", "") or "")
    text = str(getattr(detail, "message", "") or "")
    if not text:
        text = str(getattr(error, "message", "") or error).partition("\nContent:")[0]
    storage = getattr(error, "error_code", None)
    return code or str(getattr(storage, "value", storage) or ""), one_line(text)


def _request(error: Any) -> str:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    found = headers.get("x-ms-request-id") or headers.get("x-ms-correlation-request-id")
    return f"request {found}" if found else ""


def one_line(text: str) -> str:
    """Return what an SDK has to say without colours, line breaks and codes repeated below it."""
    lines = _SIGNATURE.sub(r"\1=...", _COLOUR.sub("", text)).strip().splitlines()
    kept = [each.strip() for each in lines if not re.match(r"(Code|Message|Target): ", each)]
    shown = " ".join(each for each in kept if each)
    shown = re.sub(r"^\(\w+\) ", "", shown)
    # The SDK's own template: what is wrong stands between two headings of advice.
    if found := re.search(r"Details:\s*(.*?)\s*Resolutions:", shown):
        shown = "; ".join(filter(None, (each.strip() for each in found[1].split("(x)"))))
    return shown if len(shown) <= 500 else shown[:497] + "..."


def _login(error: Any, subject: str) -> AmlkitError:
    if getattr(error, "response", None) is not None:
        return _http(error, subject)
    return NotLoggedIn(f"{subject}: {one_line(str(error.message))}", hint=LOGIN_HINT)


def _login_expired(_error: Any, subject: str) -> AmlkitError:
    return NotLoggedIn(f"{subject}: the login has expired", hint="amlkit workspace login")


def _unreachable(error: Any, subject: str) -> AmlkitError:
    text = one_line(str(error.message))
    if "CERTIFICATE_VERIFY_FAILED" in text or "SSLError" in text:
        return AmlkitError(
            f"{subject}: the server's certificate is not trusted",
            hint="set REQUESTS_CA_BUNDLE to a file that holds its CA (a proxy's, the emulator's)",
        )
    return AmlkitError(f"{subject}: Azure cannot be reached: {text}", hint=_NETWORK_HINT)


def _broken_off(error: Any, subject: str) -> AmlkitError:
    text = one_line(str(error.message))
    return AmlkitError(f"{subject}: the connection broke off: {text}", hint="run it again")


def _plain(error: Any, subject: str) -> AmlkitError:
    return AmlkitError(f"{subject}: {one_line(str(getattr(error, 'message', '') or error))}")


def _invalid(error: Any, subject: str) -> AmlkitError:
    text = one_line(str(getattr(error, "message", "") or error))
    if re.search(r"not found|does not exist|no such file", text, re.IGNORECASE):
        return NotFound(f"{subject}: {text}")
    return UsageError(f"{subject}: {text}", hint="amlkit validate FILE")


def _job(error: Any, subject: str) -> AmlkitError:
    return JobFailed(f"{subject}: {one_line(str(error.message))}")


def _taken(error: Any, subject: str) -> AmlkitError:
    return Conflict(
        f"{subject}: {one_line(str(error.message))}", hint="leave the version out for the next one"
    )


def _unsupported(error: Any, subject: str) -> AmlkitError:
    return NotSupported(f"{subject}: {one_line(str(getattr(error, 'message', '') or error))}")


TABLE: dict[str, Translation] = {
    # azure.core
    "AzureError": _plain,
    "HttpResponseError": _http,
    "DecodeError": _http,
    "IncompleteReadError": _broken_off,
    "ResourceExistsError": _http,
    "ResourceNotFoundError": _http,
    "ClientAuthenticationError": _login,
    "ResourceModifiedError": _http,
    "ResourceNotModifiedError": _http,
    "TooManyRedirectsError": _http,
    "ODataV4Error": _http,
    "ServiceRequestError": _unreachable,
    "ServiceRequestTimeoutError": _unreachable,
    "ServiceResponseError": _broken_off,
    "ServiceResponseTimeoutError": _broken_off,
    "StreamConsumedError": _broken_off,
    "StreamClosedError": _broken_off,
    "ResponseNotReadError": _broken_off,
    "SerializationError": _plain,
    "DeserializationError": _plain,
    # azure.identity
    "CredentialUnavailableError": _login,
    "AuthenticationRequiredError": _login_expired,
    # azure.ai.ml
    "MlException": _invalid,
    "ValidationException": _invalid,
    "AssetException": _plain,
    "AssetPathException": _taken,
    "EmptyDirectoryError": _invalid,
    "ComponentException": _invalid,
    "JobException": _job,
    "JobParsingError": _invalid,
    "PipelineChildJobError": _unsupported,
    "ModelException": _plain,
    "ScheduleException": _plain,
    "DeploymentException": _plain,
    "UserErrorException": _invalid,
    "CannotSetAttributeError": _invalid,
    "UnsupportedParameterKindError": _invalid,
    "KeywordError": _invalid,
    "UnexpectedKeywordError": _invalid,
    "UnexpectedAttributeError": _invalid,
    "MissingPositionalArgsError": _invalid,
    "TooManyPositionalArgsError": _invalid,
    "MultipleValueError": _invalid,
    "ParamValueNotExistsError": _invalid,
    "UnsupportedOperationError": _unsupported,
    "LocalEndpointNotFoundError": _plain,
    "LocalEndpointInFailedStateError": _plain,
    "DockerEngineNotAvailableError": _plain,
    "MultipleLocalDeploymentsFoundError": _plain,
    "InvalidLocalEndpointError": _plain,
    "LocalEndpointImageBuildError": _plain,
    "CloudArtifactsNotSupportedError": _unsupported,
    "RequiredLocalArtifactsNotFoundError": _plain,
    "InvalidVSCodeRequestError": _plain,
    "VSCodeCommandNotFound": _plain,
    "LocalDeploymentGPUNotAvailable": _plain,
}
