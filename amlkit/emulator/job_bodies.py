"""Jobs of the workspace to ARM bodies: pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlkit.emulator.job_specs import ARGUMENTS, MODES, POLICY, SAMPLING, SWEEP_LIMITS
from amlkit.emulator.names import Scope
from amlkit.records import Job

_REST_MODES = {ours: theirs for theirs, ours in MODES.items()}
_TYPES = {"command": "Command", "sweep": "Sweep", "pipeline": "Pipeline"}


def body(
    job: Job, scope: Scope, given: Mapping[str, Any] | None, *, services: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a job's properties: as they were sent, or else from its spec; with where it stands.

    given: the body that the SDK sent, where it was the SDK.
    """
    own = dict(given) if given is not None else from_spec(job, scope)
    own.pop("provisioningState", None)
    properties = {**(own.get("properties") or {}), **job.properties}
    return {
        **own,
        "displayName": own.get("displayName") or job.display_name,
        "experimentName": job.experiment_name,
        "description": own.get("description") or job.description,
        "status": job.status.value,
        "tags": dict(job.tags),
        "properties": {key: str(value) for key, value in properties.items()},
        "isArchived": job.archived,
        "services": dict(services),
        "parentJobName": job.parent,
    }


def from_spec(job: Job, scope: Scope) -> dict[str, Any]:
    """Return what the SDK would have sent for a job that it did not send."""
    spec: Mapping[str, Any] = job.spec
    kind = _TYPES.get(job.type, "Command")
    common = {
        "jobType": kind,
        "computeId": scope.of("computes", (job.compute or "local").removeprefix("azureml:")),
        "inputs": {name: _input(each) for name, each in job.inputs.items()},
        "outputs": {name: _output(each) for name, each in job.outputs.items()},
    }
    if kind == "Pipeline":
        return {**common, "jobs": {}, "settings": dict(spec.get("settings") or {})}
    if kind == "Sweep":
        return {**common, **_sweep(spec, scope)}
    return {**common, **_task(spec, scope)}


def _sweep(spec: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    algorithm = spec.get("sampling_algorithm") or "random"
    policy = spec.get("early_termination")
    space = spec.get("search_space") or {}
    objective = spec.get("objective") or {}
    return {
        "trial": _task(spec.get("trial") or {}, scope),
        "searchSpace": {name: _distribution(each) for name, each in space.items()},
        "samplingAlgorithm": _named(
            algorithm if isinstance(algorithm, Mapping) else {"type": algorithm}, SAMPLING
        ),
        "earlyTermination": _named(policy, POLICY) if isinstance(policy, Mapping) else None,
        "objective": {
            "goal": str(objective.get("goal", "maximize")).capitalize(),
            "primaryMetric": objective.get("primary_metric"),
        },
        "limits": {
            "jobLimitsType": "Sweep",
            **{
                theirs: _limit(ours, (spec.get("limits") or {})[ours])
                for theirs, ours in SWEEP_LIMITS.items()
                if (spec.get("limits") or {}).get(ours) is not None
            },
        },
    }


def _limit(name: str, value: Any) -> Any:
    return f"PT{value}S" if name.endswith("timeout") else value


def _named(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return fields under their REST names, and a type such as `grid` as `Grid`."""
    found = {theirs: values[ours] for theirs, ours in names.items() if ours in values}
    kind = next(theirs for theirs, ours in names.items() if ours == "type")
    words = str(values.get("type")).split("_")
    return {**found, kind: "".join(each.capitalize() for each in words)}


def _task(spec: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    environment = spec.get("environment")
    named = environment if isinstance(environment, str) else "azureml:inline:1"
    variables = spec.get("environment_variables") or {}
    return {
        "command": spec.get("command") or "(a step or trial of its parent)",
        "environmentId": scope.asset("environments", named),
        "environmentVariables": {key: str(value) for key, value in variables.items()},
        "resources": {"instanceCount": 1},
    }


def _distribution(value: Mapping[str, Any]) -> list[Any]:
    kind = str(value.get("type"))
    return [kind, [value[each] for each in ARGUMENTS.get(kind, ()) if each in value]]


def _input(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping) and value.get("path"):
        kind = value.get("type") or "uri_folder"
        mode = _REST_MODES.get(str(value.get("mode") or "ro_mount"), "ReadOnlyMount")
        return {"jobInputType": kind, "uri": str(value["path"]), "mode": mode}
    plain = value.get("value") if isinstance(value, Mapping) else value
    return {"jobInputType": "literal", "value": str(plain)}


def _output(value: Any) -> dict[str, Any]:
    found = value if isinstance(value, Mapping) else {}
    mode = _REST_MODES.get(str(found.get("mode") or "rw_mount"), "ReadWriteMount")
    return {"jobOutputType": found.get("type") or "uri_folder", "mode": mode}
