"""What a sampler is asked and what it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from amlkit.light import dataclass
from amlkit.records import JSON


@dataclass(frozen=True)
class Observation:
    """One finished trial. objective: its primary metric as logged; may be NaN."""

    parameters: Mapping[str, JSON]
    objective: float


class Sampler(Protocol):
    """Suggests the parameters of trials. Random, Sobol and grid need the index alone."""

    def suggest(
        self,
        index: int,
        finished: Sequence[Observation],
        running: Sequence[Mapping[str, JSON]],
    ) -> dict[str, JSON] | None:
        """Return the parameters of one trial, or None when the space is exhausted.

        index: number of the trial, from 0. running: parameters of trials under way.
        """
        ...
