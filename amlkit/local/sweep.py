"""The sweep engine: trials in parallel, each its own process; metrics arrive pushed."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from amlkit.errors import AmlkitError, did_you_mean
from amlkit.light import dataclass, field, replace
from amlkit.local.catalogue import JobRow
from amlkit.local.catalogue.database import now
from amlkit.local.plans import SweepPlan
from amlkit.local.recipes import Recipe
from amlkit.local.runner import CommandRun, Crew, Outcome
from amlkit.local.sampling import Observation, open_sampler
from amlkit.local.stopping import open_policy
from amlkit.objective import best_value, is_better
from amlkit.records import JSON, Job, MetricPoint, Status
from amlkit.workspace import JobFilter

LAST_LINES = 40
"""Lines of a failed trial's log that end the sweep's."""


@dataclass
class Trial:
    """One trial while it runs. curve: the primary metric in the order of its reports."""

    name: str
    parameters: Mapping[str, JSON]
    run: CommandRun
    curve: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Ended:
    """A trial's thread has come to its end."""

    trial: str
    outcome: Outcome


@dataclass(frozen=True)
class Reported:
    """A trial reported its primary metric."""

    trial: str
    values: Sequence[float]


@dataclass(frozen=True)
class Stop:
    """The whole sweep has to end."""

    status: Status
    reason: str


class Sweep:
    """A sweep job. One thread decides; each running trial has a thread that waits for it."""

    def __init__(
        self, crew: Crew, job: Job, plan: SweepPlan, prepare: Callable[[Recipe], Path]
    ) -> None:
        self._crew = replace(crew, concurrency=plan.max_concurrent_trials)
        self._job = job
        self._plan = plan
        self._prepare = prepare
        self._table = crew.workspace.job_table
        self._events: queue.SimpleQueue[Ended | Reported | Stop] = queue.SimpleQueue()
        self._sampler = open_sampler(
            plan.search_space, plan.sampling_algorithm, seed=plan.seed, goal=plan.goal
        )
        self._policy = open_policy(plan.early_termination, plan.goal)
        self._running: dict[str, Trial] = {}
        self._curves: dict[str, list[float]] = {}
        self._done: set[str] = set()
        self._observations: list[Observation] = []
        self._best: tuple[str, float, Mapping[str, JSON]] | None = None
        self._completed = 0
        self._failures: list[tuple[str, str]] = []
        self._stop: Stop | None = None
        self._next = 0
        self._repeat: list[tuple[int, Mapping[str, JSON]]] = []

    def run(self) -> Outcome:
        """Run trials until there are enough, none are left, or the sweep is stopped."""
        log = self._crew.workspace.folder.log(self._job.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("a", encoding="utf-8", buffering=1)
        try:
            python = self._prepare(self._plan.trial.environment)
            self._take_up_earlier_trials()
            self._table.advance(
                self._job.name, Status.RUNNING, started_at=self._job.started_at or now()
            )
            deadline = _deadline(self._plan.timeout_seconds)
            while self._start_trials(python) or self._running:
                self._handle(self._wait(deadline))
            return self._outcome()
        finally:
            self._log.close()

    def stop(self, status: Status, reason: str) -> None:
        """Stop every trial and start no other."""
        self._events.put(Stop(status, reason))

    def reported(self, run: str, points: list[MetricPoint]) -> None:
        """Take up what a trial logged. Called by the tracking server's threads."""
        values = [each.value for each in points if each.key == self._plan.primary_metric]
        if values:
            self._events.put(Reported(run, values))

    # Starting.

    def _take_up_earlier_trials(self) -> None:
        """Count what an interrupted sweep has finished; note what it has to repeat."""
        metrics = self._crew.workspace.metric_table
        for job in self._table.list(JobFilter(parent=self._job.name, archived=True)):
            position = self._table.position(job.name) or 0
            self._next = max(self._next, position + 1)
            if not _has_ended(job):
                self._repeat.append((position, job.parameters))
                continue
            points = metrics.all(job.name).get(self._plan.primary_metric, [])
            self._curves[job.name] = [each.value for each in points]
            self._finish(job.name, job.parameters, Outcome(job.status, error=job.error))

    def _start_trials(self, python: Path) -> bool:
        """Fill the free places; return whether a trial was started."""
        started = False
        while self._stop is None and len(self._running) < self._plan.max_concurrent_trials:
            chosen = self._choose()
            if chosen is None:
                break
            self._start(*chosen, python)
            started = True
        return started

    def _choose(self) -> tuple[int, Mapping[str, JSON]] | None:
        if self._repeat:
            return self._repeat.pop(0)
        if self._next >= self._plan.max_total_trials:
            return None
        running = [trial.parameters for trial in self._running.values()]
        parameters = self._sampler.suggest(self._next, self._observations, running)
        if parameters is None:
            return None
        self._next += 1
        return self._next - 1, parameters

    def _start(self, position: int, parameters: Mapping[str, JSON], python: Path) -> None:
        name = f"{self._job.name}_{position}"
        if self._table.exists(name):
            self._crew.workspace.metric_table.clear(name)
            self._table.reopen(name)
            self._table.update(name, properties={})
        else:
            self._table.add(self._row(name, position, parameters))
        plan = self._plan.trial
        if self._plan.trial_timeout_seconds:
            limits = [self._plan.trial_timeout_seconds, plan.timeout_seconds]
            plan = replace(plan, timeout_seconds=min(each for each in limits if each))
        run = CommandRun(
            self._crew,
            name,
            plan,
            experiment=self._job.experiment_name,
            root=self._job.root or self._job.name,
            parameters=parameters,
        )
        self._running[name] = Trial(name, parameters, run)
        self._curves[name] = self._running[name].curve
        threading.Thread(target=self._run_trial, args=(name, run, python), daemon=True).start()

    def _row(self, name: str, position: int, parameters: Mapping[str, JSON]) -> JobRow:
        return JobRow(
            name=name,
            type="command",
            display_name=name,
            experiment=self._job.experiment_name,
            parent=self._job.name,
            root=self._job.root or self._job.name,
            position=position,
            status=Status.QUEUED,
            parameters=parameters,
            compute=self._job.compute,
            inputs=self._job.inputs,
            started_at=now(),
        )

    def _run_trial(self, name: str, run: CommandRun, python: Path) -> None:
        try:
            outcome = run.run(python)
        except Exception as error:  # noqa: BLE001  a bug must end the trial, not hang the sweep
            outcome = Outcome(Status.FAILED, error=f"amlkit failed: {error!r}")
        self._events.put(Ended(name, outcome))

    # Deciding.

    def _wait(self, deadline: float | None) -> Ended | Reported | Stop:
        if deadline is None or self._stop is not None:
            return self._events.get()
        try:
            return self._events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            limit = self._plan.timeout_seconds
            return Stop(Status.CANCELED, f"the sweep ran into its timeout of {limit:g} s")

    def _handle(self, event: Ended | Reported | Stop) -> None:
        if isinstance(event, Stop):
            self._stop = self._stop or event
            for trial in self._running.values():
                trial.run.stop(Status.CANCELED, event.reason)
        elif isinstance(event, Reported):
            self._report(event)
        else:
            trial = self._running.pop(event.trial)
            self._end(trial, event.outcome)

    def _report(self, event: Reported) -> None:
        trial = self._running.get(event.trial)
        if trial is None:
            return
        for value in event.values:
            trial.curve.append(value)
            verdict = self._policy.decide(trial.name, self._curves, self._done)
            if verdict is not None:
                self._table.update(trial.name, properties={"early_termination": verdict.reason})
                trial.run.stop(Status.CANCELED, verdict.reason)
                return

    def _end(self, trial: Trial, outcome: Outcome) -> None:
        self._table.advance(
            trial.name, outcome.status, exit_code=outcome.exit_code, error=outcome.error
        )
        self._finish(trial.name, trial.parameters, outcome)
        values = ", ".join(f"{key}={value}" for key, value in trial.parameters.items())
        shown = f"{self._plan.primary_metric}={trial.curve[-1]:g}" if trial.curve else "no metric"
        reason = f" ({outcome.error})" if outcome.error else ""
        self._log.write(f"{trial.name} {outcome.status} {shown} [{values}]{reason}\n")

    def _finish(self, name: str, parameters: Mapping[str, JSON], outcome: Outcome) -> None:
        self._done.add(name)
        if outcome.status is Status.COMPLETED:
            self._completed += 1
        elif outcome.status is Status.FAILED:
            self._failures.append((name, outcome.error or ""))
        objective = best_value(self._curves.get(name, ()), self._plan.goal)
        if objective is None:
            return
        self._observations.append(Observation(parameters, objective))
        best = self._best is None or is_better(objective, self._best[1], self._plan.goal)
        if best and outcome.status is Status.COMPLETED:
            self._best = (name, objective, parameters)
            self._table.update(self._job.name, properties=self._properties())

    def _properties(self) -> dict[str, str]:
        properties = dict(self._job.properties)
        if self._best is not None:
            properties["best_child_run_id"] = self._best[0]
            properties["score"] = repr(self._best[1])
        return properties

    # Ending.

    def _show_end_of_log(self, trial: str, reason: str) -> None:
        """Let the sweep's own log end with what the trial said at last: its traceback."""
        self._log.write(f"==> {trial}: {reason} <==\n")
        with contextlib.suppress(OSError):
            text = self._crew.workspace.folder.log(trial).read_text(
                encoding="utf-8", errors="replace"
            )
            self._log.writelines(text.splitlines(keepends=True)[-LAST_LINES:])

    def _nothing_logged(self) -> str:
        """Return that no trial logged the primary metric, and which one may have been meant."""
        wanted = self._plan.primary_metric
        logged = self._crew.workspace.metric_table.latest(sorted(self._done))
        close = did_you_mean(wanted, {key for metrics in logged.values() for key in metrics})
        meant = f"; did you mean `{close}`?" if close else ""
        return f"no trial logged the primary metric `{wanted}`{meant}"

    def _outcome(self) -> Outcome:
        self._table.advance(self._job.name, Status.FINALIZING)
        if self._stop is not None:
            return Outcome(self._stop.status, error=self._stop.reason)
        if self._completed == 0 and self._failures:
            name, reason = self._failures[0]
            self._show_end_of_log(name, reason)
            count = len(self._failures)
            how = "all" if count == len(self._done) else "none completed,"
            return Outcome(Status.FAILED, error=f"{how} {count} trials failed; the first: {reason}")
        if self._best is None and self._completed:
            return Outcome(Status.COMPLETED, error=self._nothing_logged())
        if self._completed == 0 and not self._done:
            raise AmlkitError("the search space is empty: no trial was run")
        return Outcome(Status.COMPLETED)


def _has_ended(trial: Job) -> bool:
    """Whether a trial has ended of itself or by the policy: others are repeated on resumption."""
    if trial.status is Status.CANCELED:
        return "early_termination" in trial.properties
    return trial.status is Status.COMPLETED or (
        trial.status is Status.FAILED and "interrupted" not in trial.properties
    )


def _deadline(timeout_seconds: float | None) -> float | None:
    return time.monotonic() + timeout_seconds if timeout_seconds else None
