"""Azure ML's nine numeric distributions as inverse CDFs: a coordinate in [0, 1) to a value.

uniform(min, max); log forms are `base ** x` with x uniform or normal, so loguniform(-6, -1)
lies between exp(-6) and exp(-1); q forms are `round(x / q) * q` and may leave the bounds by
half a step, as on Azure ML; randint(upper) is an integer in [0, upper).

A quantised value is an integer where q is one, so that `--units 64` can be read by
`type=int`; otherwise it has 12 significant digits (0.3, not 0.30000000000000004).

Source: "CLI (v2) sweep job YAML schema", parameter expressions; `logbase`: REST reference,
RandomSamplingAlgorithm ("a positive number or e in string format to be used as base for log
based random sampling").
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from amlkit.errors import UsageError
from amlkit.light import dataclass
from amlkit.local.sampling import normal
from amlkit.records import JSON

_RANGE = ("min_value", "max_value")
_BELL = ("mu", "sigma")

FIELDS: Mapping[str, tuple[str, ...]] = {
    "randint": ("upper",),
    "uniform": _RANGE,
    "quniform": (*_RANGE, "q"),
    "loguniform": _RANGE,
    "qloguniform": (*_RANGE, "q"),
    "normal": _BELL,
    "qnormal": (*_BELL, "q"),
    "lognormal": _BELL,
    "qlognormal": (*_BELL, "q"),
}
_LARGEST_EXPONENT = 700.0


@dataclass(frozen=True)
class Numeric:
    """One distribution over numbers.

    first, second: the bounds, or mu and sigma, before any exponential; randint: 0 and upper.
    q: step of a quantised distribution, else None.
    logbase: base of a log distribution, else None.
    """

    kind: str
    first: float
    second: float
    q: float | None = None
    logbase: float | None = None

    def value(self, coordinate: float) -> int | float:
        """Return the value at a coordinate in [0, 1): the inverse CDF."""
        if self.kind == "randint":
            return min(int(coordinate * self.second), int(self.second) - 1)
        drawn = self._underlying(coordinate)
        if self.logbase is not None:
            drawn = math.exp(drawn * math.log(self.logbase))
        return drawn if self.q is None else quantise(drawn, self.q)

    def coordinate(self, value: float) -> float:
        """Return where in [0, 1] a value lies; the middle of its step where it is quantised."""
        if self.kind == "randint":
            return (value + 0.5) / self.second
        if self.logbase is not None:
            floor = self.q / 4 if self.q else 5e-324
            value = math.log(max(value, floor)) / math.log(self.logbase)
        if self.bell:
            return normal.probability((value - self.first) / self.second) if self.second else 0.5
        width = self.second - self.first
        return min(max((value - self.first) / width, 0.0), 1.0) if width else 0.5

    @property
    def bell(self) -> bool:
        """Whether this is one of the four normal distributions."""
        return self.kind.endswith("normal")

    def _underlying(self, coordinate: float) -> float:
        if self.bell:
            return self.first + self.second * normal.quantile(coordinate)
        return self.first + coordinate * (self.second - self.first)


def quantise(value: float, q: float) -> int | float:
    """Return `round(value / q) * q`, an integer where q is one."""
    steps = round(value / q)
    return steps * int(q) if float(q).is_integer() else float(f"{steps * q:.12g}")


def open_numeric(spec: Mapping[str, JSON], path: str, *, logbase: float | None = None) -> Numeric:
    """Return the distribution that a mapping as read from YAML describes.

    path: where in the search space, for the message.
    Raises: UsageError: a bound that is missing, not a number, or impossible.
    """
    kind = str(spec["type"])
    numbers = [_number(spec, kind, name, path) for name in FIELDS[kind]]
    if kind == "randint":
        numbers.insert(0, 0.0)
    distribution = Numeric(
        kind=kind,
        first=numbers[0],
        second=numbers[1],
        q=numbers[2] if len(numbers) > 2 else None,
        logbase=(logbase or math.e) if "log" in kind else None,
    )
    _refuse_impossible(distribution, path)
    return distribution


def _number(spec: Mapping[str, JSON], kind: str, name: str, path: str) -> float:
    found = spec.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        problem = f"needs `{name}`" if name not in spec else f"`{name}` is not a number: `{found}`"
        raise UsageError(f"`{path}`: {kind} {problem}", hint=f"it takes {', '.join(FIELDS[kind])}")
    return float(found)


def _refuse_impossible(distribution: Numeric, path: str) -> None:
    first, second = distribution.first, distribution.second
    if distribution.kind == "randint":
        if second < 1 or not second.is_integer():
            raise UsageError(
                f"`{path}`: randint has no integer in [0, {second:g})",
                hint="`upper` is an integer from 1, and is itself never drawn",
            )
    elif distribution.bell and second < 0:
        raise UsageError(f"`{path}`: `sigma` is negative: `{second:g}`", hint="make it positive")
    elif not distribution.bell and second < first:
        raise UsageError(
            f"`{path}`: `min_value` {first:g} is above `max_value` {second:g}", hint="swap them"
        )
    if distribution.q is not None and distribution.q <= 0:
        raise UsageError(f"`{path}`: `q` is not positive: `{distribution.q:g}`", hint="try 1")
    _refuse_overflow(distribution, path)


def _refuse_overflow(distribution: Numeric, path: str) -> None:
    if distribution.logbase is None:
        return
    ends = (distribution._underlying(0.0), distribution._underlying(1.0))
    if max(abs(end * math.log(distribution.logbase)) for end in ends) > _LARGEST_EXPONENT:
        raise UsageError(
            f"`{path}`: {distribution.kind} leaves the range of floating point numbers",
            hint="bounds of log distributions are exponents: loguniform(-6, -1) is 0.0025 to 0.37",
        )
