"""The sobol rule of random sampling: points that fill the space evenly, each by its index alone.

Direction numbers: S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional
projections" (2008), new-joe-kuo-6, the first 128 dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random

from amlkit.errors import UsageError
from amlkit.light import dataclass
from amlkit.local.sampling.sampler import Observation
from amlkit.local.sampling.space import Space
from amlkit.records import JSON

BITS = 30
DIMENSIONS = 128


@dataclass(frozen=True)
class SobolSampler:
    """Draws the points of one sequence, moved by a random shift of its bits: the seed's.

    Raises: UsageError: the space has more dimensions than the sequence.
    """

    space: Space
    seed: int

    def __post_init__(self) -> None:
        if len(self.space.axes) > DIMENSIONS:
            raise UsageError(
                f"the search space has {len(self.space.axes)} dimensions, more than the sobol"
                f" rule's {DIMENSIONS}",
                hint="leave out `rule: sobol`",
            )

    def suggest(
        self,
        index: int,
        finished: Sequence[Observation],
        running: Sequence[Mapping[str, JSON]],
    ) -> dict[str, JSON] | None:
        """Return the parameters of a trial; the same for the same seed and index."""
        return self.space.parameters(points(self.seed, index, self.space.axes))


def points(seed: int, index: int, axes: Sequence[str]) -> list[float]:
    """Return the coordinates of one point, one in (0, 1) for every axis."""
    return [
        (coordinate(index, axis) ^ shift(seed, name)) / (1 << BITS) + 0.5 / (1 << BITS)
        for axis, name in enumerate(axes)
    ]


def shift(seed: int, axis: str) -> int:
    """Return the bits by which an axis is moved."""
    return Random(f"{seed}/sobol/{axis}").getrandbits(BITS)  # noqa: S311 - not for secrets


def coordinate(index: int, dimension: int) -> int:
    """Return one coordinate of one unscrambled point, in [0, 2 ** BITS)."""
    gray = index ^ (index >> 1)
    value = 0
    for bit, direction in enumerate(_directions(dimension)):
        if gray >> bit & 1:
            value ^= direction
    return value


@cache
def _directions(dimension: int) -> tuple[int, ...]:
    degree, polynomial, *numbers = _table()[dimension]
    if degree == 0:
        return tuple(1 << (BITS - k) for k in range(1, BITS + 1))
    found = [numbers[k] << (BITS - 1 - k) for k in range(degree)]
    for k in range(degree, BITS):
        value = found[k - degree] ^ (found[k - degree] >> degree)
        for j in range(1, degree):
            if polynomial >> (degree - 1 - j) & 1:
                value ^= found[k - j]
        found.append(value)
    return tuple(found)


@cache
def _table() -> tuple[tuple[int, ...], ...]:
    """Return degree, polynomial and first direction numbers of each dimension."""
    text = files(__package__).joinpath("joe_kuo.txt").read_text(encoding="ascii")
    return tuple(
        tuple(int(word) for word in line.split())
        for line in text.splitlines()
        if not line.startswith("#")
    )
