"""Assets as Azure Resource Manager describes them, turned into amlkit's records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlkit.azure.names import asset_reference, created_at, created_by, own_uri, snake, texts
from amlkit.records import JSON, Asset, AssetKind

_ABOUT = ("name", "version", "description", "tags", "properties", "$schema", "_source")


def of_version(kind: AssetKind, name: str, resource: Mapping[str, Any]) -> Asset:
    """Return one version of an asset."""
    properties = resource["properties"]
    spec = _SPECS[kind](properties)
    if "path" in spec:
        spec["path"] = own_uri(spec["path"], str(resource["id"]))
    return Asset(
        kind,
        name,
        str(resource["name"]),
        spec,
        description=properties.get("description") or _component(properties).get("description"),
        tags=texts(properties.get("tags")),
        properties=texts(properties.get("properties")),
        created_at=created_at(resource),
        created_by=created_by(resource),
        archived=bool(properties.get("isArchived")),
        id=str(resource["id"]),
    )


def of_container(kind: AssetKind, resource: Mapping[str, Any]) -> Asset:
    """Return the latest version of a name, as much of it as a list of names tells."""
    properties = resource["properties"]
    spec: dict[str, JSON] = {"type": properties["dataType"]} if "dataType" in properties else {}
    version = str(properties.get("latestVersion") or "")
    return Asset(
        kind,
        str(resource["name"]),
        version,
        spec,
        description=properties.get("description"),
        tags=texts(properties.get("tags")),
        properties=texts(properties.get("properties")),
        created_at=created_at(resource),
        created_by=created_by(resource),
        archived=bool(properties.get("isArchived")),
        id=f"{resource['id']}/versions/{version}",
    )


def _component(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    found = properties.get("componentSpec")
    return found if isinstance(found, Mapping) else {}


def _data(properties: Mapping[str, Any]) -> dict[str, JSON]:
    return {"type": properties.get("dataType"), "path": properties.get("dataUri")}


def _environment(properties: Mapping[str, Any]) -> dict[str, JSON]:
    spec: dict[str, JSON] = {}
    if image := properties.get("image"):
        spec["image"] = image
    if conda := properties.get("condaFile"):
        import yaml

        spec["conda_file"] = yaml.safe_load(conda)
    if build := properties.get("build"):
        spec["build"] = {snake(str(key)): value for key, value in build.items()}
    if system := properties.get("osType"):
        spec["os_type"] = str(system).lower()
    return spec


def _model(properties: Mapping[str, Any]) -> dict[str, JSON]:
    spec: dict[str, JSON] = {
        "type": properties.get("modelType") or "custom_model",
        "path": properties.get("modelUri"),
    }
    if job := properties.get("jobName"):
        spec["job_name"] = job
    return spec


def _component_spec(properties: Mapping[str, Any]) -> dict[str, JSON]:
    spec = {key: value for key, value in _component(properties).items() if key not in _ABOUT}
    for key in ("code", "environment"):
        if isinstance(spec.get(key), str):
            spec[key] = asset_reference(str(spec[key]))
    return spec


def _code(properties: Mapping[str, Any]) -> dict[str, JSON]:
    return {"path": properties.get("codeUri")}


_SPECS = {
    AssetKind.DATA: _data,
    AssetKind.ENVIRONMENT: _environment,
    AssetKind.MODEL: _model,
    AssetKind.COMPONENT: _component_spec,
    AssetKind.CODE: _code,
}
