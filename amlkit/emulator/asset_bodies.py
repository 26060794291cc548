"""ARM bodies of assets to and from the YAML reference's fields: pure functions, one pair a noun."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from amlkit.emulator.messages import Refused
from amlkit.emulator.names import Scope, short, shortened
from amlkit.records import JSON, Asset, AssetKind

Body = dict[str, Any]
_NOT_OF_SPEC = ("name", "version", "$schema", "_source", "tags", "properties", "creation_context")
_ANONYMOUS = frozenset({"CliV2AnonymousEnvironment", "azureml_anonymous"})
NOUNS = {
    "data": AssetKind.DATA,
    "environments": AssetKind.ENVIRONMENT,
    "components": AssetKind.COMPONENT,
    "models": AssetKind.MODEL,
    "codes": AssetKind.CODE,
}
URI_FIELDS = {"data": "dataUri", "models": "modelUri", "codes": "codeUri"}


def environment_spec(properties: Mapping[str, Any]) -> dict[str, JSON]:
    """Return an environment's spec. Raises: Refused: its conda file is no YAML mapping."""
    spec: dict[str, JSON] = {}
    if properties.get("image"):
        spec["image"] = properties["image"]
    if build := properties.get("build"):
        named = {"path": "contextUri", "dockerfile_path": "dockerfilePath"}
        spec["build"] = {key: build[name] for key, name in named.items() if build.get(name)}
    if properties.get("condaFile"):
        import yaml

        try:
            conda = yaml.safe_load(properties["condaFile"])
        except yaml.YAMLError as cause:
            raise Refused(400, "ValidationError", f"condaFile is not YAML: {cause}") from None
        if not isinstance(conda, dict):
            raise Refused(400, "ValidationError", "condaFile is not a mapping")
        spec["conda_file"] = conda
    return spec


def environment_body(asset: Asset, _: Scope) -> Body:
    """Return an environment's own properties."""
    spec: Mapping[str, Any] = asset.spec
    body: Body = {"environmentType": "UserCreated", "osType": "Linux"}
    if spec.get("image"):
        body["image"] = spec["image"]
    if isinstance(spec.get("conda_file"), Mapping):
        import yaml

        body["condaFile"] = yaml.safe_dump(dict(spec["conda_file"]), sort_keys=False)
    if isinstance(spec.get("build"), Mapping):
        build = spec["build"]
        body["build"] = {
            "contextUri": build.get("path"),
            "dockerfilePath": build.get("dockerfile_path") or "Dockerfile",
        }
    return body


_NUMBERS: dict[str, Callable[[str], JSON]] = {
    "number": float,
    "integer": int,
    "boolean": lambda text: text.strip().lower() == "true",
}


def typed(value: JSON, kind: object) -> JSON:
    """Return a literal as its type says: the SDK sends all of them as text."""
    read = _NUMBERS.get(str(kind).lower())
    if read is None or not isinstance(value, str) or "${{" in value:
        return value
    try:
        return read(value)
    except ValueError:
        return value


def component_spec(properties: Mapping[str, Any]) -> dict[str, JSON]:
    """Return a component's spec: names made short, texts of numbers made numbers."""
    given = properties.get("componentSpec")
    if not isinstance(given, Mapping):
        raise Refused(400, "ValidationError", "the component has no `componentSpec`")
    spec = {key: shortened(each) for key, each in given.items() if key not in _NOT_OF_SPEC}
    for name, port in (spec.get("inputs") or {}).items():
        if isinstance(port, Mapping):
            kind = port.get("type")
            bounds = {k: typed(port[k], kind) for k in ("default", "min", "max") if k in port}
            optional = typed(port.get("optional"), "boolean")
            extra = {"optional": optional} if "optional" in port else {}
            spec["inputs"][name] = {**port, **bounds, **extra}
    if "jobs" in spec:
        from amlkit.emulator.job_specs import step

        spec["jobs"] = {name: step(node) for name, node in spec["jobs"].items()}
    return spec


def component_body(asset: Asset, scope: Scope) -> Body:
    """Return a component's own properties."""
    spec: Body = {
        **asset.spec,
        "name": asset.name,
        "version": asset.version,
        "description": asset.description,
        "tags": dict(asset.tags),
    }
    for field, noun in (("code", "codes"), ("environment", "environments")):
        if isinstance(spec.get(field), str):
            known = scope.asset(noun, spec[field])
            spec[field] = known if known == spec[field] else f"azureml:{known}"
    for name, port in dict(spec.get("inputs") or {}).items():
        if isinstance(port, Mapping) and "default" in port:
            spec["inputs"] = {**spec["inputs"], name: {**port, "default": str(port["default"])}}
    return {"componentSpec": {key: each for key, each in spec.items() if each is not None}}


def data_body(asset: Asset, scope: Scope) -> Body:
    """Return a data asset's own properties."""
    return {"dataType": asset.type or "uri_folder", "dataUri": _long(asset, scope)}


def model_body(asset: Asset, scope: Scope) -> Body:
    """Return a model's own properties."""
    return {
        "modelType": asset.type or "custom_model",
        "modelUri": _long(asset, scope),
        "flavors": {},
        "jobName": asset.properties.get("azureml.job_name"),
    }


def code_body(asset: Asset, scope: Scope) -> Body:
    """Return a code snapshot's own properties."""
    return {"codeUri": _long(asset, scope)}


def _long(asset: Asset, scope: Scope) -> str:
    text = short(str(asset.spec.get("path") or ""))
    if not text.startswith("azureml://datastores/"):
        return text
    name, _, path = text.removeprefix("azureml://datastores/").partition("/paths/")
    return scope.store_uri(name, path)


_BODIES: Mapping[AssetKind, Callable[[Asset, Scope], Body]] = {
    AssetKind.DATA: data_body,
    AssetKind.ENVIRONMENT: environment_body,
    AssetKind.COMPONENT: component_body,
    AssetKind.MODEL: model_body,
    AssetKind.CODE: code_body,
}


def properties(asset: Asset, scope: Scope) -> Body:
    """Return all the properties of an asset's version."""
    anonymous = asset.kind is AssetKind.CODE or asset.name in _ANONYMOUS
    return {
        "description": asset.description,
        "tags": dict(asset.tags),
        "properties": dict(asset.properties),
        "isArchived": asset.archived and not anonymous,
        "isAnonymous": anonymous,
        "provisioningState": "Succeeded",
        **_BODIES[asset.kind](asset, scope),
    }


def texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Return tags or properties as texts."""
    return {str(key): str(value) for key, value in (values or {}).items() if value is not None}
