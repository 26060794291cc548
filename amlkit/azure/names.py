"""Azure Resource Manager's words turned into those of the YAML reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ASSET_ID = re.compile(
    r"/workspaces/[^/]+/(?:data|environments|components|models|codes)/(?P<name>[^/]+)"
    r"/versions/(?P<version>[^/]+)$"
)

_SCOPE_ID = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/[^/]+"
    r"/workspaces/(?P<workspace>[^/]+)/",
    re.IGNORECASE,
)


def snake(name: str) -> str:
    """Return `camelCase` as `camel_case`."""
    return _HUMP.sub("_", name).lower()


def texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Return tags or properties as text; null values as nothing."""
    return {str(key): "" if each is None else str(each) for key, each in (values or {}).items()}


def created_at(resource: Mapping[str, Any]) -> str:
    """Return when a resource was made, RFC 3339, or nothing."""
    return instant((resource.get("systemData") or {}).get("createdAt")) or ""


def created_by(resource: Mapping[str, Any]) -> str:
    """Return who made a resource, or nothing."""
    return str((resource.get("systemData") or {}).get("createdBy") or "")


def instant(text: Any) -> str | None:
    """Return a time of Azure's in RFC 3339 to the millisecond; it writes up to seven digits."""
    if not text:
        return None
    from datetime import UTC, datetime

    trimmed = re.sub(r"(\.\d{6})\d+", r"\1", str(text)).replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(trimmed)
    except ValueError:
        return str(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def asset_reference(identifier: str) -> str:
    """Return `azureml:name:version` for the ARM id of an asset of a workspace; else it as is."""
    found = _ASSET_ID.search(identifier)
    return f"azureml:{found['name']}:{found['version']}" if found else identifier


def own_uri(uri: Any, identifier: str) -> Any:
    """Return the short form of a datastore URI in the workspace of an ARM id; others as they are.

    Azure answers with `azureml://subscriptions/...` whatever was sent.
    """
    found = _SCOPE_ID.match(identifier)
    if found is None or not isinstance(uri, str):
        return uri
    group = f"subscriptions/{found['subscription']}/resourcegroups/{found['group']}"
    long = f"azureml://{group}/workspaces/{found['workspace']}/datastores/"
    own = uri.lower().startswith(long.lower())
    return f"azureml://datastores/{uri[len(long) :]}" if own else uri


def last(identifier: Any) -> str | None:
    """Return the last part of an ARM id, or None."""
    return str(identifier).rstrip("/").rsplit("/", 1)[-1] if identifier else None
