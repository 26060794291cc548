"""ARM bodies of jobs to the YAML reference's fields: pure functions, driven by tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from amlkit.emulator.messages import Refused
from amlkit.emulator.names import short, shortened

Spec = dict[str, Any]
MODES = {
    "ReadOnlyMount": "ro_mount",
    "ReadWriteMount": "rw_mount",
    "Download": "download",
    "Upload": "upload",
    "Direct": "direct",
    "EvalMount": "eval_mount",
    "EvalDownload": "eval_download",
}
# Names of REST fields whose YAML name is more than their snake case.
_RENAMED = {"computeId": "compute", "codeId": "code", "environmentId": "environment"}
_TOP = ("displayName", "experimentName", "description", "tags", "computeId")
_TASK = ("command", "codeId", "environmentId", "environmentVariables")
SAMPLING = {"samplingAlgorithmType": "type", "rule": "rule", "seed": "seed", "logbase": "logbase"}
POLICY = {
    "policyType": "type",
    "evaluationInterval": "evaluation_interval",
    "delayEvaluation": "delay_evaluation",
    "slackFactor": "slack_factor",
    "slackAmount": "slack_amount",
    "truncationPercentage": "truncation_percentage",
}
SWEEP_LIMITS = {
    "maxTotalTrials": "max_total_trials",
    "maxConcurrentTrials": "max_concurrent_trials",
    "timeout": "timeout",
    "trialTimeout": "trial_timeout",
}
ARGUMENTS = {
    "choice": ("values",),
    "uniform": ("min_value", "max_value"),
    "loguniform": ("min_value", "max_value"),
    "quniform": ("min_value", "max_value", "q"),
    "qloguniform": ("min_value", "max_value", "q"),
    "normal": ("mu", "sigma"),
    "lognormal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "qlognormal": ("mu", "sigma", "q"),
    "randint": ("upper",),
}


def job_spec(properties: Mapping[str, Any]) -> Spec:
    """Return the spec of a job's body. Raises: Refused: of another kind, or not understood."""
    kind = str(properties.get("jobType") or "").lower()
    make = {"command": _command, "sweep": _sweep, "pipeline": _pipeline}.get(kind)
    if make is None:
        raise Refused(
            400, "NotSupported", f"`{properties.get('jobType')}` jobs do not run on this machine"
        )
    try:
        return _without_nothing({"type": kind, **_copied(properties, _TOP), **make(properties)})
    except (TypeError, AttributeError, KeyError, ValueError) as cause:
        raise Refused(
            400, "ValidationError", f"the {kind} job is not as a job should be: {cause!r}"
        ) from None


def _command(properties: Mapping[str, Any]) -> Spec:
    limits = properties.get("limits") or {}
    return {
        **_task(properties),
        **_ports(properties),
        "limits": {"timeout": seconds(limits.get("timeout"))} if limits.get("timeout") else None,
    }


def _task(properties: Mapping[str, Any]) -> Spec:
    distribution = properties.get("distribution") or {}
    resources = properties.get("resources") or {}
    found = {_snake(key): each for key, each in distribution.items() if each is not None}
    kind = str(found.pop("distribution_type", "")).lower()
    named = {_snake(k): v for k, v in resources.items() if v not in (None, {}, [], "")}
    kind = {"tensorflow": "tensorflow", "pytorch": "pytorch", "mpi": "mpi"}.get(kind, kind)
    return {
        **_copied(properties, _TASK),
        "distribution": {"type": kind, **found} if kind else None,
        "resources": {k: v for k, v in named.items() if k != "properties"},
    }


def _sweep(properties: Mapping[str, Any]) -> Spec:
    limits = properties.get("limits") or {}
    algorithm = properties.get("samplingAlgorithm") or {"samplingAlgorithmType": "Random"}
    policy = properties.get("earlyTermination")
    found = {name: limits.get(key) for key, name in SWEEP_LIMITS.items()}
    for name in ("timeout", "trial_timeout"):
        found[name] = seconds(found[name]) if found[name] else None
    objective = properties["objective"]
    return {
        **_ports(properties),
        "trial": _without_nothing(_task(properties["trial"])),
        "search_space": {
            name: distribution(each) for name, each in properties["searchSpace"].items()
        },
        "sampling_algorithm": _named(algorithm, SAMPLING),
        "objective": {
            "goal": str(objective["goal"]).lower(),
            "primary_metric": objective["primaryMetric"],
        },
        "limits": _without_nothing(found),
        "early_termination": _named(policy, POLICY) if policy else None,
    }


def distribution(value: list[Any]) -> Spec:
    """Return `{type: uniform, min_value: ...}` for REST's `["uniform", [0, 1]]`."""
    kind, arguments = value
    if kind not in ARGUMENTS:
        raise ValueError(f"`{kind}` is not a distribution")
    return {"type": kind, **dict(zip(ARGUMENTS[kind], arguments, strict=False))}


def _pipeline(properties: Mapping[str, Any]) -> Spec:
    settings = shortened(properties.get("settings") or {})
    return {
        **_ports(properties),
        "settings": {key: each for key, each in settings.items() if not key.startswith("_")},
        "jobs": {name: step(node) for name, node in (properties.get("jobs") or {}).items()},
    }


def step(node: Mapping[str, Any]) -> Spec:
    """Return one step of a pipeline, as YAML has it."""
    found = {
        key: shortened(each)
        for key, each in node.items()
        if key not in {"name", "componentId", "computeId", "inputs", "outputs", "_source", "id"}
        and not key.startswith("_")
    }
    kind = node.get("type")
    trial = node.get("trial")
    component = node.get("componentId") or (trial or {}).get("componentId")
    if component:
        found["trial" if kind == "sweep" else "component"] = short(str(component))
    if kind == "parallel" and "mini_batch_size" in found:
        found["mini_batch_size"] = str(found["mini_batch_size"])
    if node.get("computeId"):
        found["compute"] = short(str(node["computeId"]))
    found["inputs"] = {name: _bound(each) for name, each in (node.get("inputs") or {}).items()}
    found["outputs"] = {name: _bound(each) for name, each in (node.get("outputs") or {}).items()}
    return _without_nothing(found)


def _bound(port: Any) -> Any:
    """Return a step's port. The SDK writes those of steps partly in snake case."""
    if not isinstance(port, Mapping):
        return port
    if "value" in port and "uri" not in port:
        value = port["value"]
        if port.get("mode") and isinstance(value, str) and "${{" in value:
            return {"path": value, "mode": _mode(port["mode"])}
        return value
    return _port({_camel(key): each for key, each in port.items()})


# Inputs and outputs.


def _ports(properties: Mapping[str, Any]) -> Spec:
    return {
        "inputs": {k: _port(v) for k, v in (properties.get("inputs") or {}).items()},
        "outputs": {
            k: _port(v) for k, v in (properties.get("outputs") or {}).items() if k != "default"
        },
    }


def _port(port: Mapping[str, Any] | None) -> Any:
    if port is None:
        return {}
    kind = port.get("jobInputType") or port.get("jobOutputType") or port.get("type")
    if str(kind).lower() == "literal" or ("value" in port and "uri" not in port):
        return literal(port.get("value"))
    found = {
        "type": kind,
        "path": short(str(port["uri"])) if port.get("uri") else None,
        "mode": _mode(port.get("mode")),
        "name": port.get("assetName"),
        "version": port.get("assetVersion"),
    }
    return _without_nothing(found)


def literal(value: Any) -> Any:
    """Return a literal as YAML would read it: the SDK sends `0.1` and `true` as text."""
    if not isinstance(value, str):
        return value
    if value in {"True", "False", "true", "false"}:
        return value.lower() == "true"
    for pattern, read in _LITERALS:
        if re.fullmatch(pattern, value):
            return read(value)
    return value


_LITERALS: tuple[tuple[str, Callable[[str], Any]], ...] = (
    (r"-?(0|[1-9]\d*)", int),
    (r"-?\d+\.\d*(e[+-]?\d+)?|-?\d+e[+-]?\d+", float),
)


def _mode(mode: Any) -> str | None:
    return MODES.get(str(mode), str(mode)) if mode else None


# Small things.


def seconds(duration: Any) -> int:
    """Return the seconds of an ISO 8601 duration such as `PT1H30M`. Raises: ValueError."""
    found = re.fullmatch(
        r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?", str(duration)
    )
    if found is None:
        raise ValueError(f"`{duration}` is not a duration")
    days, hours, minutes, rest = (int(each or 0) for each in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def _copied(properties: Mapping[str, Any], names: tuple[str, ...]) -> Spec:
    return {_RENAMED.get(key) or _snake(key): shortened(properties.get(key)) for key in names}


def _named(values: Mapping[str, Any], names: Mapping[str, str]) -> Spec:
    found = {ours: values[key] for key, ours in names.items() if values.get(key) is not None}
    found["type"] = _snake(str(found["type"]))
    return found


def _without_nothing(values: Mapping[str, Any]) -> Spec:
    return {key: each for key, each in values.items() if each is not None and each != {}}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
