"""A pipeline as it is first written down: a job for it, each step and each nested pipeline."""

from __future__ import annotations

from amlkit.local.catalogue import JobRow
from amlkit.local.pipelines.planning import Planned
from amlkit.local.pipelines.plans import job_of
from amlkit.local.pipelines.reusing import outputs_of


def children(pipeline: JobRow, planned: Planned) -> list[JobRow]:
    """Return the rows of everything below a pipeline's own row, in the order of the file."""
    paths = _in_order(planned)
    return [
        _group(pipeline, planned, path, number)
        if path in planned.plan.groups
        else _step(pipeline, planned, path, number)
        for number, path in enumerate(paths)
    ]


def _in_order(planned: Planned) -> list[str]:
    """Return groups and steps, each group before what it holds."""
    paths: dict[str, None] = {}
    for path in planned.steps:
        names = path.split("/")
        for depth in range(1, len(names) + 1):
            paths["/".join(names[:depth])] = None
    return list(paths)


def _parent(pipeline: JobRow, path: str) -> str:
    above, slash, _ = path.rpartition("/")
    return job_of(pipeline.name, above) if slash else pipeline.name


def _group(pipeline: JobRow, planned: Planned, path: str, number: int) -> JobRow:
    spec = planned.groups.get(path) or {}
    return JobRow(
        name=job_of(pipeline.name, path),
        type="pipeline",
        display_name=path.rpartition("/")[2],
        experiment=pipeline.experiment,
        parent=_parent(pipeline, path),
        root=pipeline.name,
        position=number,
        compute=pipeline.compute,
        inputs=spec.get("inputs") or {},
        spec=spec,
    )


def _step(pipeline: JobRow, planned: Planned, path: str, number: int) -> JobRow:
    step = planned.steps[path]
    return JobRow(
        name=job_of(pipeline.name, path),
        type=step.plan.type,
        display_name=step.display_name,
        experiment=pipeline.experiment,
        parent=_parent(pipeline, path),
        root=pipeline.name,
        position=number,
        compute=pipeline.compute,
        inputs=step.inputs,
        outputs={port: {"type": each.type} for port, each in outputs_of(step.work).items()},
        spec=step.spec,
        plan=step.work.as_json(),
    )
