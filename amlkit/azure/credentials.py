"""How amlkit proves who it is to Azure: one way a workspace, remembered without any secret."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from amlkit.azure import logins
from amlkit.azure.clouds import CLOUDS, Cloud
from amlkit.azure.errors import LOGIN_HINT
from amlkit.config import setting
from amlkit.errors import NotLoggedIn, UsageError, did_you_mean
from amlkit.light import dataclass

METHODS = (
    "interactive",
    "device-code",
    "service-principal",
    "azure-cli",
    "managed-identity",
    "workload-identity",
    "default",
)
BY_A_PERSON = frozenset({"interactive", "device-code"})


@dataclass(frozen=True)
class Fresh:
    """What only a new login has. secret: a service principal's; never kept.

    tell: prints the device code's instructions.
    """

    secret: str | None = None
    tell: Callable[[str], None] = print


def make(
    login: Mapping[str, str], cloud: Cloud, tenant: str | None, *, fresh: Fresh | None = None
) -> Any:
    """Return the credential of a remembered login; with `fresh`, one that may ask the user.

    login: `method`, and where it has them `client_id`, `certificate`, `record`, `cache`.
    Raises: NotLoggedIn: the login cannot be used any more, or its secret is missing.
    """
    method = login.get("method") or setting("login") or ""
    if method not in METHODS:
        raise _no_login(method)
    try:
        return _made(method, login, cloud, tenant, fresh)
    except ValueError as cause:
        reason = str(cause).splitlines()[0]
        raise UsageError(f"this login cannot be used: {reason}", hint=LOGIN_HINT) from None


def _made(
    method: str, login: Mapping[str, str], cloud: Cloud, tenant: str | None, fresh: Fresh | None
) -> Any:
    common = _common(cloud)
    client_id = login.get("client_id") or os.environ.get("AZURE_CLIENT_ID")
    tenant = tenant or os.environ.get("AZURE_TENANT_ID")
    if method in BY_A_PERSON:
        return _person(method, login, tenant, common, fresh)
    if method == "service-principal":
        return _service_principal(login, client_id, tenant, common, fresh)
    if method == "workload-identity":
        return _workload(client_id, tenant, common)
    from azure import identity

    if method == "azure-cli":
        return identity.AzureCliCredential(**({"tenant_id": tenant} if tenant else {}))
    if method == "managed-identity":
        # Without a client id it is the identity that the machine itself has.
        given = {"client_id": login["client_id"]} if login.get("client_id") else {}
        # The request that needs the token is tried again as a whole, which is enough.
        return identity.ManagedIdentityCredential(retry_connect=0, **given)
    return identity.DefaultAzureCredential(authority=cloud.authority)


def _no_login(method: str) -> NotLoggedIn | UsageError:
    if not method:
        return NotLoggedIn(
            "no login is remembered for this workspace",
            hint="amlkit workspace login --interactive (or --device-code, --azure-cli, ...)",
        )
    close = did_you_mean(method, METHODS)
    hint = f"did you mean `{close}`?" if close else f"use one of {', '.join(METHODS)}"
    return UsageError(f"`{method}` is not a way to log in", hint=hint)


def _common(cloud: Cloud) -> dict[str, Any]:
    # Only the built-in clouds are known to the public instance discovery.
    return {
        "authority": cloud.authority,
        "disable_instance_discovery": cloud.name not in CLOUDS,
    }


def _person(
    method: str,
    login: Mapping[str, str],
    tenant: str | None,
    common: dict[str, Any],
    fresh: Fresh | None,
) -> Any:
    from azure import identity

    key = login["record"]
    options: dict[str, Any] = {
        **common,
        "cache_persistence_options": logins.cache_options(key, plain=login.get("cache") == "plain"),
        "disable_automatic_authentication": fresh is None,
    }
    if login.get("client_id"):
        options["client_id"] = login["client_id"]
    if tenant:
        options["tenant_id"] = tenant
    if fresh is None:
        # The record says where and whose the login was.
        options["authentication_record"] = logins.record(key)
        del options["authority"]
    if method == "interactive":
        return identity.InteractiveBrowserCredential(**options)

    def prompt(uri: str, code: str, _expires: object) -> None:
        tell = fresh.tell if fresh is not None else print
        tell(f"to log in, open {uri} and enter the code {code}")

    return identity.DeviceCodeCredential(prompt_callback=prompt, **options)


def _service_principal(
    login: Mapping[str, str],
    client_id: str | None,
    tenant: str | None,
    common: dict[str, Any],
    fresh: Fresh | None,
) -> Any:
    if not (client_id and tenant):
        raise UsageError(
            "a service principal needs its tenant and its client id",
            hint="add --tenant and --client-id, or set AZURE_TENANT_ID and AZURE_CLIENT_ID",
        )
    from azure import identity

    if certificate := login.get("certificate"):
        password = os.environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD")
        try:
            return identity.CertificateCredential(
                tenant, client_id, certificate, password=password, **common
            )
        except (OSError, ValueError) as cause:
            raise NotLoggedIn(
                f"certificate `{certificate}` cannot be used: {str(cause).splitlines()[0]}",
                hint="it needs a PEM or PFX file with the private key; its password goes into"
                " AZURE_CLIENT_CERTIFICATE_PASSWORD",
            ) from None
    secret = (fresh.secret if fresh else None) or os.environ.get("AZURE_CLIENT_SECRET")
    if not secret:
        raise NotLoggedIn(
            "the service principal's secret is not here, and amlkit never keeps it",
            hint="set AZURE_CLIENT_SECRET, or log in with --certificate FILE",
        )
    return identity.ClientSecretCredential(tenant, client_id, secret, **common)


def _workload(client_id: str | None, tenant: str | None, common: dict[str, Any]) -> Any:
    """Return the credential of a CI job: a token file, or GitHub's own OIDC end point."""
    if not (client_id and tenant):
        raise UsageError(
            "a workload identity needs its tenant and its client id",
            hint="add --tenant and --client-id, or set AZURE_TENANT_ID and AZURE_CLIENT_ID",
        )
    from azure import identity

    if file := os.environ.get("AZURE_FEDERATED_TOKEN_FILE"):
        return identity.WorkloadIdentityCredential(
            tenant_id=tenant, client_id=client_id, token_file_path=file, **common
        )
    url = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")
    bearer = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not (url and bearer):
        raise NotLoggedIn(
            "there is no workload identity token here",
            hint="set AZURE_FEDERATED_TOKEN_FILE; on GitHub give the job `id-token: write`",
        )
    return identity.ClientAssertionCredential(
        tenant, client_id, lambda: _github_token(url, bearer), **common
    )


def _github_token(url: str, bearer: str) -> str:
    """Source: GitHub, "OpenID Connect reference", requesting the JWT with the runtime's token."""
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import RetryPolicy
    from azure.core.rest import HttpRequest

    with PipelineClient(url, policies=[RetryPolicy()]) as client:
        request = HttpRequest(
            "GET",
            f"{url}&audience=api://AzureADTokenExchange",
            headers={"Authorization": f"Bearer {bearer}"},
        )
        response = client.send_request(request)
        response.raise_for_status()
        return str(response.json()["value"])
