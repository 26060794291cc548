"""Truncation selection: end a trial that is among the lowest X% at its interval.

At interval N a trial is ranked by its best metric up to N against every trial that has reached
N, and against finished ones that never did (unless exclude_finished_jobs), never against what
others reported later. Of n trials the lowest floor(n * X / 100) end; ties end nobody.

Source: "Hyperparameter tuning a model (v2)", truncation selection policy; and
TruncationSelectionPolicy in azureml.train.hyperdrive: a run at interval N is only compared with
the performance of other runs up to interval N.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from amlkit.light import dataclass
from amlkit.local.stopping.curves import Goal, Schedule
from amlkit.local.stopping.policy import Stop


@dataclass(frozen=True)
class TruncationSelection:
    """Ends the lowest share of trials. truncation_percentage: 1 to 99."""

    goal: Goal
    schedule: Schedule
    truncation_percentage: int
    exclude_finished_jobs: bool = False

    def decide(
        self, trial: str, curves: Mapping[str, Sequence[float]], finished: Set[str]
    ) -> Stop | None:
        """Return a Stop where the trial is among the lowest at its interval."""
        interval = len(curves.get(trial, ()))
        if not self.schedule.applies(interval):
            return None
        own = self.goal.best(curves[trial], interval)
        others = [
            self.goal.best(curve, interval)
            for name, curve in curves.items()
            if name != trial and self._counts(name, len(curve), interval, finished)
        ]
        total = len(others) + 1
        dropped = total * self.truncation_percentage // 100
        better = sum(other > own for other in others)
        if better < total - dropped:
            return None
        return Stop(
            f"truncation_selection: {self.goal.shown(own)} at interval {interval} is among the "
            f"lowest {self.truncation_percentage}% ({dropped} of {total})"
        )

    def _counts(self, name: str, reports: int, interval: int, finished: Set[str]) -> bool:
        if name in finished:
            return not self.exclude_finished_jobs and reports > 0
        return reports >= interval
