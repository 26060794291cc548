"""Bandit: end a trial whose best metric is not within a slack of the best trial's.

maximize: below best / (1 + slack_factor), or best - slack_amount. minimize: above
best * (1 + slack_factor), or best + slack_amount. Best means best up to the same interval.

Azure ML documents positive metrics only. Where the best would lie on the wrong side of its
own bound (a negative metric to maximize), the factor works the other way round, so slack always
means slack. With both slacks a trial ends only when it is outside both.

Source: "Hyperparameter tuning a model (v2)", bandit policy: 0.8 / (1 + 0.2) = 0.66; and
BanditPolicy in azureml.train.hyperdrive, which compares Y + Y * 0.2 with the best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from amlkit.light import dataclass
from amlkit.local.stopping.curves import WORST, Goal, Schedule
from amlkit.local.stopping.policy import Stop


@dataclass(frozen=True)
class Bandit:
    """A slack against the best trial. slack_factor: a ratio; slack_amount: in the metric's unit."""

    goal: Goal
    schedule: Schedule
    slack_factor: float = 0.0
    slack_amount: float = 0.0

    def decide(
        self, trial: str, curves: Mapping[str, Sequence[float]], finished: Set[str]
    ) -> Stop | None:
        """Return a Stop where the trial's best metric so far is outside the slack."""
        interval = len(curves.get(trial, ()))
        if not self.schedule.applies(interval):
            return None
        own = self.goal.best(curves[trial], interval)
        best = max(self.goal.best(curve, interval) for curve in curves.values())
        if best == WORST:
            return None
        bound, arithmetic = self._bound(best)
        if own >= bound:
            return None
        return Stop(
            f"bandit: {self.goal.shown(own)} at interval {interval} is worse than {arithmetic}"
        )

    def _bound(self, best: float) -> tuple[float, str]:
        shown = f"best {self.goal.shown(best)}"
        by_factor = (
            best / (1 + self.slack_factor) if best >= 0 else best * (1 + self.slack_factor),
            f"{shown} {'/' if best >= 0 else '*'} (1 + {self.slack_factor:g})",
        )
        by_amount = (
            best - self.slack_amount,
            f"{shown} {'-' if self.goal.maximize else '+'} {self.slack_amount:g}",
        )
        if not (self.slack_factor or self.slack_amount):
            return best, shown
        return min(
            by_factor if self.slack_factor else by_amount,
            by_amount if self.slack_amount else by_factor,
        )
