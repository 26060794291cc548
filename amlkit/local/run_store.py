"""The runs of the tracking server, kept in the catalogue: a job's run id is its name."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from amlkit.errors import NotFound
from amlkit.light import replace
from amlkit.local.tracking.store import RunInfo, UnknownRun
from amlkit.records import Job, MetricPoint, Status
from amlkit.workspace import JobFilter

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace

_STATUS = {
    Status.COMPLETED: "FINISHED",
    Status.FAILED: "FAILED",
    Status.CANCELED: "KILLED",
}


class CatalogueRunStore:
    """Runs of jobs, and those that clients make beside them, which live as long as the server."""

    def __init__(self, workspace: LocalWorkspace) -> None:
        self._workspace = workspace
        self._metrics = workspace.metric_table
        self._own: dict[str, RunInfo] = {}
        self._known: set[str] = set()

    def info(self, run_id: str) -> RunInfo:
        """Return a run. Raises: UnknownRun."""
        if run_id in self._own:
            return self._own[run_id]
        try:
            job = self._workspace.job_table.get(run_id)
        except NotFound:
            raise UnknownRun(f"no run has the id {run_id}") from None
        return self._of(job)

    def require(self, run_id: str) -> None:
        """Raise unless there is such a run; a job that was there once is not looked up again.

        Raises: UnknownRun.
        """
        if run_id not in self._known:
            self.info(run_id)
            self._known.add(run_id)

    def _of(self, job: Job) -> RunInfo:
        return RunInfo(
            job.name,
            job.experiment_name,
            job.display_name,
            _STATUS.get(job.status, "RUNNING"),
            _milliseconds(job.started_at or job.created_at),
            _milliseconds(job.ended_at) if job.ended_at else None,
            self._workspace.folder.job(job.name) / "artifacts",
        )

    def create(self, experiment: str, name: str | None, tags: Mapping[str, str]) -> RunInfo:
        """Make a run beside the jobs' own."""
        run_id = uuid.uuid4().hex
        self._own[run_id] = RunInfo(
            run_id,
            experiment,
            name or run_id[:8],
            "RUNNING",
            int(time.time() * 1000),
            None,
            self._workspace.folder.root / "runs" / run_id / "artifacts",
        )
        if tags:
            self.set_values(run_id, "tag", tags)
        return self._own[run_id]

    def finish(self, run_id: str, status: str | None, name: str | None, end_ms: int | None) -> None:
        """Note the end of a client's own run; a job's state is its supervisor's to set."""
        if run_id not in self._own:
            self.info(run_id)
            return
        info = self._own[run_id]
        self._own[run_id] = replace(
            info, status=status or info.status, name=name or info.name, end_ms=end_ms
        )

    def runs(self, experiments: Sequence[str]) -> list[RunInfo]:
        """Return the runs of some experiments, trials and steps among them."""
        found = [info for info in list(self._own.values()) if info.experiment in experiments]
        for experiment in experiments:
            for job in self._workspace.job_table.list(JobFilter(experiment=experiment)):
                found.append(self._of(job))
                children = self._workspace.job_table.list(JobFilter(parent=job.name))
                found += [self._of(child) for child in children]
        return found

    def experiments(self) -> list[str]:
        """Return the names of all experiments that have jobs."""
        return self._workspace.job_table.experiments()

    def log(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        """Append metrics."""
        self._metrics.log(run_id, points)

    def metrics(self, run_id: str) -> Mapping[str, Sequence[MetricPoint]]:
        """Return every point, by metric."""
        return self._metrics.all(run_id)

    def set_values(self, run_id: str, kind: str, values: Mapping[str, str]) -> None:
        """Set params or tags."""
        self._metrics.set_values(run_id, kind, values)

    def values(self, run_id: str, kind: str) -> Mapping[str, str]:
        """Return params or tags."""
        return self._metrics.values(run_id, kind)

    def remove_value(self, run_id: str, kind: str, key: str) -> bool:
        """Forget a param or tag; return whether there was one."""
        return self._metrics.remove_value(run_id, kind, key)


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)
