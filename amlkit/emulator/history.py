"""Run history and the data plane beside it: what `jobs.stream`, `download` and children read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from amlkit.emulator import jobs as job_routes
from amlkit.emulator.context import Context
from amlkit.emulator.messages import Refused, Reply, Request, page
from amlkit.emulator.names import SCOPE, Scope, short
from amlkit.emulator.places import ARTIFACTS, Places
from amlkit.errors import NotFound
from amlkit.records import Job, Status

_OUTPUT = re.compile(r"/data/azureml_(?P<job>.+)_output_data_(?P<output>[^/]+)/versions/")
_ASSET = re.compile(r"/data/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$")
_RUN_TYPES = {"command": "commandjob", "sweep": "HyperDrive", "pipeline": "azureml.PipelineRun"}


def answer(context: Context, request: Request) -> Reply:
    """Answer `/history/v1.0/subscriptions/...` and its neighbours."""
    plane, _, path = request.path.removeprefix("/").partition("/v1.0")
    found = SCOPE.match(path)
    if found is None:
        raise Refused(404, "NotFound", f"nothing is served at `{request.path}`")
    scope = Scope(found["id"], found["subscription"], found["group"], found["name"])
    rest = (found["rest"] or "").strip("/").split("/")
    jobs = context.workspace.jobs
    match [request.method, plane, *rest]:
        case ["GET", "history", "runs", name, "details"]:
            return Reply(200, _followed(context, request, jobs.show(name)))
        case ["GET", "history", "runs", name, "children"]:
            return page([run(each) for each in jobs.list(parent=name, archived=True)])
        case ["GET", "history", "runs", name]:
            return Reply(200, run(jobs.show(name)))
        case ["GET", "history", "runs", name, "serviceinstances", _]:
            jobs.show(name)
            return Reply(200, {"instances": {}})
        case ["POST", "history", "rundata"]:
            return Reply(200, _run_data(context, jobs.show(str(request.json().get("runId")))))
        case ["PATCH" | "POST", "history", "experiments", _, "runs", name]:
            job_routes.update(context, scope, jobs.show(name), request.json())
            return Reply(200, run(jobs.show(name)))
        case ["POST", "data", _, "batchGetResolvedUris"]:
            wanted = request.json().get("values") or []
            values = {each: _resolved(context, scope, str(each)) for each in wanted}
            return Reply(200, {"values": {k: v for k, v in values.items() if v is not None}})
    raise Refused(404, "NotFound", f"nothing is served at `{request.path}`")


def run(job: Job) -> dict[str, Any]:
    """Return a run as run history shows it."""
    given = {"hyperparameters": json.dumps(dict(job.parameters))} if job.parameters else {}
    kind = "azureml.StepRun" if job.parent and job.type == "command" else _RUN_TYPES.get(job.type)
    return {
        "runId": job.name,
        "parentRunId": job.parent,
        "rootRunId": job.root or job.name,
        "experimentId": job.experiment_name,
        "experimentName": job.experiment_name,
        "description": job.description,
        "displayName": job.display_name,
        "status": job.status.value,
        "runType": kind,
        "createdUtc": job.created_at,
        "startTimeUtc": job.started_at,
        "endTimeUtc": job.ended_at,
        "tags": {**job.tags, **given},
        "properties": {"azureml.runsource": str(kind), **job.properties},
        "services": {},
        "hidden": job.archived,
        "error": {"error": {"code": "UserError", "message": job.error}} if job.error else None,
    }


def _followed(context: Context, request: Request, job: Job) -> dict[str, Any]:
    """Return a run; to the SDK, one that has just ended as about to end.

    `jobs.stream` prints the log of what it has seen in progress alone, and jobs here are often done
    before it looks for the first time.
    """
    found = details(context, job)
    first = job.name not in context.followed
    if request.headers.get("user-agent", "").startswith("amlkit"):
        return found
    context.followed.add(job.name)
    return {**found, "status": Status.FINALIZING.value} if first and job.status.final else found


def details(context: Context, job: Job) -> dict[str, Any]:
    """Return a run with its log files and, when it failed, why."""
    prefix = f"ExperimentRun/dcid.{job.name}/"
    logs = {
        name.removeprefix(prefix): context.blob_url(ARTIFACTS, name)
        for name in Places(context).logs(job)
    }
    return {
        **run(job),
        "target": job.compute or "local",
        "inputDatasets": [],
        "outputDatasets": [],
        "logFiles": logs,
        "submittedBy": job.created_by,
    }


def _run_data(context: Context, job: Job) -> dict[str, Any]:
    outputs = {
        name: {
            "assetId": "azureml://locations/local/workspaces/local/data"
            f"/azureml_{job.name}_output_data_{name}/versions/1",
            "type": _type(each),
        }
        for name, each in Places(context).outputs(job).items()
    }
    return {"runMetadata": {**run(job), "outputs": outputs}}


def _type(output: Any) -> str:
    """Return the type of an output; a model's is a folder's.

    azure-ai-ml 1.35 raises TypeError before it asks where the files of a model output are.
    """
    found = str((output.get("type") if isinstance(output, Mapping) else None) or "uri_folder")
    return "uri_folder" if found.endswith("_model") else found


def _resolved(context: Context, scope: Scope, asset: str) -> dict[str, str] | None:
    """Return where the files of an output or data asset are; None when there are none."""
    if found := _OUTPUT.search(asset):
        where = context.workspace.jobs.outputs(found["job"]).get(found["output"])
        if where is None:
            return None
        return {"uri": Places(context).uri(scope, where), "type": "UriFolder"}
    if found := _ASSET.search(asset):
        try:
            known = context.workspace.data.show(f"{found['name']}:{found['version']}")
        except NotFound:
            return None
        uri = short(str(known.spec.get("path", "")))
        name, _, path = uri.removeprefix("azureml://datastores/").partition("/paths/")
        return {"uri": scope.store_uri(name, path), "type": known.type or "UriFolder"}
    return None
