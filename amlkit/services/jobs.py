"""Jobs: what `amlkit job ...` means, on every workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from amlkit.errors import Canceled, Conflict, JobFailed, NotFound, UsageError
from amlkit.light import dataclass, field, replace
from amlkit.objective import best_value
from amlkit.records import JSON, Job, MetricPoint, Record, Status
from amlkit.services.leaderboard import TrialRow, rank
from amlkit.workspace import JobFilter, Submission, Workspace

if TYPE_CHECKING:
    from amlkit.services.pipelines import Pipeline
    from amlkit.services.pipelines.sources import AzureJob
    from amlkit.specs import Loaded

    JobSource = str | Path | Mapping[str, JSON] | Pipeline | AzureJob


@dataclass(frozen=True)
class MetricValue(Record):
    """One logged value, as `job metrics` prints it."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("metric", "step", "value")

    metric: str
    step: int
    value: float
    timestamp_ms: int

    @property
    def reference(self) -> str:
        """The metric's name."""
        return self.metric


@dataclass(frozen=True)
class Comparison(Record):
    """One job in a comparison: what it was given and what came of it."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("name", "status", "duration", "parameters", "metrics")

    name: str
    status: Status
    duration_seconds: float | None
    parameters: Mapping[str, JSON] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class StepReason(Record):
    """Why a step was run or reused. changes: `what`, and `before`, `after` or `file`, `how`."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("name", "reused", "why")

    name: str
    reused: str | None
    why: str
    compared_with: str | None
    changes: tuple[Mapping[str, JSON], ...] = ()


class Jobs:
    """The jobs of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._jobs = workspace.jobs

    def submit(
        self,
        file: JobSource,
        *,
        name: str | None = None,
        experiment: str | None = None,
        overrides: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        environment: str | None = None,
        current_python: bool = False,
        allow_secrets: bool = False,
        lenient: bool = False,
    ) -> Job:
        """Start the job of a YAML file (`-` is stdin) and return at once.

        file: or a pipeline that a `@pipeline` function made, a dict, or a job of the Azure SDK;
            their local paths are relative to the current folder.
        environment: a registered one, instead of the spec's.
        current_python: run in this interpreter, with nothing installed.
        Raises: InvalidSpec, NotFound, Conflict, NotSupported: nothing was started.
        """
        return self._jobs.submit(
            Submission(
                _load(file, overrides, lenient=lenient),
                name=name,
                experiment=experiment,
                tags=dict(tags or {}),
                environment=environment,
                current_python=current_python,
                allow_secrets=allow_secrets,
            )
        )

    def submit_prepared(self, submission: Submission) -> Job:
        """Start a job whose spec is loaded already."""
        with _positions(submission):
            return self._jobs.submit(submission)

    def plan(self, submission: Submission) -> Mapping[str, JSON]:
        """Return what `submit_prepared` would run; change nothing.

        Raises: what `submit_prepared` would, before it starts anything.
        """
        from amlkit.services import snapshots

        with _positions(submission):
            planned = self._jobs.plan(submission)
        snapshots.check(submission.spec, allow_secrets=submission.allow_secrets)
        return planned

    def show(self, name: str) -> Job:
        """Return a job as it stands. Raises: NotFound."""
        return self._jobs.get(name)

    def list(
        self,
        *,
        status: str | None = None,
        experiment: str | None = None,
        tags: Mapping[str, str] | None = None,
        parent: str | None = None,
        archived: bool = False,
        limit: int | None = None,
    ) -> Sequence[Job]:
        """Return jobs, newest first; the trials of `parent` in their order.

        Raises: UsageError: no such status.
        """
        if status is not None and status.lower() not in {each.lower() for each in Status}:
            known = ", ".join(Status)
            raise UsageError(f"`{status}` is not a status", hint=f"use one of {known}")
        return self._jobs.list(
            JobFilter(status, experiment, dict(tags or {}), parent, archived, limit)
        )

    def wait(
        self,
        name: str,
        *,
        timeout_seconds: float | None = None,
        changed: Callable[[Job], None] | None = None,
    ) -> Job:
        """Return the job when it is Completed.

        Raises: JobFailed, Canceled: it ended so. WaitTimedOut: it goes on.
        """
        return completed(self._jobs.wait(name, timeout_seconds=timeout_seconds, changed=changed))

    def log(self, name: str, *, follow: bool = False) -> Iterator[bytes]:
        """Yield a job's stdout and stderr, with `follow` until it ends."""
        return self._jobs.log(name, follow=follow)

    def failed_logs(self, name: str) -> Sequence[tuple[Job, bytes]]:
        """Return the failed jobs among a job and its children, each with its log."""
        return [
            (job, b"".join(self.log(job.name)))
            for job in self._family(self.show(name))
            if job.status is Status.FAILED
        ]

    def _family(self, job: Job) -> Iterator[Job]:
        """Yield a job and everything below it; of a pipeline that failed, only its steps."""
        if job.type != "pipeline":
            yield job
        for each in self.list(parent=job.name, archived=True):
            yield from self._family(each)

    def why(self, name: str, step: str) -> StepReason:
        """Return why a step of a pipeline was run or reused.

        Raises: NotFound: no such job or step. UsageError: it has not started.
        """
        found: Any = self._jobs.explain(f"{self.show(name).name}/{step}")
        return StepReason(
            found["name"],
            found["reused"],
            found["why"],
            found["compared_with"],
            tuple(found["changes"]),
        )

    def metrics(self, name: str, metric: str | None = None) -> Sequence[MetricValue]:
        """Return every value that a job logged, or those of one metric.

        Raises: NotFound: no such job, or it never logged `metric`.
        """
        logged = self._jobs.metrics(name)
        if metric is not None and metric not in logged:
            names = ", ".join(f"`{each}`" for each in sorted(logged))
            raise NotFound(
                f"job `{name}` did not log `{metric}`",
                hint=f"it logged {names}" if names else "it has not logged any metric yet",
            )
        chosen = {metric: logged[metric]} if metric is not None else logged
        return [_value(point) for points in chosen.values() for point in points]

    def trials(self, name: str) -> Sequence[TrialRow]:
        """Return a sweep's trials, the best first. Raises: NotFound, UsageError: not a sweep."""
        job = self.show(name)
        metric, goal = _objective(job)
        rows = []
        for number, trial in enumerate(self.list(parent=job.name, archived=True)):
            points = self._jobs.metrics(trial.name).get(metric, ())
            rows.append(_trial(trial, number, points, goal))
        return rank(rows, goal)

    def best(self, name: str) -> Job:
        """Return the best trial of a sweep, its outputs with their places.

        Raises: NotFound: no trial has completed yet.
        """
        job = self.show(name)
        _objective(job)
        if job.best_trial is None:
            raise NotFound(
                f"sweep `{name}` has no best trial",
                hint="no trial has completed and logged the primary metric",
            )
        trial = self.show(str(job.best_trial["name"]))
        outputs: dict[str, JSON] = {}
        for port, path in self._jobs.outputs(trial.name).items():
            said = trial.outputs.get(port) or job.outputs.get(port)
            declared = said if isinstance(said, Mapping) else {"type": "uri_folder"}
            outputs[port] = {**declared, "path": path}
        return replace(trial, outputs=outputs)

    def compare(self, names: Sequence[str]) -> Sequence[Comparison]:
        """Return several jobs side by side. Raises: NotFound."""
        jobs = [self.show(name) for name in names]
        return [
            Comparison(job.name, job.status, job.duration_seconds, _given(job), dict(job.metrics))
            for job in jobs
        ]

    def cancel(self, name: str, *, dry_run: bool = False) -> Job:
        """Ask a job to stop; with `dry_run` only look at it. Raises: Conflict: it has ended."""
        job = self._jobs.get(name) if dry_run else self._jobs.cancel(name)
        if job.status in {Status.COMPLETED, Status.FAILED}:
            raise Conflict(f"job `{name}` is {job.status}", hint="there is nothing to cancel")
        return job

    def resume(self, name: str) -> Job:
        """Go on with an interrupted sweep. Raises: Conflict: it is running or complete."""
        return self._jobs.resume(name)

    def retry(self, name: str) -> Job:
        """Run a job again; of a sweep, what was interrupted and the trials that failed.

        Raises: Conflict: it is running, or nothing of it has failed.
        """
        return self._jobs.resume(name, failed=True)

    def outputs(self, name: str) -> Mapping[str, str]:
        """Return where each output of a job is."""
        return self._jobs.outputs(name)

    def download(self, name: str, target: Path, *, output: str | None = None) -> Path:
        """Copy one output of a job, or all that it left, below `target`."""
        return self._jobs.download(name, output, target)

    def archive(self, name: str, *, archived: bool = True, dry_run: bool = False) -> Job:
        """Hide a job from lists, or show it again; with `dry_run` only look at it."""
        return self._jobs.get(name) if dry_run else self._jobs.archive(name, archived=archived)

    def tag(self, name: str, tags: Mapping[str, str]) -> Job:
        """Add or replace tags."""
        return self._jobs.tag(name, tags)


@contextmanager
def _positions(submission: Submission) -> Iterator[None]:
    """Tell what is missing with its place in the file, also where the spec was not read anew."""
    try:
        yield
    except NotFound:
        if submission.spec.recheck is not None:
            submission.spec.recheck()
        raise


def completed(job: Job) -> Job:
    """Return a final job that is Completed. Raises: JobFailed, Canceled."""
    if job.status is Status.FAILED:
        raise JobFailed(
            f"job `{job.name}` failed: {job.error or 'no reason was given'}",
            hint=f"amlkit job logs {job.name} --failed",
        )
    if job.status is Status.CANCELED:
        raise Canceled(f"job `{job.name}` was canceled: {job.error or 'no reason was given'}")
    return job


def _load(file: JobSource, overrides: Sequence[str], *, lenient: bool) -> Loaded:
    if isinstance(file, str | Path):
        from amlkit import specs

        return specs.load(file, kind="job", overrides=overrides, lenient=lenient)
    from amlkit.services.pipelines.sources import load_job

    return load_job(file, overrides, lenient=lenient)


def _value(point: MetricPoint) -> MetricValue:
    return MetricValue(point.key, point.step, point.value, point.timestamp_ms)


def _objective(job: Job) -> tuple[str, str]:
    objective = job.spec.get("objective")
    if job.type != "sweep" or not isinstance(objective, Mapping):
        raise UsageError(f"job `{job.name}` is a {job.type} job, not a sweep")
    return str(objective["primary_metric"]), str(objective["goal"]).lower()


def _trial(trial: Job, number: int, points: Sequence[MetricPoint], goal: str) -> TrialRow:
    return TrialRow(
        name=trial.name,
        parameters=dict(trial.parameters),
        objective=best_value((each.value for each in points), goal),
        status=trial.status.value,
        duration_seconds=trial.duration_seconds,
        curve=tuple((each.step, each.value) for each in points),
        number=number,
        error=trial.error,
    )


def _given(job: Job) -> dict[str, JSON]:
    literals = {
        key: value for key, value in job.inputs.items() if isinstance(value, str | int | float)
    }
    return {**literals, **job.parameters}
