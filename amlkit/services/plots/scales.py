"""Scales: from a value to a place between 0 and 1, with the marks that an axis shows."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence

from amlkit.light import dataclass
from amlkit.records import JSON

MOST_CATEGORIES = 12
_LARGEST = sys.float_info.max
_TINY = 1e-300


@dataclass(frozen=True)
class Scale:
    """An axis. place: a value's place in [0, 1], None where it has none; ticks: (place, text)."""

    place: Callable[[JSON], float | None]
    ticks: tuple[tuple[float, str], ...]
    categorical: bool = False


def of_values(
    values: Sequence[JSON], *, logarithmic: bool = False, measured: bool = False
) -> Scale:
    """Return the scale that fits some values; those that are None have no place.

    logarithmic: asked for, and done where every number is positive.
    measured: never categories, however few different numbers there are.
    """
    given = [each for each in values if each is not None]
    if not given:
        return Scale(lambda value: None, ())
    numbers = [float(str(each)) for each in given if is_number(each)]
    if len(numbers) < len(given) or (not measured and _few(given)):
        return _categories(given)
    finite = [each for each in numbers if math.isfinite(each)]
    if not finite:
        return Scale(lambda value: None, ())
    low, high = min(finite), max(finite)
    if logarithmic and low > 0 and high / low > 2:
        return _logarithmic(low, high)
    whole = all(isinstance(each, int) for each in given)
    return _linear(low, high, whole)


def is_number(value: JSON) -> bool:
    """Whether a value is a number: true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(value: float) -> str:
    """Return a number as short as it can be read."""
    return f"{value:.4g}"


def text(value: JSON) -> str:
    """Return any value as a person would write it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def _few(values: Sequence[JSON]) -> bool:
    """Whether numbers are those of a choice: few, and each given more than once."""
    distinct = {text(each) for each in values}
    return len(distinct) <= MOST_CATEGORIES // 2 and len(values) >= 3 * len(distinct)


def _categories(values: Sequence[JSON]) -> Scale:
    if all(is_number(each) for each in values):
        values = sorted(values, key=lambda each: float(str(each)))
    names = list(dict.fromkeys(text(each) for each in values))
    places = {name: (n + 0.5) / len(names) for n, name in enumerate(names)}
    every = math.ceil(len(names) / MOST_CATEGORIES)
    return Scale(
        lambda value: places.get(text(value)) if value is not None else None,
        tuple((places[name], name) for name in names[::every]),
        categorical=True,
    )


def _linear(low: float, high: float, whole: bool) -> Scale:
    if high / 4 == low / 4:
        pad = 0.5 if abs(low) < _TINY else abs(low) / 2
        low, high = max(low - pad, -_LARGEST), min(high + pad, _LARGEST)
    # In quarters: the difference of two huge numbers may be infinite.
    width = (high / 4 - low / 4) * 1.08
    bottom = low / 4 - (width - (high / 4 - low / 4)) / 2
    marks = [(each, number(each)) for each in _round_numbers(low, high, whole)]
    if len({shown for _, shown in marks}) < len(marks):
        marks = [(each, f"{each:.9g}") for each, _ in marks]

    def place(value: JSON) -> float | None:
        if not is_number(value) or not math.isfinite(float(str(value))):
            return None
        return (float(str(value)) / 4 - bottom) / width

    return Scale(place, tuple((_at(place, each), shown) for each, shown in marks))


def _round_numbers(low: float, high: float, whole: bool) -> list[float]:
    """Return about five round numbers between two."""
    width = high - low
    if not math.isfinite(width) or width <= 0:
        return [low, high]
    rough = width / 5
    power = 10.0 ** math.floor(math.log10(rough))
    if power == 0 or not math.isfinite(power):
        return [low, high]
    steps = (1, 2, 5, 10) if whole else (1, 2, 2.5, 5, 10)
    step = power * next((each for each in steps if each * power >= rough), 10)
    step = max(step, 1.0) if whole else step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last - first > 20 or step == 0:
        return [low, high]
    return [each * step for each in range(first, last + 1)]


def _logarithmic(low: float, high: float) -> Scale:
    start, end = math.log10(low), math.log10(high)
    pad = (end - start) * 0.08

    def place(value: JSON) -> float | None:
        if not is_number(value) or not 0 < float(str(value)) < math.inf:
            return None
        return (math.log10(float(str(value))) - start + pad) / (end - start + 2 * pad)

    first, last = math.ceil(start - 1e-9), math.floor(end + 1e-9)
    marks = [10.0**each for each in range(first, last + 1, max(1, (last - first) // 5))]
    if len(marks) < 2:
        marks = [low, math.sqrt(low) * math.sqrt(high), high]
    return Scale(place, tuple((_at(place, each), number(each)) for each in marks))


def _at(place: Callable[[JSON], float | None], value: float) -> float:
    found = place(value)
    return 0.0 if found is None else found
