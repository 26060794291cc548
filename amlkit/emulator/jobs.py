"""Routes of jobs: what is submitted runs in the workspace."""

from __future__ import annotations

from typing import Any

from amlkit.emulator.context import Context, resource
from amlkit.emulator.job_bodies import body, from_spec
from amlkit.emulator.job_specs import job_spec
from amlkit.emulator.messages import Refused, Reply, Request, page
from amlkit.emulator.names import Scope
from amlkit.emulator.places import Places
from amlkit.errors import NotFound
from amlkit.light import replace
from amlkit.records import Job


def answer(context: Context, scope: Scope, request: Request, rest: list[str]) -> Reply:
    """Answer for all jobs, or one."""
    jobs = context.workspace.jobs
    match [request.method, *rest]:
        case ["GET"]:
            view = request.query.get("listViewType", "ActiveOnly")
            found = jobs.list(archived=view != "ActiveOnly")
            chosen = [each for each in found if view != "ArchivedOnly" or each.archived]
            return page([job_body(context, scope, each) for each in chosen])
        case ["GET", name]:
            return Reply(200, job_body(context, scope, jobs.show(name)))
        case ["PUT", name]:
            return submit(context, scope, request.properties(), name)
        case ["POST", name, "cancel"]:
            context.workspace.backend.jobs.cancel(name)
            done = f"{context.url}{scope.of('jobs', name, 'canceled')}?api-version=x"
            return Reply(202, None, {"Location": done, "Retry-After": "1"})
        case ["GET", name, "canceled"]:
            return Reply(200 if jobs.show(name).status.final else 202, None, {"Retry-After": "1"})
        case ["DELETE", name]:
            # Jobs are kept here: it leaves the lists, which is what a script can see.
            jobs.archive(name)
            return Reply(200)
    raise Refused(405, "MethodNotAllowed", f"{request.method} is not served for jobs")


def submit(context: Context, scope: Scope, properties: dict[str, Any], name: str) -> Reply:
    """Start a job, or note what changed of one that is there."""
    jobs = context.workspace.jobs
    try:
        known = jobs.show(name)
    except NotFound:
        known = None
    if known is not None:
        if given := context.area.resource("jobs", name):
            same = {key: given.get(key) == properties.get(key) for key in ("command", "jobs")}
            if all(same.values()):
                return update(context, scope, known, properties)
        raise Refused(409, "Conflict", f"a job is already called `{name}`")
    spec = job_spec(properties)
    job = jobs.submit(
        spec, name=name, current_python=context.current_python, lenient=True, allow_secrets=True
    )
    context.area.keep("jobs", name, properties)
    return Reply(201, job_body(context, scope, job))


def update(context: Context, scope: Scope, job: Job, changes: dict[str, Any]) -> Reply:
    """Change a job's tags, its names, or whether it is archived."""
    jobs = context.workspace.jobs
    if tags := changes.get("tags"):
        jobs.tag(job.name, {key: str(value) for key, value in tags.items()})
    hidden = changes.get("hidden", changes.get("isArchived"))
    if hidden is not None and bool(hidden) != job.archived:
        jobs.archive(job.name, archived=bool(hidden))
    shown = {key: changes[key] for key in ("displayName", "description") if changes.get(key)}
    if shown:
        given = context.area.resource("jobs", job.name) or {}
        context.area.keep("jobs", job.name, {**given, **shown})
    return Reply(200, job_body(context, scope, jobs.show(job.name)))


def job_body(context: Context, scope: Scope, job: Job) -> dict[str, Any]:
    """Return a job as Resource Manager shows it."""
    given = context.area.resource("jobs", job.name)
    job = replace(job, outputs=Places(context).outputs(job))
    if given is not None and "jobType" not in given:
        given = {**from_spec(job, scope), **given}
    services = {
        "Studio": {
            "jobServiceType": "Studio",
            # The SDK appends `&tid=...`.
            "endpoint": f"{context.url}/runs/{job.name}?wsid={scope.id}",
        },
        "Tracking": {
            "jobServiceType": "Tracking",
            "endpoint": f"azureml://localhost:{context.port}/mlflow/v1.0{scope.id}",
        },
    }
    properties = body(job, scope, given, services=services)
    return resource(scope, ("jobs", job.name), properties, (job.created_at, job.created_by))
