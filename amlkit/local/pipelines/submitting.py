"""A pipeline on its way in: planned and written down; finished at once if nothing has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from amlkit.light import dataclass, replace
from amlkit.local.catalogue import JobRow
from amlkit.local.catalogue.database import now
from amlkit.local.drafts import Draft
from amlkit.local.pipelines import planning, rows, selection
from amlkit.local.pipelines.plans import PipelinePlan, job_of
from amlkit.local.pipelines.reuse import Made
from amlkit.local.pipelines.reusing import Decision, Memory, stand_in
from amlkit.records import Status

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace
    from amlkit.workspace import Submission


def draft(workspace: LocalWorkspace, submission: Submission, row: JobRow, dry: bool) -> Draft:
    """Return the rows of a pipeline and its steps. Raises: NotFound, NotSupported, UsageError."""
    planned = planning.plan(workspace, submission, dry=dry)
    plan = replace(planned.plan, line=f"{row.experiment}:{planned.plan.line}")
    planned = replace(planned, plan=plan)
    if submission.only or submission.from_step is not None:
        planned = selection.select(workspace, submission, planned)
    top = replace(row, plan=planned.plan.as_json())
    links = [(row.name, port, asset) for port, asset in planned.links]
    for path, step in planned.steps.items():
        links += [(job_of(row.name, path), port, asset) for port, asset in step.links]
    written = (top, *rows.children(top, planned))
    return PipelineDraft(written, tuple(links), planned.notes, planned)


@dataclass(frozen=True)
class PipelineDraft(Draft):
    """A pipeline that is about to be written down."""

    planned: planning.Planned | None = None

    def finish(self, workspace: LocalWorkspace) -> bool:
        """Finish the pipeline when an earlier run stands for every step: no process is needed."""
        assert self.planned is not None
        name = self.rows[0].name
        plan = self.planned.plan
        decisions = self._decide(workspace, name, plan)
        if decisions is None:
            return False
        table = workspace.job_table
        memory = Memory(workspace, plan.line)
        log = workspace.folder.log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as handle:
            for path, decision in decisions.items():
                stand_in(table, job_of(name, path), decision)
                memory.note_last(path, job_of(name, path))
                handle.write(f"{now()} {path}: reused ({decision.why})\n")
        for group in plan.groups:
            table.advance(job_of(name, group), Status.COMPLETED)
        table.advance(name, Status.COMPLETED, started_at=now())
        return True

    def _decide(
        self, workspace: LocalWorkspace, name: str, plan: PipelinePlan
    ) -> Mapping[str, Decision] | None:
        """Return a decision for every step, or None as soon as one has to run."""
        assert self.planned is not None
        memory = Memory(workspace, plan.line, plan.force_rerun, plan.forced)
        stands: dict[str, str] = dict(plan.given)
        decisions: dict[str, Decision] = {}
        waits = plan.waits()
        left = list(plan.steps)
        while left:
            step = next((each for each in left if waits[each.path] <= decisions.keys()), None)
            if step is None:
                return None
            made = {}
            for port, source in step.bound.items():
                owner = stands[source.step]
                made[port] = Made(owner, source.port, memory.places(owner)[source.port])
            decision = memory.decide(step, self.planned.steps[step.path].work, made)
            if decision.reused is None:
                return None
            decisions[step.path] = decision
            stands[step.path] = decision.reused
            left.remove(step)
        return decisions
