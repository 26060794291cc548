"""Earlier runs of steps, as the catalogue remembers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.light import dataclass
from amlkit.local import job_outputs, outgoing
from amlkit.local.catalogue import JobTable
from amlkit.local.catalogue.database import now
from amlkit.local.declared_outputs import STORAGE
from amlkit.local.job_outputs import Written
from amlkit.local.pipelines import reuse
from amlkit.local.pipelines.plans import StepPlan, Work
from amlkit.local.pipelines.reuse import Made
from amlkit.local.plans import CommandPlan, OutputPlan, SweepPlan
from amlkit.records import JSON, Status

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace


@dataclass(frozen=True)
class Decision:
    """Whether a step is run, and from what that was decided.

    reused: the job of the earlier run, or None. why: one sentence. last: the last run of this
    step in an earlier run of the pipeline, to compare with.
    """

    key: str
    parts: Mapping[str, JSON]
    why: str
    reused: str | None = None
    last: str | None = None

    def as_json(self) -> dict[str, JSON]:
        """Return what the step's row keeps, for `job why`."""
        return {
            "key": self.key,
            "parts": dict(self.parts),
            "why": self.why,
            "reused": self.reused,
            "last": self.last,
        }


@dataclass
class Memory:
    """What earlier runs left, and what this one adds.

    pipeline: what its runs have in common (experiment and display name).
    """

    workspace: LocalWorkspace
    pipeline: str
    force_rerun: bool = False
    forced: Sequence[str] = ()

    def decide(self, step: StepPlan, work: Work, made: Mapping[str, Made]) -> Decision:
        """Return whether a step has to run."""
        parts = reuse.parts(step, work, made)
        key = reuse.key(parts)
        last = self._last(step.path)
        if not step.deterministic:
            return Decision(key, parts, "its component says `is_deterministic: false`", last=last)
        if self.force_rerun:
            return Decision(key, parts, "`force_rerun` is set", last=last)
        if step.path in self.forced:
            return Decision(key, parts, "it was asked for by name", last=last)
        found = self.workspace.job_table.recall(key)
        if found is None:
            why = "something it runs on has changed" if last else "it has not run before"
            return Decision(key, parts, why, last=last)
        job, outputs = found
        if (changed := self._changed(job, outputs)) is not None:
            return Decision(key, parts, changed, last=last)
        return Decision(key, parts, f"nothing has changed since `{job}`", reused=job, last=last)

    def _last(self, path: str) -> str | None:
        found = self.workspace.job_table.recall(self._line(path))
        return found[0] if found is not None else None

    def _line(self, path: str) -> str:
        return f"last:{self.pipeline}:{path}"

    def _changed(self, job: str, outputs: Mapping[str, JSON]) -> str | None:
        """Return what is no longer as that job left it, or None."""
        table = self.workspace.job_table
        if not table.exists(job) or table.get(job).status is not Status.COMPLETED:
            return f"`{job}`, which ran the same before, did not complete"
        written = self._written(job)
        for port, was in outputs.items():
            place = written.get(port)
            now = self._seen(place) if place is not None else None
            if now != was:
                how = "deleted" if now is None else "changed"
                if place is not None and place.uri is not None:
                    how = f"deleted or changed, here or in `{place.uri}`"
                return f"output `{port}` of `{job}` was {how}"
        return None

    def _seen(self, written: Written) -> str | None:
        """Return what an output looks like, here and in storage; None: it is not there."""
        here = reuse.fingerprint(written.place) if written.place is not None else ""
        if written.uri is None or here is None:
            return here
        there = outgoing.fingerprint(self.workspace, written.uri, written.place)
        return f"{here} {there}" if there is not None else None

    def places(self, job: str) -> Mapping[str, str]:
        """Return where the named outputs of a job are."""
        return {port: each.path for port, each in self._written(job).items()}

    def _written(self, job: str) -> Mapping[str, Written]:
        found = dict(job_outputs.written(self.workspace, self.workspace.job_table.get(job)))
        found.pop("default", None)
        return found

    def finish(self, job: str, work: Work) -> dict[str, JSON]:
        """Seal what a step has written, and return what each output looks like now."""
        declared = outputs_of(work)
        seen: dict[str, JSON] = {}
        for port, written in self._written(job).items():
            place = written.place
            own = port in declared and declared[port].path is None
            if own and place is not None and place.exists():
                reuse.seal(place)
            seen[port] = self._seen(written)
        return seen

    def remember(self, decision: Decision, job: str, outputs: Mapping[str, JSON]) -> None:
        """Let a step that has completed stand for others with the same content."""
        self.workspace.job_table.remember(decision.key, job, outputs)

    def note_last(self, step: str, job: str) -> None:
        """Note which job a step was last, to say later what has changed since."""
        self.workspace.job_table.remember(self._line(step), job, {})

    def intact(self, job: str, key: str) -> bool:
        """Whether a finished step's outputs are as it left them: a resumed pipeline keeps it."""
        found = self.workspace.job_table.recall(key)
        return found is None or found[0] != job or self._changed(*found) is None


def fill(work: Work, made: Mapping[str, Made]) -> Work:
    """Return what a step runs with its bound inputs filled in."""
    from amlkit.light import replace

    if isinstance(work, SweepPlan):
        filled = fill(work.trial, made)
        assert isinstance(filled, CommandPlan)
        return replace(work, trial=filled)
    inputs = {
        port: replace(each, uri=_uri(made[port].path)) if port in made else each
        for port, each in work.inputs.items()
    }
    return replace(work, inputs=inputs)


def _uri(path: str) -> str:
    return path if path.startswith(STORAGE) else Path(path).as_uri()


def outputs_of(work: Work) -> Mapping[str, OutputPlan]:
    """Return the outputs that a step declares."""
    return work.trial.outputs if isinstance(work, SweepPlan) else work.outputs


def stand_in(table: JobTable, name: str, decision: Decision) -> None:
    """Write down a step that an earlier run stands for."""
    moment = now()
    table.update(
        name,
        state=decision.as_json(),
        properties={"azureml.isreused": "true", "reused_job_id": decision.reused},
    )
    table.advance(name, Status.COMPLETED, started_at=moment, ended_at=moment, exit_code=0)
