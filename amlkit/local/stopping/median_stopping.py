"""Median stopping: end a trial whose best metric is worse than the median running average.

At interval N each trial that has reported, the one in question included, counts with the mean
of its first N reports (all of them where it has fewer).

Source: "Hyperparameter tuning a model (v2)", median stopping policy: stopped at interval 5 if
its best primary metric is worse than the median of the running averages over intervals 1:5
across all training jobs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from amlkit.light import dataclass
from amlkit.local.stopping.curves import Goal, Schedule
from amlkit.local.stopping.policy import Stop


@dataclass(frozen=True)
class MedianStopping:
    """Compares a trial's best with the median of everyone's running averages."""

    goal: Goal
    schedule: Schedule

    def decide(
        self, trial: str, curves: Mapping[str, Sequence[float]], finished: Set[str]
    ) -> Stop | None:
        """Return a Stop where the trial's best metric so far is worse than the median."""
        interval = len(curves.get(trial, ()))
        if not self.schedule.applies(interval):
            return None
        reported = [self.goal.finite(curve, interval) for curve in curves.values()]
        averages = sorted(sum(values) / len(values) for values in reported if values)
        if not averages:
            return None
        own, median = self.goal.best(curves[trial], interval), _median(averages)
        if own >= median:
            return None
        return Stop(
            f"median_stopping: {self.goal.shown(own)} at interval {interval} is worse than "
            f"{self.goal.shown(median)}, the median of {len(averages)} running averages"
        )


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
