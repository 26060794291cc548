"""What an early-termination policy is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Protocol

from amlkit.light import dataclass


@dataclass(frozen=True)
class Stop:
    """The order to end a trial. reason: one line for the person who looks at the trial."""

    reason: str


class Policy(Protocol):
    """Decides after every report of the primary metric. Pure: no state, no clock."""

    def decide(
        self, trial: str, curves: Mapping[str, Sequence[float]], finished: Set[str]
    ) -> Stop | None:
        """Return a Stop where the trial that has just reported should end.

        curves: primary metric of every trial, in report order; one report is one interval.
        finished: names of trials that have ended, for whatever reason.
        """
        ...
