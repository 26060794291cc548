"""Names of things: ARM ids and long URIs to and from the short ones of a spec."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amlkit.light import dataclass

_WORKSPACE = (
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.MachineLearningServices"
    r"/workspaces/[^/]+"
)
_ASSET = re.compile(
    rf"^(?:azureml:)?{_WORKSPACE}/(?:data|environments|components|models|codes)"
    r"/([^/]+)/(?:versions|labels)/([^/]+)$",
    re.IGNORECASE,
)
_COMPUTE = re.compile(rf"^(?:azureml:)?{_WORKSPACE}/computes/([^/]+)$", re.IGNORECASE)
_STORE = re.compile(
    r"^azureml://subscriptions/[^/]+/resourcegroups/[^/]+(?:/providers/[^/]+)?"
    r"/workspaces/[^/]+/datastores/(.+)$",
    re.IGNORECASE,
)
SCOPE = re.compile(
    r"^(?P<id>/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/(?P<name>[^/]+))(?P<rest>/.*)?$",
    re.IGNORECASE,
)
TYPE = "Microsoft.MachineLearningServices/workspaces"


@dataclass(frozen=True)
class Scope:
    """The workspace as a request names it; every name means the one workspace that there is."""

    id: str
    subscription: str
    group: str
    name: str

    def of(self, *parts: str) -> str:
        """Return the ARM id of something in the workspace."""
        return "/".join((self.id, *parts))

    def asset(self, noun: str, reference: str) -> str:
        """Return the ARM id of `azureml:NAME:VERSION`; anything else stays as it is."""
        name, _, version = reference.removeprefix("azureml:").partition(":")
        if not reference.startswith("azureml:") or not version:
            return reference
        return self.of(noun, name, "versions", version)

    def store_uri(self, datastore: str, path: str) -> str:
        """Return the long URI of a path in a datastore."""
        where = f"subscriptions/{self.subscription}/resourcegroups/{self.group}"
        return f"azureml://{where}/workspaces/{self.name}/datastores/{datastore}/paths/{path}"


def short(text: str) -> str:
    """Return `azureml:NAME:VERSION`, `azureml:COMPUTE` or a short datastore URI for a long name.

    What is no long name of something in the workspace is returned as it is.
    """
    if found := _ASSET.match(text):
        version = found[2]
        label = f"{found[1]}@{version}" if version == "latest" else f"{found[1]}:{version}"
        return f"azureml:{label}"
    if found := _COMPUTE.match(text):
        return f"azureml:{found[1]}"
    if found := _STORE.match(text):
        return f"azureml://datastores/{found[1]}"
    return text


def shortened(value: Any) -> Any:
    """Return a value with every long name in it made short."""
    if isinstance(value, str):
        return short(value)
    if isinstance(value, Mapping):
        return {key: shortened(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shortened(each) for each in value]
    return value


def cut_store(uri: str) -> tuple[str, str] | None:
    """Return (datastore, path) of a datastore URI of either form, or None."""
    text = short(uri)
    if not text.startswith("azureml://datastores/"):
        return None
    name, _, path = text.removeprefix("azureml://datastores/").partition("/paths/")
    return name, path.strip("/")
