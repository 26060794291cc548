"""Jobs of the workspace to ARM bodies: pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlkit.emulator.job_specs import MODES
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
        objective = spec.get("objective") or {}
        limits = spec.get("limits") or {}
        algorithm = spec.get("sampling_algorithm") or "random"
        name = algorithm.get("type") if isinstance(algorithm, Mapping) else algorithm
        return {
            **common,
            "trial": _task(spec.get("trial") or {}, scope),
            "searchSpace": {
                k: _distribution(v) for k, v in (spec.get("search_space") or {}).items()
            },
            "samplingAlgorithm": {"samplingAlgorithmType": str(name).capitalize()},
            "objective": {
                "goal": str(objective.get("goal", "maximize")).capitalize(),
                "primaryMetric": objective.get("primary_metric"),
            },
            "limits": {
                "jobLimitsType": "Sweep",
                "maxTotalTrials": limits.get("max_total_trials"),
                "maxConcurrentTrials": limits.get("max_concurrent_trials"),
            },
        }
    return {**common, **_task(spec, scope)}


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
    rest = [each for key, each in value.items() if key != "type"]
    return [value.get("type"), rest]


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
