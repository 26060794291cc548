"""What the tracking server keeps its runs in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from amlkit.light import dataclass
from amlkit.records import MetricPoint


class UnknownRun(Exception):
    """No run or experiment has that id."""


@dataclass(frozen=True)
class RunInfo:
    """A run as MLflow shows it. Times: milliseconds since the Unix epoch."""

    run_id: str
    experiment: str
    name: str
    status: str
    start_ms: int
    end_ms: int | None
    artifacts: Path


class RunStore(Protocol):
    """Runs, and what they log. Unknown ids raise `UnknownRun`."""

    def info(self, run_id: str) -> RunInfo:
        """Return a run."""
        ...

    def require(self, run_id: str) -> None:
        """Raise `UnknownRun` unless there is such a run; cheap, for every call that logs."""
        ...

    def create(self, experiment: str, name: str | None, tags: Mapping[str, str]) -> RunInfo:
        """Make a run that a client asked for, such as a nested one."""
        ...

    def finish(self, run_id: str, status: str | None, name: str | None, end_ms: int | None) -> None:
        """Note what a client says of its run; a job's own state is not the client's to set."""
        ...

    def runs(self, experiments: Sequence[str]) -> list[RunInfo]:
        """Return the runs of some experiments."""
        ...

    def experiments(self) -> list[str]:
        """Return the names of all experiments that have runs."""
        ...

    def log(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        """Append metrics."""
        ...

    def metrics(self, run_id: str) -> Mapping[str, Sequence[MetricPoint]]:
        """Return every point, by metric."""
        ...

    def set_values(self, run_id: str, kind: str, values: Mapping[str, str]) -> None:
        """Set params (`param`) or tags (`tag`)."""
        ...

    def values(self, run_id: str, kind: str) -> Mapping[str, str]:
        """Return params or tags."""
        ...

    def remove_value(self, run_id: str, kind: str, key: str) -> bool:
        """Forget a param or tag; return whether there was one."""
        ...
