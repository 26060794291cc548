"""How to get into a file share: what azure-storage-file-share takes for each kind of secret."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from typing import Any

from amlkit.errors import NotLoggedIn, NotSupported, UsageError

_SCOPE = "https://storage.azure.com/.default"


def missing_extra(datastore: str) -> NotSupported:
    """Return the error where the packages for file shares are not installed."""
    return NotSupported(
        f"datastore `{datastore}` is a file share, which needs the share extra",
        hint="pip install 'amlkit[share]'",
    )


def with_secret(
    datastore: str, kind: str, secret: str, *, account: str, more: Mapping[str, Any]
) -> Any:
    """Return what logs in with an account key, a SAS or a service principal's secret.

    more: `tenant_id`, `client_id`, and perhaps `authority_url`, of a service principal.
    Raises: NotLoggedIn: it is no SAS. NotSupported: the extra is not installed.
    """
    if kind == "account_key":
        return {"account_name": account, "account_key": secret}
    if kind == "sas_token":
        token = secret.removeprefix("?")
        # The client would take anything else for an account key.
        if "sig=" not in token:
            raise NotLoggedIn(
                f"the sas_token of datastore `{datastore}` is no SAS: it has no signature",
                hint="it looks like sv=...&sig=...",
            )
        return token
    try:
        from azure.identity import ClientSecretCredential
    except ModuleNotFoundError:
        raise missing_extra(datastore) from None
    # Of an authority that the user names, Azure's public cloud is not asked whether it is one.
    about: dict[str, Any] = {}
    if more.get("authority_url"):
        about = {"authority": str(more["authority_url"]), "disable_instance_discovery": True}
    return ClientSecretCredential(str(more["tenant_id"]), str(more["client_id"]), secret, **about)


def identity(datastore: str, url: str) -> Any:
    """Return what logs in by identity: `az login` where there is one.

    Without the Azure CLI, a service principal in AZURE_CLIENT_ID, AZURE_TENANT_ID and
    AZURE_CLIENT_SECRET, or the machine's managed identity.
    Raises: NotSupported: the extra is not installed. UsageError: the share is not behind TLS.
    """
    if url.startswith("http://"):
        raise UsageError(
            f"datastore `{datastore}` has protocol http, over which no identity is sent",
            hint="--protocol https, or an account key or a SAS",
        )
    try:
        from azure.identity import AzureCliCredential, DefaultAzureCredential
    except ModuleNotFoundError:
        raise missing_extra(datastore) from None
    principal = os.environ.get("AZURE_CLIENT_SECRET") or os.environ.get(
        "AZURE_FEDERATED_TOKEN_FILE"
    )
    if shutil.which("az") and not principal:
        return AzureCliCredential()
    return DefaultAzureCredential(
        exclude_cli_credential=True,
        exclude_developer_cli_credential=True,
        exclude_powershell_credential=True,
        exclude_shared_token_cache_credential=True,
        exclude_visual_studio_code_credential=True,
    )


def asked_first(credential: Any) -> Any:
    """Return a credential with its first token; what is no token credential as it is.

    The client takes a login that is refused for a network that fails, and asks for half a minute.
    Raises: ClientAuthenticationError: there is no token to be had.
    """
    return _Asked(credential) if hasattr(credential, "get_token") else credential


class _Asked:
    def __init__(self, credential: Any) -> None:
        self._credential = credential
        self._token = credential.get_token(_SCOPE)

    def get_token(self, *scopes: str, **more: Any) -> Any:
        fresh = self._token.expires_on - time.time() > 300
        if scopes == (_SCOPE,) and fresh and not more.get("claims") and not more.get("tenant_id"):
            return self._token
        return self._credential.get_token(*scopes, **more)
