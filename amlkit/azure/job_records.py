"""Jobs and runs as Azure describes them, turned into amlkit's records."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amlkit.azure.names import asset_reference, created_at, created_by, instant, last, snake, texts
from amlkit.records import JSON, Job, Status

# Words of Azure's that are not in the YAML reference; each stands for the nearest that is.
_STATUSES = {
    "Starting": Status.PREPARING,
    "Provisioning": Status.PREPARING,
    "Scheduled": Status.QUEUED,
    "Paused": Status.QUEUED,
    "NotResponding": Status.RUNNING,
    "Unapproved": Status.NOT_STARTED,
    "Unknown": Status.NOT_STARTED,
    "Cancelled": Status.CANCELED,
}
_RUN_TYPES = {"azureml.PipelineRun": "pipeline", "hyperdrive": "sweep", "azureml.sweep": "sweep"}


def status_of(word: object) -> Status:
    """Return Azure's word as one of the reference's."""
    text = str(word or "Unknown")
    known = {each.value.lower(): each for each in Status}
    return known.get(text.lower()) or _STATUSES.get(text, Status.NOT_STARTED)


def of_job(resource: Mapping[str, Any]) -> Job:
    """Return a job from Azure Resource Manager's description; its run says more."""
    properties = resource["properties"]
    inner = texts(properties.get("properties"))
    name = str(resource["name"])
    return Job(
        name=name,
        type=snake(str(properties["jobType"])),
        status=status_of(properties.get("status")),
        display_name=str(properties.get("displayName") or name),
        experiment_name=str(properties.get("experimentName") or "Default"),
        description=properties.get("description"),
        compute=_compute(properties),
        inputs={key: _input(each) for key, each in (properties.get("inputs") or {}).items()},
        outputs={
            key: _output(each)
            for key, each in (properties.get("outputs") or {}).items()
            if key != "default"
        },
        tags=texts(properties.get("tags")),
        properties=inner,
        spec=_spec(properties),
        created_at=created_at(resource),
        created_by=created_by(resource),
        started_at=instant(inner.get("StartTimeUtc")),
        ended_at=instant(inner.get("EndTimeUtc")),
        archived=bool(properties.get("isArchived")),
        best_trial=_best(inner),
        services={
            key: each.get("endpoint")
            for key, each in (properties.get("services") or {}).items()
            if isinstance(each, Mapping)
        },
    )


def of_run(run: Mapping[str, Any], parent: str | None) -> Job:
    """Return a job from its run in the run history, such as a trial or a step."""
    name = str(run["runId"])
    properties = texts(run.get("properties"))
    if properties.get("azureml.isreused", "").lower() == "true":
        properties["reused_job_id"] = properties.get("azureml.reusedrunid", "")
    author = run.get("createdBy") or {}
    return Job(
        name=name,
        type=_RUN_TYPES.get(str(run.get("runType")), "command"),
        status=status_of(run.get("status")),
        display_name=str(run.get("displayName") or name),
        experiment_name=str(run.get("experimentName") or ""),
        description=run.get("description"),
        parent=run.get("parentRunId") or parent,
        root=run.get("rootRunId"),
        compute=run.get("target") or None,
        parameters=parameters_of(run),
        tags=texts(run.get("tags")),
        properties=properties,
        created_at=instant(run.get("createdUtc")) or "",
        created_by=str(author.get("userName") or "") if isinstance(author, Mapping) else "",
        started_at=instant(run.get("startTimeUtc")),
        ended_at=instant(run.get("endTimeUtc")),
        error=error_of(run),
        archived=bool(run.get("hidden")),
        best_trial=_best(properties),
    )


def tree(steps: Sequence[Job], below: Callable[[Job], Sequence[Job]]) -> dict[str, JSON]:
    """Return a pipeline's steps by name: where each stands; `below` gives a pipeline's own."""
    shown: dict[str, JSON] = {}
    for each in steps:
        step: dict[str, JSON] = {
            "name": each.name,
            "type": each.type,
            "status": each.status.value,
            "duration_seconds": each.duration_seconds,
        }
        if reused := each.properties.get("reused_job_id"):
            step["reused_from"] = reused
        if each.error:
            step["error"] = each.error
        if each.type == "pipeline":
            step["jobs"] = tree(below(each), below)
        shown[each.display_name] = step
    return shown


def parameters_of(run: Mapping[str, Any]) -> dict[str, JSON]:
    """Return what a sweep gave to a trial: a tag of its run, as JSON."""
    text = (run.get("tags") or {}).get("hyperparameters")
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return {str(key).lstrip("-"): value for key, value in found.items()}


def error_of(run: Mapping[str, Any]) -> str | None:
    """Return why a run failed, in one line."""
    error = run.get("error") or {}
    inner = error.get("error") if isinstance(error, Mapping) else None
    message = (inner or {}).get("message") if isinstance(inner, Mapping) else None
    return " ".join(str(message).split()) if message else None


def _compute(properties: Mapping[str, Any]) -> str | None:
    settings = properties.get("settings") or {}
    found = properties.get("computeId") or settings.get("default_compute")
    return last(found)


def _input(port: Mapping[str, Any]) -> JSON:
    if port.get("jobInputType") == "literal":
        value: JSON = port.get("value")
        return value
    shown: dict[str, JSON] = {"type": port.get("jobInputType")}
    if uri := port.get("uri"):
        shown["path"] = asset_reference(str(uri))
    if mode := port.get("mode"):
        shown["mode"] = _mode(str(mode))
    return shown


def _output(port: Mapping[str, Any]) -> JSON:
    shown: dict[str, JSON] = {"type": port.get("jobOutputType")}
    for ours, theirs in (("path", "uri"), ("name", "assetName"), ("version", "assetVersion")):
        if port.get(theirs):
            shown[ours] = port[theirs]
    if mode := port.get("mode"):
        shown["mode"] = _mode(str(mode))
    return shown


def _mode(word: str) -> str:
    known = {"ReadOnlyMount": "ro_mount", "ReadWriteMount": "rw_mount"}
    return known.get(word, snake(word))


def _spec(properties: Mapping[str, Any]) -> dict[str, JSON]:
    """Return the fields of the YAML reference that other verbs read."""
    spec: dict[str, JSON] = {"type": snake(str(properties["jobType"]))}
    if command := properties.get("command"):
        spec["command"] = command
    if environment := properties.get("environmentId"):
        spec["environment"] = asset_reference(str(environment))
    if objective := properties.get("objective"):
        spec["objective"] = {
            "goal": str(objective.get("goal")).lower(),
            "primary_metric": objective.get("primaryMetric"),
        }
        spec["search_space"] = properties.get("searchSpace")
        trial = properties.get("trial") or {}
        spec["trial"] = {"command": trial.get("command")}
    if steps := properties.get("jobs"):
        spec["jobs"] = {name: dict(step) for name, step in steps.items()}
    return spec


def _best(properties: Mapping[str, str]) -> Mapping[str, JSON] | None:
    name = properties.get("best_child_run_id")
    if not name:
        return None
    try:
        score: float | None = float(properties["score"])
    except (KeyError, ValueError):
        score = None
    return {"name": name, "objective": score, "parameters": {}, "metrics": {}}
