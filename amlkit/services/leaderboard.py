"""The order of a sweep's trials: the best first, those without an objective last."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from amlkit.light import dataclass, replace
from amlkit.records import JSON, Record


@dataclass(frozen=True)
class TrialRow(Record):
    """One trial. objective: its best primary metric, None when it logged none.

    number: its place in the order of starts, from 0. curve: (step, value) of every report.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "rank",
        "name",
        "objective",
        "status",
        "duration",
        "parameters",
    )

    name: str
    parameters: Mapping[str, JSON]
    objective: float | None
    status: str
    duration_seconds: float | None
    curve: tuple[tuple[int, float], ...] = ()
    rank: int | None = None
    number: int = 0
    error: str | None = None

    def as_dict(self) -> dict[str, JSON]:
        """Return the row without its curve, the rank first; `error` says why it was ended."""
        return {
            "rank": self.rank,
            "name": self.name,
            "objective": self.objective,
            "status": self.status,
            "duration_seconds": self.duration_seconds,
            "parameters": dict(self.parameters),
            "error": self.error,
        }


def rank(trials: Sequence[TrialRow], goal: str) -> list[TrialRow]:
    """Return the trials in order, numbered from 1; equal ones stay in the order given."""
    sign = -1.0 if goal == "maximize" else 1.0

    def order(trial: TrialRow) -> tuple[bool, float]:
        value = trial.objective
        if value is None or math.isnan(value):
            return True, 0.0
        return False, sign * value

    return [replace(each, rank=n) for n, each in enumerate(sorted(trials, key=order), start=1)]
