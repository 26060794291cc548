"""What runs logged, over the reading part of MLflow's REST API below the tracking URI."""

from __future__ import annotations

from typing import Any

from amlkit.emulator.context import Context
from amlkit.emulator.messages import Refused, Reply, Request
from amlkit.records import Job

PREFIX = "/mlflow/v1.0/"
_STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED"}


def answer(context: Context, request: Request) -> Reply:
    """Answer `runs/get` and `metrics/get-history`. Source: MLflow, "REST API"."""
    verb = request.path.partition("/api/2.0/mlflow/")[2]
    name = request.query.get("run_id") or request.query.get("run_uuid") or ""
    if request.method == "GET" and verb == "runs/get":
        return Reply(200, {"run": _run(context.workspace.jobs.show(name))})
    if request.method == "GET" and verb == "metrics/get-history":
        return Reply(200, {"metrics": _history(context, name, request.query.get("metric_key"))})
    raise Refused(404, "ENDPOINT_NOT_FOUND", f"`{verb}` of MLflow is not served by the emulator")


def _run(job: Job) -> dict[str, Any]:
    metrics = [{"key": key, "value": value} for key, value in job.metrics.items()]
    return {
        "info": {
            "run_id": job.name,
            "run_name": job.display_name,
            "experiment_id": job.experiment_name,
            "status": _STATUS.get(job.status.value, "RUNNING"),
        },
        "data": {
            "metrics": [{**each, "step": 0, "timestamp": 0} for each in metrics],
            "params": [{"key": k, "value": str(v)} for k, v in job.parameters.items()],
            "tags": [{"key": k, "value": v} for k, v in job.tags.items()],
        },
    }


def _history(context: Context, name: str, metric: str | None) -> list[dict[str, Any]]:
    points = context.workspace.backend.jobs.metrics(name).get(metric or "", ())
    return [
        {"key": each.key, "value": each.value, "step": each.step, "timestamp": each.timestamp_ms}
        for each in points
    ]
