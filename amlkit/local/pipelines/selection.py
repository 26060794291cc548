"""`--only` and `--from`: some steps of a pipeline, on what an earlier run left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from amlkit.errors import NotFound, did_you_mean
from amlkit.light import replace
from amlkit.local.pipelines.planning import Planned
from amlkit.local.pipelines.plans import PipelinePlan, job_of
from amlkit.records import Status

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace
    from amlkit.workspace import Submission


def select(workspace: LocalWorkspace, submission: Submission, planned: Planned) -> Planned:
    """Return the plan with the chosen steps only; an earlier run's jobs stand for the others.

    Raises: NotFound: no such step, or no earlier run has what the chosen ones need.
    """
    chosen = _chosen(submission, planned.plan)
    needed = {
        source.step
        for step in planned.plan.steps
        if step.path in chosen
        for source in step.bound.values()
        if source.step not in chosen
    }
    given = _earlier(workspace, submission, planned.plan, needed) if needed else {}
    steps = tuple(step for step in planned.plan.steps if step.path in chosen)
    outputs = {
        port: source
        for port, source in planned.plan.outputs.items()
        if source.step in chosen or source.step in given
    }
    groups = tuple(
        group
        for group in planned.plan.groups
        if any(step.path.startswith(f"{group}/") for step in steps)
    )
    names = submission.only or (submission.from_step or "",)
    forced = tuple(path for name in names for path in _named(name, sorted(planned.steps)))
    plan = replace(
        planned.plan, steps=steps, given=given, forced=forced, outputs=outputs, groups=groups
    )
    kept = {path: step for path, step in planned.steps.items() if path in chosen}
    return replace(planned, plan=plan, steps=kept)


def _chosen(submission: Submission, plan: PipelinePlan) -> set[str]:
    paths = [step.path for step in plan.steps]
    if submission.from_step is None:
        return {path for name in submission.only for path in _named(name, paths)}
    chosen = set(_named(submission.from_step, paths))
    waits = plan.waits()
    while more := {path for path, on in waits.items() if path not in chosen and on & chosen}:
        chosen |= more
    return chosen


def _named(name: str, paths: list[str]) -> list[str]:
    """Return the step of that name, or all of the nested pipeline of that name."""
    found = [path for path in paths if path == name or path.startswith(f"{name}/")]
    if not found:
        close = did_you_mean(name, paths)
        known = ", ".join(f"`{path}`" for path in paths)
        raise NotFound(
            f"the pipeline has no step `{name}`",
            hint=f"did you mean `{close}`?" if close else f"it has {known}",
        )
    return found


def _earlier(
    workspace: LocalWorkspace, submission: Submission, plan: PipelinePlan, needed: set[str]
) -> Mapping[str, str]:
    """Return the job that stands for each needed step."""
    from amlkit.workspace import JobFilter

    table = workspace.job_table
    if submission.reuse_from is not None:
        candidates = [table.get(submission.reuse_from)]
    else:
        candidates = [job for job in table.list(JobFilter()) if job.type == "pipeline"]
    for job in candidates:
        if submission.reuse_from is None and table.plan(job.name).get("line") != plan.line:
            continue
        found = {path: _completed(workspace, job.name, path) for path in sorted(needed)}
        if all(found.values()):
            return {path: name for path, name in found.items() if name is not None}
    names = ", ".join(f"`{path}`" for path in sorted(needed))
    if submission.reuse_from is not None:
        raise NotFound(f"job `{submission.reuse_from}` has not completed {names}")
    raise NotFound(
        f"no earlier run of this pipeline has completed {names}",
        hint="run all of it once, or name a run with --reuse-from",
    )


def _completed(workspace: LocalWorkspace, pipeline: str, path: str) -> str | None:
    table = workspace.job_table
    given = table.plan(pipeline).get("given") or {}
    name = str(given.get(path) or job_of(pipeline, path))
    if not table.exists(name):
        return None
    job = table.get(name)
    if job.status is not Status.COMPLETED:
        return None
    return job.properties.get("reused_job_id", name)
