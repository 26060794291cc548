"""Jobs of the embedded workspace: submitted to a supervisor, read from the catalogue."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit import references
from amlkit.errors import Conflict, UsageError, WaitTimedOut
from amlkit.light import replace
from amlkit.local import job_outputs, launch, outgoing, processes
from amlkit.local.catalogue import JobRow
from amlkit.local.drafts import Draft
from amlkit.local.locks import Lock, is_locked, try_lock
from amlkit.local.naming import job_name
from amlkit.local.resolving import Resolver
from amlkit.records import JSON, Job, MetricPoint, Status
from amlkit.workspace import JobFilter, Submission

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace

DIED = "its supervisor died (killed, or the machine went down); `amlkit job resume` goes on"


class LocalJobs:
    """Command, sweep and pipeline jobs, their trials and steps."""

    def __init__(self, workspace: LocalWorkspace) -> None:
        self._workspace = workspace
        self._table = workspace.job_table
        self._folder = workspace.folder

    # Submitting.

    def submit(self, submission: Submission) -> Job:
        """Write the job down and start its supervisor; return at once.

        Raises: Conflict: the name is taken. NotFound: something it refers to is missing.
        """
        name = submission.name or _model_name(submission) or job_name()
        references.check_name(name, "job")
        if self._table.exists(name):
            raise Conflict(
                f"a job is already called `{name}`", hint="leave the name out, or choose another"
            )
        draft = self._draft(name, submission)
        held = self._hold(name)
        try:
            self._table.add(*draft.rows)
            for job, port, asset in draft.links:
                self._workspace.asset_table.link(job, asset, direction="input", port=port)
            if not draft.finish(self._workspace):
                launch.start(self._folder.root, self._workspace.name, name, held)
        finally:
            held.release()
        return self.get(name)

    def plan(self, submission: Submission) -> Mapping[str, JSON]:
        """Return the resolved plan; start and store nothing."""
        if given := submission.name or _model_name(submission):
            references.check_name(given, "job")
        draft = self._draft(submission.name or "(new)", submission, dry=True)
        plan: dict[str, JSON] = {"type": draft.rows[0].type, **draft.rows[0].plan}
        if draft.rows[1:]:
            plan["jobs"] = {row.name.partition("-")[2]: dict(row.plan) for row in draft.rows[1:]}
        return {**plan, "notes": list(draft.notes)}

    def _draft(self, name: str, submission: Submission, *, dry: bool = False) -> Draft:
        """Return the rows to write: the job's own, and those of a pipeline's steps."""
        kind = submission.spec.kind.removeprefix("job.")
        if kind == "pipeline":
            from amlkit.local.pipelines import submitting

            return submitting.draft(self._workspace, submission, _row(name, kind, submission), dry)
        if kind not in {"command", "sweep"}:
            raise UsageError(
                f"`{submission.spec.kind}` does not run on the embedded workspace",
                hint="command, sweep and pipeline jobs do",
            )
        spec = submission.spec
        resolver = Resolver(self._workspace, submission, dry=dry)
        plan = (
            resolver.sweep(spec.document, spec.values).as_json()
            if kind == "sweep"
            else resolver.command(spec.document).as_json()
        )
        links = [(name, port, asset) for port, asset in resolver.links]
        row = replace(_row(name, kind, submission), plan=plan)
        return Draft((row,), tuple(links), tuple(resolver.notes))

    def _hold(self, name: str) -> Lock:
        folder = self._folder.job(name)
        folder.mkdir(parents=True, exist_ok=True)
        held = try_lock(folder / "supervisor.lock")
        if held is None:
            raise Conflict(f"job `{name}` is running", hint=f"amlkit job wait {name}")
        return held

    def resume(self, name: str, *, failed: bool = False) -> Job:
        """Run an interrupted sweep on, or a command again under its own name.

        failed: of a sweep, repeat the trials that failed as well.
        Raises: Conflict: it is running, or complete.
        """
        job = self.get(name)
        if job.parent is not None:
            raise UsageError(
                f"`{name}` is part of `{job.parent}`", hint=f"amlkit job resume {job.parent}"
            )
        repeated = self._failed_trials(job) if failed and job.type == "sweep" else []
        if not job.status.final or (job.status is Status.COMPLETED and not repeated):
            hint = f"there is nothing to {'retry' if failed else 'resume'}"
            raise Conflict(f"job `{name}` is {job.status}", hint=hint)
        family = self._table.family(name)
        left = [each.name for each in family if each.status is not Status.COMPLETED]
        outgoing.check_again(self._workspace, (name, *left))
        held = self._hold(name)
        try:
            for trial in repeated:
                # What was interrupted is repeated with the same parameters.
                properties = {**trial.properties, "interrupted": "true"}
                self._table.update(trial.name, properties=properties)
            self._table.reopen(name)
            launch.start(self._folder.root, self._workspace.name, name, held)
        finally:
            held.release()
        return self.get(name)

    def _failed_trials(self, sweep: Job) -> Sequence[Job]:
        trials = self._table.list(JobFilter(parent=sweep.name, archived=True))
        return [trial for trial in trials if trial.status is Status.FAILED]

    # Reading.

    def get(self, name: str) -> Job:
        """Return the job as it stands, noticing a supervisor that has died. Raises: NotFound."""
        job = self._table.get(name)
        if not job.status.final:
            self._notice_death([(job.name, job.root or job.name)])
            job = self._table.get(name)
        found = self._complete([job])[0]
        if job.status is Status.COMPLETED and job.outputs:
            found = replace(found, outputs=self._placed(found))
        if job.type != "pipeline":
            return found
        from amlkit.local.pipelines.tree import tree

        return replace(found, jobs=tree(found, self._table.family(job.root or job.name)))

    def _placed(self, job: Job) -> Mapping[str, JSON]:
        """Return a completed job's declared outputs, each with where it is."""
        written = job_outputs.written(self._workspace, job)
        found: dict[str, JSON] = {}
        for port, declared in job.outputs.items():
            place = {"path": written[port].uri or written[port].path} if port in written else {}
            found[port] = {**(declared if isinstance(declared, Mapping) else {}), **place}
        return found

    def list(self, wanted: JobFilter) -> Sequence[Job]:
        """Return jobs, newest first; the trials of `parent` in their order."""
        if wanted.parent is not None:
            wanted = replace(wanted, parent=self._table.get(wanted.parent).name)
        self._notice_death(self._table.unfinished())
        return self._complete(self._table.list(wanted))

    def _complete(self, jobs: Sequence[Job]) -> Sequence[Job]:
        metrics = self._workspace.metric_table.latest([job.name for job in jobs])
        return [
            replace(
                job,
                metrics=metrics.get(job.name, {}),
                best_trial=self._best_trial(job),
                folder=str(self._folder.job(job.name)),
            )
            for job in jobs
        ]

    def _best_trial(self, job: Job) -> Mapping[str, JSON] | None:
        best = job.properties.get("best_child_run_id")
        if best is None:
            return None
        trial = self._table.get(best)
        metrics = self._workspace.metric_table.latest([best]).get(best, {})
        return {
            "name": best,
            "objective": float(job.properties["score"]),
            "parameters": dict(trial.parameters),
            "metrics": dict(metrics),
        }

    def _notice_death(self, unfinished: Sequence[tuple[str, str]]) -> None:
        """Mark jobs whose supervisor is gone as Failed, and kill what it left running."""
        dead: dict[str, bool] = {}
        for _name, root in unfinished:
            if root not in dead:
                dead[root] = not is_locked(self._folder.job(root) / "supervisor.lock")
        for root in (root for root, gone in dead.items() if gone):
            family = [name for name, of in self._table.unfinished() if of == root]
            for job, pid, was_started in self._table.processes(family):
                processes.kill_if_same(pid, was_started)
                self._table.remove_process(job, pid)
            # Who was asked to stop and died of it was canceled.
            asked = self._table.get(root).status is Status.CANCEL_REQUESTED
            for name in family:
                if name != root:
                    self._table.update(name, properties={"interrupted": "true"})
                if asked:
                    self._table.advance(name, Status.CANCELED, error="canceled by the user")
                else:
                    self._table.advance(name, Status.FAILED, error=DIED)

    def wait(
        self, name: str, *, timeout_seconds: float | None, changed: Callable[[Job], None] | None
    ) -> Job:
        """Return when the job is final; `changed` is called whenever its state is another.

        Raises: WaitTimedOut: the job goes on.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        began, last, gone = time.monotonic(), None, False
        while True:
            # A job is noticed to have ended within a twentieth of the time it took.
            pause = min(0.25, 0.004 + (time.monotonic() - began) / 20)
            job = self._table.get(name)
            if not job.status.final and (gone or pause > 0.1):
                job = self.get(name)
            if changed is not None and job.status is not last:
                changed(self._complete([job])[0])
                last = job.status
            if job.status.final:
                return self.get(name)
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimedOut(
                    f"job `{name}` is {job.status} after {timeout_seconds:g} s",
                    hint=f"it goes on: amlkit job wait {name}",
                )
            gone = processes.sleep_unless_gone(self._supervisor(name), pause)

    def _supervisor(self, name: str) -> int | None:
        try:
            return int((self._folder.job(name) / "supervisor.pid").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def log(self, name: str, *, follow: bool) -> Iterator[bytes]:
        """Yield the log as it stands; with `follow`, what is added until the job is final."""
        job = self._table.get(name)
        path = self._folder.log(job.properties.get("reused_job_id", job.name))
        position, pause = 0, 0.02
        while True:
            final = job.status.final
            if path.exists():
                with path.open("rb") as handle:
                    handle.seek(position)
                    while chunk := handle.read(65536):
                        position += len(chunk)
                        pause = 0.02
                        yield chunk
            if final or not follow:
                return
            time.sleep(pause)
            pause = min(pause * 1.3, 0.25)
            job = self.get(name)

    def metrics(self, name: str) -> Mapping[str, Sequence[MetricPoint]]:
        """Return every logged value by metric. Raises: NotFound."""
        job = self._table.get(name)
        return self._workspace.metric_table.all(job.properties.get("reused_job_id", job.name))

    def explain(self, name: str) -> Mapping[str, JSON]:
        """Return why a pipeline's step was run or reused. Raises: UsageError: it is no step."""
        from amlkit.local.pipelines import why

        return why.explain(self._workspace, name)

    # Changing.

    def cancel(self, name: str) -> Job:
        """Ask the job to stop: TERM to its supervisor, which stops what runs."""
        job = self.get(name)
        if job.status.final:
            return job
        if job.parent is not None:
            raise UsageError(
                f"`{name}` is part of `{job.parent}`", hint=f"amlkit job cancel {job.parent}"
            )
        self._table.advance(name, Status.CANCEL_REQUESTED)
        pid = self._folder.job(name) / "supervisor.pid"
        if pid.exists() and is_locked(self._folder.job(name) / "supervisor.lock"):
            os.kill(int(pid.read_text(encoding="ascii")), signal.SIGTERM)
        return self.get(name)

    def archive(self, name: str, *, archived: bool) -> Job:
        """Hide a job from lists, or show it again."""
        self._table.get(name)
        self._table.update(name, archived=archived)
        return self.get(name)

    def tag(self, name: str, tags: Mapping[str, str]) -> Job:
        """Add or replace tags."""
        job = self._table.get(name)
        self._table.update(name, tags={**job.tags, **tags})
        return self.get(name)

    # Outputs.

    def outputs(self, name: str) -> Mapping[str, str]:
        """Return where each output is; a sweep's are those of its best trial, as on Azure."""
        written = job_outputs.written(self._workspace, self.get(name))
        return {port: each.path for port, each in written.items()}

    def download(self, name: str, output: str | None, target: Path) -> Path:
        """Copy one output below `target`; without one: outputs, logs and artifacts of the run.

        Raises: NotFound: no such output, or it was not written.
        """
        job = self.get(name)
        return job_outputs.download(
            job, self.outputs(job.name), output, target, folder=self._folder.job(job.name)
        )


def _row(name: str, kind: str, submission: Submission) -> JobRow:
    """Return a job's row, without its plan."""
    document = submission.spec.document
    experiment = submission.experiment or document.get("experiment_name")
    return JobRow(
        name=name,
        type=kind,
        display_name=str(document.get("display_name") or name),
        experiment=str(experiment or Path.cwd().name or "Default"),
        description=document.get("description"),
        compute=str(document.get("compute") or "local"),
        spec=document,
        inputs=document.get("inputs") or {},
        outputs=document.get("outputs") or {},
        tags={**_texts(document.get("tags")), **submission.tags},
        properties=_texts(document.get("properties")),
    )


def _model_name(submission: Submission) -> str | None:
    name = submission.spec.document.get("name")
    return str(name) if name else None


def _texts(values: Mapping[str, object] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (values or {}).items()}
