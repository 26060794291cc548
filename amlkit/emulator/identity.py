"""Login and discovery: managed identity, the token endpoint, and where everything is."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from amlkit.emulator.context import SUFFIX, Context
from amlkit.emulator.messages import Refused, Reply, Request

_PLANES = ("api", "history", "metrics", "catalog", "experimentation", "hyperdrive")


def answer(context: Context, request: Request) -> Reply | None:
    """Answer what needs no token yet; None when it is something else."""
    path = request.path
    if path.startswith("/metadata/endpoints"):
        return Reply(200, [cloud(context.url)])
    if path.startswith("/discovery/"):
        return Reply(200, dict.fromkeys((*_PLANES, "modelmanagement", "studio"), context.url))
    if path.startswith("/msi"):
        return _managed_identity(context, request)
    if path.endswith("/.well-known/openid-configuration"):
        return Reply(200, _openid(context.url, path.split("/")[1]))
    if path.startswith("/common/discovery/instance"):
        where = f"{context.url}/common/v2.0/.well-known/openid-configuration"
        return Reply(200, {"tenant_discovery_endpoint": where, "metadata": []})
    if path.endswith(("/oauth2/v2.0/token", "/oauth2/token")) and request.method == "POST":
        return _token(context, request)
    return None


def cloud(url: str) -> dict[str, Any]:
    """Return the cloud's description, as `ARM_CLOUD_METADATA_URL` is read by SDK and CLI."""
    return {
        "name": "amlkit",
        "portal": "https://portal.azure.localhost/",
        "authentication": {
            "loginEndpoint": url,
            "audiences": [url],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": f"{url}/",
        "suffixes": {
            "storage": SUFFIX,
            "keyVaultDns": "vault.localhost",
            "acrLoginServer": "acr.localhost",
        },
        "graph": url,
        "media": url,
    }


def _managed_identity(context: Context, request: Request) -> Reply:
    if not context.signer.knows(request.headers.get("x-identity-header")):
        raise Refused(401, "Unauthorized", 'no secret of this start: eval "$(amlkit emulator env)"')
    audience = request.query.get("resource") or context.url
    token, ends = context.signer.token(audience)
    return Reply(
        200,
        {
            "access_token": token,
            "expires_on": str(ends),
            "resource": audience,
            "token_type": "Bearer",
        },
    )


def _token(context: Context, request: Request) -> Reply:
    form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    given = form.get("client_secret") or form.get("client_assertion")
    if not context.signer.knows(given):
        error = {
            "error": "invalid_client",
            "error_description": "neither secret nor assertion is this start's",
        }
        return Reply(401, error)
    scopes = (form.get("scope") or form.get("resource") or context.url).split()
    token, _ = context.signer.token(scopes[0].removesuffix("/.default"))
    return Reply(
        200,
        {"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": token},
    )


def _openid(url: str, tenant: str) -> dict[str, Any]:
    base = f"{url}/{tenant}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "issuer": f"{base}/v2.0",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
