"""Learning curves as every policy sees them: higher is better, NaN and infinities left out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from amlkit.light import dataclass

WORST = -math.inf


@dataclass(frozen=True)
class Goal:
    """Turns metrics so that higher is better, and back for messages."""

    maximize: bool

    def turned(self, value: float) -> float:
        """Return a metric with the sign that makes higher better; its own inverse."""
        return value if self.maximize else -value

    def finite(self, curve: Sequence[float], interval: int) -> list[float]:
        """Return the finite values up to an interval, turned. A NaN still counts as a report."""
        return [self.turned(value) for value in curve[:interval] if math.isfinite(value)]

    def best(self, curve: Sequence[float], interval: int) -> float:
        """Return the best value up to an interval, turned; `WORST` where none is finite."""
        return max(self.finite(curve, interval), default=WORST)

    def shown(self, turned: float) -> str:
        """Return a turned value as logged, for a message."""
        return f"{self.turned(turned):.6g}" if math.isfinite(turned) else "no finite value"


@dataclass(frozen=True)
class Schedule:
    """When a policy applies, counted in reports of the primary metric by the trial itself.

    Source: "Hyperparameter tuning a model (v2)": every multiple of evaluation_interval that is
    greater than or equal to delay_evaluation. The default interval of 0 means every report.
    """

    evaluation_interval: int = 1
    delay_evaluation: int = 0

    def applies(self, interval: int) -> bool:
        """Return whether the policy applies when a trial has reported this often."""
        every = max(self.evaluation_interval, 1)
        return interval >= max(self.delay_evaluation, 1) and interval % every == 0
