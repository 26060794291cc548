"""Bayesian sampling: a Gaussian process over the trials so far, expected improvement for the next.

Numbers are points on their axis of the unit cube (so a log distribution is searched in its
logarithm), a quantised one where its step lies; a choice is a corner of its own for every value;
what a nested space does not use stands in the middle. Trials that run are taken to end as well as
the best one so far (constant liar), so that several at once spread out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np

from amlkit.light import dataclass, field
from amlkit.local.sampling.gaussian_process import Array, Fit, search
from amlkit.local.sampling.inverse import coordinates
from amlkit.local.sampling.sampler import Observation
from amlkit.local.sampling.sobol import points
from amlkit.local.sampling.space import Choice, Leaf, Space
from amlkit.records import JSON

KEPT = 120
"""Points that the process is fitted to at most: the best half, and the latest."""
REFINEMENTS = (0.05, 0.02, 0.007)
CHOICE_DISTANCE = 0.5
"""How far apart two values of a choice are, in units of the cube's edge."""


@dataclass
class BayesianSampler:
    """Suggests where improvement is most expected. The last length scales are kept."""

    space: Space
    seed: int
    goal: str
    _last: Fit | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._nodes = list(self.space.nodes())
        self._first = max(4, 2 * len(self.space.root.items))
        widths = [len(node.options) if isinstance(node, Choice) else 1 for node in self._nodes]
        self._owners = np.repeat(np.arange(len(widths)), widths)

    def suggest(
        self,
        index: int,
        finished: Sequence[Observation],
        running: Sequence[Mapping[str, JSON]],
    ) -> dict[str, JSON] | None:
        """Return the parameters of a trial; the first ones fill the space evenly."""
        told = [each for each in finished if math.isfinite(each.objective)]
        if not self._nodes or len(told) < min(self._first, 3) or index < self._first:
            return self.space.parameters(points(self.seed, index, self.space.axes))
        random = np.random.default_rng([self.seed, index])
        process = self._fit(told, running, random)
        return self._distinct(process, finished, running, random)

    def _fit(
        self,
        told: Sequence[Observation],
        running: Sequence[Mapping[str, JSON]],
        random: np.random.Generator,
    ) -> Fit:
        sign = -1.0 if self.goal.lower() == "maximize" else 1.0
        values = _standard(np.array([sign * each.objective for each in told]))
        kept = _kept(values)
        places = [self._place(told[each].parameters) for each in kept]
        places += [self._place(each) for each in running]
        lies = np.full(len(running), values.min())
        tries = 24 if len(places) < 60 else 6 if len(places) < 100 else 3
        every = np.concatenate([values[kept], lies])
        self._last = search(
            self._encode(places),
            every,
            self._owners,
            start=self._last,
            tries=tries,
            random=random,
        )
        return self._last

    def _distinct(
        self,
        process: Fit,
        finished: Sequence[Observation],
        running: Sequence[Mapping[str, JSON]],
        random: np.random.Generator,
    ) -> dict[str, JSON]:
        """Return the best candidate that is no trial yet; when all are, the best."""
        candidates = self._candidates(process, random)
        gains = process.improvement(self._encode(candidates))
        order = np.argsort(-gains, kind="stable")
        start = candidates[order[0]]
        for spread in REFINEMENTS:
            near = self._near(start[None, :], spread, 80, random)
            near = np.vstack([start[None, :], near])
            start = near[int(process.improvement(self._encode(near)).argmax())]
        seen = {_key(each.parameters) for each in finished} | {_key(each) for each in running}
        best = self.space.parameters(start.tolist())
        if _key(best) not in seen:
            return best
        for each in order:
            found = self.space.parameters(candidates[each].tolist())
            if _key(found) not in seen:
                return found
        return best

    def _candidates(self, process: Fit, random: np.random.Generator) -> Array:
        """Return points all over the cube, and around the best ones (candidates x axes)."""
        axes = len(self._nodes)
        spread = random.random((400, axes))
        best = self._decoded(process.points[np.argsort(process.values)[:5]])
        return np.vstack([spread, self._near(best, 0.1, 60, random)])

    def _near(
        self, centres: Array, spread: float, count: int, random: np.random.Generator
    ) -> Array:
        """Return points around some others; now and then another value of a choice."""
        axes = len(self._nodes)
        moved = centres[:, None, :] + random.normal(0, spread, (len(centres), count, axes))
        moved = np.clip(moved.reshape(-1, axes), 0.0, 1.0 - 1e-9)
        kept = np.repeat(centres, count, axis=0)
        for axis, node in enumerate(self._nodes):
            if isinstance(node, Choice):
                jump = random.random(len(moved)) < 1.0 / (1 + axes)
                moved[:, axis] = np.where(jump, random.random(len(moved)), kept[:, axis])
        return moved

    # Between parameters, the cube (one coordinate an axis) and the process's own space.

    def _place(self, parameters: Mapping[str, JSON]) -> list[float]:
        return coordinates(self.space, parameters)

    def _encode(self, places: Sequence[Sequence[float]] | Array) -> Array:
        """Return points as the process sees them: steps snapped, choices as corners."""
        cube = np.asarray(places, dtype=np.float64)
        columns: list[Array] = []
        for axis, node in enumerate(self._nodes):
            column = cube[:, axis]
            if isinstance(node, Choice):
                picked = np.minimum((column * len(node.options)).astype(int), len(node.options) - 1)
                corner = CHOICE_DISTANCE / math.sqrt(2)
                columns += [
                    np.where(picked == option, corner, 0.0) for option in range(len(node.options))
                ]
            else:
                columns.append(_snapped(node, column))
        return np.stack(columns, axis=1)

    def _decoded(self, encoded: Array) -> Array:
        """Return encoded points as coordinates of the cube again."""
        columns: list[Array] = []
        place = 0
        for node in self._nodes:
            if isinstance(node, Choice):
                count = len(node.options)
                columns.append((encoded[:, place : place + count].argmax(axis=1) + 0.5) / count)
                place += count
            else:
                columns.append(encoded[:, place])
                place += 1
        return np.stack(columns, axis=1)


def _snapped(node: Leaf, column: Array) -> Array:
    """Return coordinates moved to where their value's step lies: rounding is no improvement."""
    distribution = node.distribution
    if distribution.kind == "randint":
        steps = np.minimum((column * distribution.second).astype(int), distribution.second - 1)
        found: Array = (steps + 0.5) / distribution.second
        return found
    if distribution.q is None:
        return column
    clipped = np.clip(column, 1e-9, 1.0 - 1e-9)
    return np.array([distribution.coordinate(distribution.value(float(each))) for each in clipped])


def _standard(values: Array) -> Array:
    """Return values with mean 0 and deviation 1; far outliers are drawn in, they say little."""
    middle = float(np.median(values))
    reach = float(np.median(np.abs(values - middle))) * 1.4826
    if reach > 0:
        values = np.minimum(values, middle + 4.0 * reach)
    deviation = float(values.std())
    result: Array = (values - values.mean()) / (deviation if deviation > 0 else 1.0)
    return result


def _kept(values: Array) -> list[int]:
    """Return which points to fit to: all, or the best half and the latest half of KEPT."""
    if len(values) <= KEPT:
        return list(range(len(values)))
    best = set(np.argsort(values, kind="stable")[: KEPT // 2].tolist())
    latest = [each for each in range(len(values) - 1, -1, -1) if each not in best]
    return sorted(best | set(latest[: KEPT - len(best)]))


def _key(parameters: Mapping[str, JSON]) -> str:
    return json.dumps(parameters, sort_keys=True, default=str)
