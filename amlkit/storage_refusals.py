"""How Azure storage refuses a login, in blobs and in file shares alike."""

from __future__ import annotations

from amlkit.errors import NotLoggedIn

# Source: "Common REST API error codes", "Blob service error codes", "Azure Files error codes".
REFUSED = {
    "AccountIsDisabled",
    "AuthenticationFailed",
    "AuthorizationFailure",
    "AuthorizationPermissionMismatch",
    "AuthorizationProtocolMismatch",
    "AuthorizationResourceTypeMismatch",
    "AuthorizationServiceMismatch",
    "AuthorizationSourceIPMismatch",
    "InsufficientAccountPermissions",
    "InvalidAuthenticationInfo",
    "KeyBasedAuthenticationNotPermitted",
    "NoAuthenticationInformation",
    "PublicAccessNotPermitted",
}
"""The codes of what is refused for who asks, or how."""


def refused(subject: str, code: str, text: str, *, role: str) -> NotLoggedIn:
    """Return the error for a login that storage refuses. text: its answer; role: what it needs."""
    about = f" ({code})" if code else ""
    if "expir" in text.lower() or "Signature not valid in the specified time frame" in text:
        return NotLoggedIn(
            f"{subject}: the SAS token has expired{about}",
            hint="make a new one: amlkit datastore create ... --sas-token-stdin",
        )
    return NotLoggedIn(
        f"{subject}: Azure refuses the credentials{about}",
        hint="the key or SAS may be wrong or expired: define it again with `amlkit datastore"
        f" create`; an identity needs the role {role}",
    )
