"""What a trial is judged by: the best value of the primary metric that it has reported.

Source: azureml.train.hyperdrive, HyperDriveRun.get_children_sorted_by_primary_metric: child runs
are "sorted by their best primary metric".
"""

from __future__ import annotations

import math
from collections.abc import Iterable


def best_value(reported: Iterable[float], goal: str) -> float | None:
    """Return the best finite value for a goal (`maximize` or `minimize`), or None."""
    finite = [value for value in reported if math.isfinite(value)]
    if not finite:
        return None
    return max(finite) if goal == "maximize" else min(finite)


def is_better(value: float, than: float, goal: str) -> bool:
    """Whether one objective is better than another."""
    return value > than if goal == "maximize" else value < than
