"""The pipeline engine: each step starts as soon as what it waits for is there.

One thread decides; each running step has a thread that waits for it. What is decided stands in
the catalogue at once, so that a pipeline whose supervisor was killed goes on where it was.
"""

from __future__ import annotations

import heapq
import queue
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from amlkit.light import dataclass, replace
from amlkit.local.catalogue import JobTable
from amlkit.local.catalogue.database import now
from amlkit.local.computes import slots
from amlkit.local.pipelines.plans import PipelinePlan, StepPlan, Work, job_of, work_from_json
from amlkit.local.pipelines.reuse import Made
from amlkit.local.pipelines.reusing import Decision, Memory, fill, outputs_of, stand_in
from amlkit.local.plans import CommandPlan, SweepPlan
from amlkit.local.recipes import Recipe
from amlkit.local.runner import CommandRun, Crew, Outcome
from amlkit.local.sweep import Sweep
from amlkit.records import Job, MetricPoint, Status

LOG_TAIL_LINES = 40


@dataclass(frozen=True)
class Ended:
    """A step's thread has come to its end."""

    step: str
    outcome: Outcome


@dataclass(frozen=True)
class Stop:
    """The whole pipeline has to end."""

    status: Status
    reason: str


@dataclass
class Running:
    """A step while it runs. started: seconds of the monotonic clock."""

    plan: StepPlan
    decision: Decision
    work: Work
    run: CommandRun | Sweep
    started: float


class Pipeline:
    """A pipeline job."""

    def __init__(
        self, crew: Crew, job: Job, plan: PipelinePlan, prepare: Callable[[Recipe], Path]
    ) -> None:
        self._limit = slots()
        self._crew = replace(crew, concurrency=min(self._limit, plan.width()))
        self._job = job
        self._plan = plan
        self._prepare = prepare
        self._table = crew.workspace.job_table
        self._memory = Memory(crew.workspace, plan.line, plan.force_rerun, plan.forced)
        self._events: queue.SimpleQueue[Ended | Stop] = queue.SimpleQueue()
        self._steps = {step.path: step for step in plan.steps}
        self._order = {path: number for number, path in enumerate(self._steps)}
        self._waits = {path: set(on) for path, on in plan.waits().items()}
        self._followers: dict[str, list[str]] = {path: [] for path in self._steps}
        for path, on in self._waits.items():
            for each in on:
                self._followers[each].append(path)
        self._ready: list[int] = []
        self._done: dict[str, Status] = {}
        self._running: dict[str, Running] = {}
        self._failed: list[tuple[str, Outcome]] = []
        self._groups = _Groups(plan, self._table, job.name)
        self._stop: Stop | None = None
        self._log: TextIO

    def run(self) -> Outcome:
        """Run every step that can run, then say how the pipeline ended."""
        path = self._crew.workspace.folder.log(self._job.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors="replace", buffering=1) as self._log:
            self._table.advance(
                self._job.name, Status.RUNNING, started_at=self._job.started_at or now()
            )
            self._take_up()
            while self._start_ready() or self._running:
                self._handle(self._events.get())
            return self._outcome()

    def stop(self, status: Status, reason: str) -> None:
        """Stop every running step and start no other."""
        self._events.put(Stop(status, reason))

    def reported(self, run: str, points: list[MetricPoint]) -> None:
        """Pass on what the trials of a sweep step logged."""
        for path, running in list(self._running.items()):
            if isinstance(running.run, Sweep) and run.startswith(f"{self.name_of(path)}_"):
                running.run.reported(run, points)

    def name_of(self, path: str) -> str:
        """Return the name of a step's job."""
        return job_of(self._job.name, path)

    # Starting.

    def _take_up(self) -> None:
        """Keep what an interrupted run has finished; put back the rest."""
        kept = []
        for path in self._steps:
            name = self.name_of(path)
            job = self._table.get(name)
            if job.status is Status.COMPLETED:
                key = str(self._table.state(name).get("key") or "")
                if self._memory.intact(job.properties.get("reused_job_id", name), key):
                    kept.append(path)
                    continue
            if job.status.final:
                self._table.reopen(name)
        for path in self._steps:
            if not self._waits[path]:
                self._ready_now(path)
        for path in kept:
            self._done[path] = Status.COMPLETED
        self._ready = [each for each in self._ready if self._path(each) not in self._done]
        for path in kept:
            self._groups.ended(path, Status.COMPLETED)
            self._release(path)

    def _ready_now(self, path: str) -> None:
        heapq.heappush(self._ready, self._order[path])

    def _path(self, number: int) -> str:
        return self._plan.steps[number].path

    def _release(self, path: str) -> None:
        """Let the followers of a completed step know."""
        for each in self._followers[path]:
            self._waits[each].discard(path)
            if not self._waits[each] and each not in self._done and each not in self._running:
                self._ready_now(each)

    def _start_ready(self) -> bool:
        while self._ready and self._stop is None and len(self._running) < self._limit:
            path = self._path(heapq.heappop(self._ready))
            if path not in self._done:
                self._start(self._steps[path])
        return bool(self._running)

    def _start(self, step: StepPlan) -> None:
        name = self.name_of(step.path)
        work = work_from_json(step.type, self._table.plan(name))
        made = {port: self._made(source.step, source.port) for port, source in step.bound.items()}
        decision = self._memory.decide(step, work, made)
        self._memory.note_last(step.path, name)
        self._groups.started(step.path)
        if decision.reused is not None:
            self._reuse(step, decision)
            return
        work = fill(work, made)
        self._clear(name, work)
        self._table.update(name, plan=work.as_json(), state=decision.as_json(), properties={})
        self._table.advance(name, Status.PREPARING)
        run = self._open(name, step, work)
        self._running[step.path] = Running(step, decision, work, run, time.monotonic())
        self._say(f"{step.path}: started ({decision.why})")
        threading.Thread(target=self._work, args=(step, work, run), daemon=True).start()

    def _made(self, step: str, port: str) -> Made:
        """Return an output that is there; a reused step's is that of the job it stands for."""
        name = self._plan.given.get(step) or self.name_of(step)
        owner = self._table.get(name).properties.get("reused_job_id", name)
        return Made(owner, port, self._memory.places(owner)[port])

    def _clear(self, name: str, work: Work) -> None:
        """Remove what an interrupted run of the same step has left half done."""
        for port, each in outputs_of(work).items():
            place = each.place(self._crew.workspace.folder, name, port)
            if each.path is None and place.exists():
                shutil.rmtree(place) if place.is_dir() else place.unlink()
        if not isinstance(work, SweepPlan):
            self._crew.workspace.metric_table.clear(name)

    def _open(self, name: str, step: StepPlan, work: Work) -> CommandRun | Sweep:
        if isinstance(work, SweepPlan):
            return Sweep(self._crew, self._table.get(name), work, self._prepare)
        return CommandRun(
            self._crew, name, work, experiment=self._job.experiment_name, root=self._job.name
        )

    def _work(self, step: StepPlan, work: Work, run: CommandRun | Sweep) -> None:
        try:
            if isinstance(run, CommandRun):
                assert isinstance(work, CommandPlan)
                outcome = run.run(self._prepare(work.environment))
            else:
                outcome = run.run()
        except Exception as error:  # noqa: BLE001  a bug must end the step, not hang the pipeline
            message = getattr(error, "message", None)
            outcome = Outcome(Status.FAILED, error=message or f"amlkit failed: {error!r}")
        self._events.put(Ended(step.path, outcome))

    def _reuse(self, step: StepPlan, decision: Decision) -> None:
        name = self.name_of(step.path)
        stand_in(self._table, name, decision)
        self._say(f"{step.path}: reused ({decision.why})")
        self._done[step.path] = Status.COMPLETED
        self._groups.ended(step.path, Status.COMPLETED)
        self._release(step.path)

    # Deciding.

    def _handle(self, event: Ended | Stop) -> None:
        if isinstance(event, Stop):
            self._stop = self._stop or event
            for each in self._running.values():
                each.run.stop(Status.CANCELED, event.reason)
        else:
            self._end(event.step, event.outcome)

    def _end(self, path: str, outcome: Outcome) -> None:
        running = self._running.pop(path)
        name = self.name_of(path)
        seen = None
        if outcome.status is Status.COMPLETED:
            seen = self._memory.finish(name, running.work)
            self._memory.remember(running.decision, name, seen)
        self._table.advance(name, outcome.status, exit_code=outcome.exit_code, error=outcome.error)
        self._done[path] = outcome.status
        took = f"{time.monotonic() - running.started:.1f} s"
        self._say(f"{path}: {outcome.status} in {took}{_because(outcome)}")
        if outcome.status is Status.COMPLETED:
            self._groups.ended(path, outcome.status)
            self._release(path)
            return
        if outcome.status is Status.FAILED:
            self._failed.append((path, outcome))
            self._show_log(name)
            if not self._plan.continue_on_step_failure and self._stop is None:
                reason = f"step `{path}` failed"
                self._handle(Stop(Status.FAILED, reason))
        self._skip_followers(path)
        self._groups.ended(path, outcome.status)

    def _skip_followers(self, path: str) -> None:
        todo = [path]
        while todo:
            for each in self._followers[todo.pop()]:
                if each not in self._done:
                    self._skip(each, f"not run: step `{path}` did not complete")
                    todo.append(each)

    def _skip(self, path: str, reason: str) -> None:
        self._done[path] = Status.CANCELED
        self._table.advance(self.name_of(path), Status.CANCELED, error=reason)
        self._say(f"{path}: {reason}")
        self._groups.ended(path, Status.CANCELED)

    def _say(self, text: str) -> None:
        self._log.write(f"{now()} {text}\n")

    def _show_log(self, name: str) -> None:
        """Copy the end of a failed step's log below the pipeline's own."""
        for line in last_lines(self._crew.workspace.folder.log(name), LOG_TAIL_LINES):
            self._log.write(f"  | {line}\n")

    # Ending.

    def _outcome(self) -> Outcome:
        for path in self._steps:
            if path not in self._done:
                reason = self._stop.reason if self._stop is not None else "not run"
                self._skip(path, f"not run: {reason}")
        self._table.advance(self._job.name, Status.FINALIZING)
        if self._failed:
            path, outcome = self._failed[0]
            more = f" (and {len(self._failed) - 1} more)" if len(self._failed) > 1 else ""
            error = f"step `{path}` failed: {outcome.error}{more}"
            return Outcome(Status.FAILED, outcome.exit_code, error)
        if self._stop is not None:
            return Outcome(self._stop.status, error=self._stop.reason)
        return Outcome(Status.COMPLETED)


class _Groups:
    """The nested pipelines' own jobs: running with their first step, final with their last."""

    def __init__(self, plan: PipelinePlan, table: JobTable, pipeline: str) -> None:
        self._table = table
        self._pipeline = pipeline
        self._left = {
            group: {step.path for step in plan.steps if step.path.startswith(f"{group}/")}
            for group in plan.groups
        }
        self._worst: dict[str, Status] = {}
        self._running: set[str] = set()

    def _around(self, path: str) -> list[str]:
        return [group for group, left in self._left.items() if path in left]

    def started(self, path: str) -> None:
        for group in self._around(path):
            if group not in self._running:
                self._running.add(group)
                name = job_of(self._pipeline, group)
                if self._table.get(name).status.final:
                    self._table.reopen(name)
                self._table.advance(name, Status.RUNNING, started_at=now())

    def ended(self, path: str, status: Status) -> None:
        for group in self._around(path):
            self._left[group].discard(path)
            if status is not Status.COMPLETED and self._worst.get(group) is not Status.FAILED:
                self._worst[group] = status
            if not self._left[group]:
                final = self._worst.get(group, Status.COMPLETED)
                self._table.advance(job_of(self._pipeline, group), final)


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines of a log; only its end is read."""
    if not path.exists():
        return []
    with path.open("rb") as handle:
        handle.seek(0, 2)
        handle.seek(max(0, handle.tell() - 64 * 1024))
        return handle.read().decode("utf-8", "replace").splitlines()[-count:]


def _because(outcome: Outcome) -> str:
    return f": {outcome.error}" if outcome.error else ""
