"""What is drawn of a sweep: its trials in the order they were started, and its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amlkit.light import dataclass
from amlkit.records import JSON, Job, Status
from amlkit.services.leaderboard import TrialRow


@dataclass(frozen=True)
class Figure:
    """A sweep ready to be drawn.

    trials: in the order they were started. best: index of the best trial with an objective.
    parameters: names of those that differ between trials or are searched, in the spec's order.
    logarithmic: the parameters that were searched on a logarithmic scale.
    """

    name: str
    status: str
    metric: str
    goal: str
    trials: tuple[TrialRow, ...]
    best: int | None
    parameters: tuple[str, ...]
    logarithmic: frozenset[str]

    @property
    def maximize(self) -> bool:
        """Whether higher is better."""
        return self.goal == "maximize"

    def counts(self) -> dict[str, int]:
        """Return how many trials there are of each status."""
        found: dict[str, int] = {}
        for trial in self.trials:
            found[trial.status] = found.get(trial.status, 0) + 1
        return found


def figure(sweep: Job, ranked: Sequence[TrialRow]) -> Figure:
    """Return the figure of a sweep. ranked: its trials, the best first."""
    objective = sweep.spec.get("objective")
    space = sweep.spec.get("search_space")
    assert isinstance(objective, Mapping)
    trials = tuple(sorted(ranked, key=lambda trial: trial.number))
    leading = [each for each in ranked if each.objective is not None]
    # The best trial is one that has completed, as everywhere; else the best there is.
    done = [each for each in leading if each.status == Status.COMPLETED] or leading
    return Figure(
        name=sweep.name,
        status=sweep.status.value,
        metric=str(objective["primary_metric"]),
        goal=str(objective["goal"]).lower(),
        trials=trials,
        best=trials.index(done[0]) if done else None,
        parameters=_parameters(trials),
        logarithmic=frozenset(_logarithmic(space)),
    )


def _parameters(trials: Sequence[TrialRow]) -> tuple[str, ...]:
    """Return every parameter; a nested space is shown by its entries, not by itself."""
    names = dict.fromkeys(
        name
        for trial in trials
        for name, value in trial.parameters.items()
        if not isinstance(value, Mapping)
    )
    return tuple(names)


def _logarithmic(space: JSON) -> list[str]:
    """Return the parameters of log distributions, those of nested spaces among them."""
    found: list[str] = []
    if isinstance(space, Mapping):
        for name, spec in space.items():
            if not isinstance(spec, Mapping):
                continue
            if "log" in str(spec.get("type")):
                found.append(name)
            values = spec.get("values")
            nested = values if isinstance(values, Sequence) and not isinstance(values, str) else ()
            for each in (spec, *nested):
                found += _logarithmic(each)
    return found
