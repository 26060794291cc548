"""Where each step of a pipeline stands, nested pipelines within."""

from __future__ import annotations

from collections.abc import Iterable

from amlkit.records import JSON, Job


def tree(pipeline: Job, family: Iterable[Job]) -> dict[str, JSON]:
    """Return the steps of a pipeline by name. family: every job below it, in their order."""
    below: dict[str, list[Job]] = {}
    for each in family:
        below.setdefault(each.parent or "", []).append(each)
    return _branch(pipeline, below)


def _branch(job: Job, below: dict[str, list[Job]]) -> dict[str, JSON]:
    prefix = len(job.name) + 1
    return {each.name[prefix:]: _summary(each, below) for each in below.get(job.name, ())}


def _summary(job: Job, below: dict[str, list[Job]]) -> dict[str, JSON]:
    found: dict[str, JSON] = {
        "name": job.name,
        "type": job.type,
        "status": job.status.value,
        "duration_seconds": job.duration_seconds,
    }
    if job.error:
        found["error"] = job.error
    if (reused := job.properties.get("reused_job_id")) is not None:
        found["reused_from"] = reused
    if job.type == "pipeline":
        found["jobs"] = _branch(job, below)
    return found
