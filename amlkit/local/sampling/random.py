"""Random sampling: every trial independent, a function of the seed and its index alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from amlkit.light import dataclass
from amlkit.local.sampling.sampler import Observation
from amlkit.local.sampling.space import Space
from amlkit.records import JSON


@dataclass(frozen=True)
class RandomSampler:
    """Draws every axis on its own, by its name: a new parameter leaves the others as they were."""

    space: Space
    seed: int

    def suggest(
        self,
        index: int,
        finished: Sequence[Observation],
        running: Sequence[Mapping[str, JSON]],
    ) -> dict[str, JSON] | None:
        """Return the parameters of a trial; the same for the same seed and index."""
        return self.space.parameters([draw(self.seed, index, axis) for axis in self.space.axes])


def draw(seed: int, index: int, axis: str) -> float:
    """Return a number in [0, 1) that is a function of its arguments alone."""
    return Random(f"{seed}/{index}/{axis}").random()  # noqa: S311 - not for secrets
