"""Azure's clouds: the public one, the sovereign ones, and whatever ARM_CLOUD_METADATA_URL names.

Source: Azure CLI, "Manage clouds"; the ARM endpoint `/metadata/endpoints`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from amlkit.azure.errors import translated
from amlkit.errors import AmlkitError, UsageError, did_you_mean
from amlkit.light import dataclass


@dataclass(frozen=True)
class Cloud:
    """Where one cloud is. ml_audience: what tokens for the Azure ML data plane are for.

    metadata_url: where this was read, for a cloud that is not built in.
    """

    name: str
    resource_manager: str
    authority: str
    storage_suffix: str
    ml_audience: str
    portal: str
    metadata_url: str | None = None

    @property
    def scope(self) -> str:
        """The scope of tokens for Azure Resource Manager."""
        return f"{self.resource_manager.rstrip('/')}/.default"


CLOUDS = {
    each.name: each
    for each in (
        Cloud(
            "AzureCloud",
            "https://management.azure.com",
            "https://login.microsoftonline.com",
            "core.windows.net",
            "https://ml.azure.com",
            "https://portal.azure.com/",
        ),
        Cloud(
            "AzureChinaCloud",
            "https://management.chinacloudapi.cn",
            "https://login.chinacloudapi.cn",
            "core.chinacloudapi.cn",
            "https://ml.azure.cn",
            "https://portal.azure.cn/",
        ),
        Cloud(
            "AzureUSGovernment",
            "https://management.usgovcloudapi.net",
            "https://login.microsoftonline.us",
            "core.usgovcloudapi.net",
            "https://ml.azure.us",
            "https://portal.azure.us/",
        ),
    )
}


def current(remembered: str | None, endpoints: Mapping[str, str] | None = None) -> Cloud:
    """Return the cloud that ARM_CLOUD_METADATA_URL or AZURE_CLOUD names, or the remembered one.

    remembered: a cloud's name, or the metadata URL that it was read from.
    endpoints: what that URL said at login; it is not asked again.
    Raises: UsageError: no such cloud. AmlkitError: the metadata cannot be read.
    """
    url = os.environ.get("ARM_CLOUD_METADATA_URL")
    if endpoints and (url or remembered) == endpoints.get("metadata_url"):
        return Cloud(**endpoints)
    if url:
        return from_metadata(url, os.environ.get("AZURE_CLOUD"))
    name = os.environ.get("AZURE_CLOUD") or remembered or "AzureCloud"
    if name.startswith(("https://", "http://")):
        return from_metadata(name, None)
    if name not in CLOUDS:
        close = did_you_mean(name, CLOUDS)
        known = ", ".join(CLOUDS)
        raise UsageError(
            f"no Azure cloud is called `{name}`",
            hint=f"did you mean `{close}`?" if close else f"known are {known}",
        )
    return CLOUDS[name]


def from_metadata(url: str, name: str | None) -> Cloud:
    """Return the cloud that a metadata document describes; the first when no name is given."""
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import RetryPolicy, UserAgentPolicy
    from azure.core.rest import HttpRequest

    with (
        translated(f"reading the cloud's metadata from `{url}`"),
        PipelineClient(
            url,
            policies=[
                UserAgentPolicy("amlkit"),
                RetryPolicy(retry_total=2, retry_backoff_factor=0.4),
            ],
        ) as client,
    ):
        response = client.send_request(HttpRequest("GET", url))
        response.raise_for_status()
        document = response.json()
    described = document if isinstance(document, list) else [document]
    found = [each for each in described if name in {None, each.get("name")}] or described
    try:
        return _described(found[0], url)
    except (KeyError, IndexError) as missing:
        raise AmlkitError(
            f"`{url}` describes no cloud: {missing} is missing", hint="mend ARM_CLOUD_METADATA_URL"
        ) from None


def _described(document: dict[str, Any], url: str) -> Cloud:
    portal = str(document.get("portal") or "https://portal.azure.com/")
    domain = ".".join(portal.rstrip("/").split(".")[2:])
    return Cloud(
        str(document["name"]),
        str(document["resourceManager"]).rstrip("/"),
        str(document["authentication"]["loginEndpoint"]).rstrip("/"),
        str(document["suffixes"]["storage"]),
        f"https://ml.azure.{domain}",
        portal,
        url,
    )
