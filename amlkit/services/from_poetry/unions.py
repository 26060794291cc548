"""`^1.2 || ^3.0` in words that pip has: one range, less the versions between the alternatives.

An alternative is an interval (or several, with `!=`). The union runs from the lowest start to the
highest end; each gap in it must be the sum of a few `!=A.*` (or one `!=V`), else pip cannot say it.
What stays different is the pre-releases of the version after a gap, which pip takes only on demand.
"""

from __future__ import annotations

from itertools import pairwise

from packaging.specifiers import Specifier
from packaging.version import Version

from amlkit.light import dataclass, replace
from amlkit.services.from_poetry.constraints import Conjunction, Constraint

_MOST_EXCLUSIONS = 200


class CannotExpress(ValueError):
    """The constraint is valid, but pip has no way to write it."""


@dataclass(frozen=True)
class Interval:
    """A run of versions; None means no limit on that side."""

    low: Version | None = None
    low_included: bool = False
    high: Version | None = None
    high_included: bool = False

    @property
    def is_empty(self) -> bool:
        """Say whether no version lies in it."""
        if self.low is None or self.high is None:
            return False
        if self.low == self.high:
            return not (self.low_included and self.high_included)
        return self.low > self.high


def as_conjunction(constraint: Constraint) -> Conjunction:
    """Return clauses that hold for exactly the versions of the union.

    Raises: CannotExpress: a gap between two alternatives is not a sum of `!=` clauses.
    """
    runs = _merged([run for each in constraint.alternatives for run in _intervals(each)])
    if not runs:
        raise CannotExpress(f"`{constraint.text}` allows no version at all")
    clauses = [*_start(runs[0])]
    for before, after in pairwise(runs):
        clauses += _gap(before, after, constraint.text)
    return (*clauses, *_end(runs[-1]))


def _intervals(clauses: Conjunction) -> list[Interval]:
    runs = [Interval()]
    for clause in clauses:
        runs = [
            both
            for run in runs
            for allowed in _of_clause(clause)
            if not (both := _intersection(run, allowed)).is_empty
        ]
    return runs


def _of_clause(clause: Specifier) -> list[Interval]:
    operator, text = clause.operator, clause.version
    if operator in {"==", "!="} and text.endswith(".*"):
        start = Version(text.removesuffix(".*"))
        low, high = _first_of(start), _first_of(_bumped(start))
        if operator == "==":
            return [Interval(low, True, high, False)]
        return [Interval(high=low), Interval(low=high, low_included=True)]
    version = Version(text)
    if operator == "~=":
        prefix = Version(f"{version.epoch}!" + ".".join(map(str, version.release[:-1])))
        return [Interval(version, True, _first_of(_bumped(prefix)), False)]
    plain = not version.is_prerelease and not version.is_postrelease
    return {
        "==": [Interval(version, True, version, True)],
        "===": [Interval(version, True, version, True)],
        "!=": [Interval(high=version), Interval(low=version)],
        ">=": [Interval(low=version, low_included=True)],
        ">": [Interval(low=version)],
        "<=": [Interval(high=version, high_included=True)],
        "<": [Interval(high=_first_of(version) if plain else version)],
    }[operator]


def _first_of(version: Version) -> Version:
    """Return the lowest version of a release: its `.dev0`."""
    return Version(f"{version.public}.dev0")


def _bumped(version: Version) -> Version:
    release = (*version.release[:-1], version.release[-1] + 1)
    return Version(f"{version.epoch}!" + ".".join(map(str, release)))


def _intersection(one: Interval, other: Interval) -> Interval:
    result = one
    if other.low is not None and (
        one.low is None or other.low > one.low or (other.low == one.low and not other.low_included)
    ):
        result = replace(result, low=other.low, low_included=other.low_included)
    if other.high is not None and (
        one.high is None
        or other.high < one.high
        or (other.high == one.high and not other.high_included)
    ):
        result = replace(result, high=other.high, high_included=other.high_included)
    return result


def _merged(runs: list[Interval]) -> list[Interval]:
    lowest = Version("0.dev0")
    runs = sorted(
        runs, key=lambda run: (run.low or lowest, run.low is not None and not run.low_included)
    )
    merged: list[Interval] = []
    for run in runs:
        if merged and _touch(merged[-1], run):
            merged[-1] = _widened(merged[-1], run)
        else:
            merged.append(run)
    return merged


def _touch(before: Interval, after: Interval) -> bool:
    if before.high is None or after.low is None:
        return True
    if before.high == after.low:
        return before.high_included or after.low_included
    if not before.high_included and before.high.dev == 0 and before.high < after.low:
        # `<2 || >=2` leaves only the pre-releases of 2 out, and those are nobody's wish.
        return after.low_included and Version(before.high.base_version) == after.low
    return before.high > after.low


def _widened(before: Interval, after: Interval) -> Interval:
    if before.high is None:
        return before
    if after.high is None or after.high > before.high:
        return replace(before, high=after.high, high_included=after.high_included)
    if after.high == before.high:
        return replace(before, high_included=before.high_included or after.high_included)
    return before


def _start(run: Interval) -> Conjunction:
    if run.low is None:
        return ()
    # A `.dev0` in a specifier would tell pip to take pre-releases of everything it matches.
    low = Version(run.low.base_version) if run.low.dev == 0 else run.low
    return (Specifier(f"{'>=' if run.low_included else '>'}{low}"),)


def _end(run: Interval) -> Conjunction:
    if run.high is None:
        return ()
    if run.high_included:
        return (Specifier(f"<={run.high}"),)
    high = Version(run.high.base_version) if run.high.dev == 0 else run.high
    return (Specifier(f"<{high}"),)


def _gap(before: Interval, after: Interval, text: str) -> Conjunction:
    if before.high is None or after.low is None:
        return ()
    if after.low in {before.high, _without_dev(before)} and not after.low_included:
        return (Specifier(f"!={after.low}"),)
    prefixes = None
    whole = not before.high_included and after.low_included and not after.low.is_postrelease
    if whole and before.high.epoch == after.low.epoch:
        prefixes = _between(before.high.release, after.low.release)
    if prefixes is None or before.high.dev != 0 or len(prefixes) > _MOST_EXCLUSIONS:
        raise CannotExpress(f"pip cannot express `{text}`")
    epoch = f"{before.high.epoch}!" if before.high.epoch else ""
    return tuple(Specifier(f"!={epoch}{'.'.join(map(str, each))}.*") for each in prefixes)


def _without_dev(run: Interval) -> Version | None:
    """Return V for a run that ends before `V.dev0`, as `<V` does."""
    if run.high is None or run.high_included or run.high.dev != 0:
        return None
    return Version(run.high.public.removesuffix(".dev0"))


def _between(start: tuple[int, ...], end: tuple[int, ...]) -> list[tuple[int, ...]] | None:
    """Return release prefixes that cover start (included) to end (not), None when infinitely many.

    Source: `(2,)` to `(3, 1)` is `2.*` and `3.0.*`; from `(1, 5)` to `(2,)` no list ends.
    """
    width = max(len(start), len(end))
    low, high = start + (0,) * (width - len(start)), end + (0,) * (width - len(end))
    split = next((at for at in range(width) if low[at] != high[at]), None)
    if split is None or any(low[split + 1 :]):
        return None
    prefixes = [(*high[:split], part) for part in range(low[split], high[split])]
    for level in range(split + 1, width):
        prefixes += [(*high[:level], part) for part in range(high[level])]
    return prefixes
