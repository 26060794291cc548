"""The process that runs one top-level job, in a session of its own: it outlives the terminal.

    python -m amlkit.local.supervisor FOLDER NAME JOB
    python -m amlkit.local.supervisor --ahead FD      (see launch.py)

It holds the job's lock for as long as it lives (that is how others know that it is alive), takes a
slot, serves tracking, prepares the environment, runs the command, sweep or pipeline, and writes
the final state once. SIGTERM means: cancel.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol

from amlkit.config import number
from amlkit.errors import AmlkitError
from amlkit.local import launch
from amlkit.local.computes import slots
from amlkit.local.environments import EnvironmentStore
from amlkit.local.locks import Lock, try_lock
from amlkit.local.plans import CommandPlan, SweepPlan
from amlkit.local.processes import Guardian
from amlkit.local.recipes import Recipe
from amlkit.local.run_store import CatalogueRunStore
from amlkit.local.runner import CommandRun, Crew, Outcome
from amlkit.local.tracking import TrackingServer
from amlkit.local.workspace import LocalWorkspace
from amlkit.records import Job, MetricPoint, Status

HEARTBEAT_SECONDS = 10.0
SLOT_POLL_SECONDS = 0.2


class Work(Protocol):
    """A job of any type while it runs."""

    def run(self) -> Outcome:
        """Run to the end and return how it ended."""
        ...

    def stop(self, status: Status, reason: str) -> None:
        """Make `run` end soon, with this state."""
        ...

    def reported(self, run: str, points: list[MetricPoint]) -> None:
        """A run of this job logged metrics."""
        ...


class Supervisor:
    """One job from Queued to its final state."""

    def __init__(self, workspace: LocalWorkspace, job: str, lock: int | None = None) -> None:
        self._workspace = workspace
        self._table = workspace.job_table
        self._job = self._table.get(job)
        self._folder = workspace.folder.job(job)
        self._canceled = threading.Event()
        self._work: Work | None = None
        self._slot: Lock | None = None
        self._lock = lock

    def run(self) -> Outcome:
        """Run the job and write its final state."""
        signal.signal(signal.SIGTERM, lambda *_: self.cancel())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        threading.Thread(target=self._beat, daemon=True).start()
        try:
            outcome = self._run()
        except AmlkitError as error:
            outcome = Outcome(Status.FAILED, error=error.message)
        if self._canceled.is_set() and outcome.status is not Status.COMPLETED:
            outcome = Outcome(Status.CANCELED, outcome.exit_code, "canceled by the user")
        self._table.advance(
            self._job.name, outcome.status, exit_code=outcome.exit_code, error=outcome.error
        )
        return outcome

    def cancel(self) -> None:
        """Stop the job as Canceled."""
        self._canceled.set()
        if self._work is not None:
            # A signal handler must not wait for locks that the main thread holds.
            threading.Thread(
                target=self._work.stop, args=(Status.CANCELED, "canceled by the user"), daemon=True
            ).start()

    def _run(self) -> Outcome:
        self._table.advance(self._job.name, Status.QUEUED)
        self._slot = self._take_slot()
        if self._slot is None:
            return Outcome(Status.CANCELED, error="canceled before it started")
        # Nobody is to take this job for dead, or its slot for free, while parts of it still run.
        guardian = Guardian((self._slot.fd, *([self._lock] if self._lock is not None else [])))
        tracking = TrackingServer.start(
            CatalogueRunStore(self._workspace),
            on_metrics=self._reported,
            token=os.urandom(24).hex(),
            artifact_root=self._workspace.folder.root / "jobs",
        )
        crew = Crew(
            self._workspace,
            tracking,
            guardian,
            grace_seconds=float(number("stop_grace_seconds") or 0),
        )
        try:
            self._table.advance(self._job.name, Status.PREPARING)
            self._work = self._open(crew)
            if self._canceled.is_set():
                return Outcome(Status.CANCELED, error="canceled before it started")
            return self._work.run()
        finally:
            tracking.close()
            guardian.close()
            self._slot.release()

    def _open(self, crew: Crew) -> Work:
        plan = self._table.plan(self._job.name)
        if self._job.type == "sweep":
            from amlkit.local.sweep import Sweep

            return Sweep(crew, self._job, SweepPlan.from_json(plan), self.prepare)
        if self._job.type == "pipeline":
            from amlkit.local.pipelines.engine import Pipeline
            from amlkit.local.pipelines.plans import PipelinePlan

            return Pipeline(crew, self._job, PipelinePlan.from_json(plan), self.prepare)
        return Command(crew, self._job, CommandPlan.from_json(plan), self.prepare)

    def prepare(self, recipe: Recipe) -> Path:
        """Return the interpreter of a recipe; what is built is told in the job's log folder."""
        withheld = self._workspace.datastores.secret_variables
        store = EnvironmentStore(self._workspace.folder.environments, withheld)
        if (ready := store.python(recipe)) is not None:
            return ready
        log = self._folder / "azureml-logs" / "20_image_build_log.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as handle:

            def write(line: str) -> None:
                handle.write(line + "\n")
                handle.flush()

            return store.ensure(recipe, write)

    def _reported(self, run: str, points: list[MetricPoint]) -> None:
        if self._work is not None:
            self._work.reported(run, points)

    def _take_slot(self) -> Lock | None:
        folder = self._workspace.folder.slots
        folder.mkdir(exist_ok=True)
        while not self._canceled.is_set():
            for index in range(slots()):
                if (held := try_lock(folder / f"{index}.lock")) is not None:
                    return held
            time.sleep(SLOT_POLL_SECONDS)
        return None

    def _beat(self) -> None:
        beat = self._folder / "heartbeat"
        while True:
            beat.write_text(str(time.time()), encoding="ascii")
            time.sleep(HEARTBEAT_SECONDS)


class Command:
    """A command job."""

    def __init__(
        self, crew: Crew, job: Job, plan: CommandPlan, prepare: Callable[[Recipe], Path]
    ) -> None:
        self._prepare = prepare
        self._plan = plan
        self._run = CommandRun(crew, job.name, plan, experiment=job.experiment_name, root=job.name)

    def run(self) -> Outcome:
        """Build the environment, then run the command."""
        return self._run.run(self._prepare(self._plan.environment))

    def stop(self, status: Status, reason: str) -> None:
        """Stop the command."""
        self._run.stop(status, reason)

    def reported(self, run: str, points: list[MetricPoint]) -> None:
        """Metrics of a command job decide nothing."""


def main() -> None:
    """Run the job named on the command line, or the one that comes over a socket."""
    if sys.argv[1] == "--ahead":
        # While no job has come there is time for what sweeps and pipelines need beside a command.
        line = int(sys.argv[2])
        for name in ("amlkit.local.pipelines.engine", "amlkit.local.sweep"):
            if not launch.has_come(line):
                import_module(name)
        job_for = launch.receive(line)
        if job_for is None:
            return
        folder, name, job, lock = job_for
    else:
        folder, name, job = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
        lock = int(sys.argv[4]) if len(sys.argv) > 4 else None
    os.chdir(folder)
    workspace = LocalWorkspace.open(name, folder)
    outcome = Supervisor(workspace, job, lock).run()
    workspace.close()
    sys.stdout.flush()
    # Threads of clients that still hold a connection must not keep the process.
    os._exit(0 if outcome.status is Status.COMPLETED else 1)


if __name__ == "__main__":
    main()
