from __future__ import annotations

import math

import pytest

from amlkit.errors import UsageError
from amlkit.local.stopping import open_policy


def stopped(spec: dict[str, object], goal: str, curves: dict[str, list[float]], **more: set[str]):
    return open_policy(spec, goal).decide("own", curves, more.get("finished", set()))


@pytest.mark.parametrize(
    ("slack", "goal", "best", "own", "ends"),
    [
        ({"slack_factor": 0.2}, "maximize", 0.8, 0.66, True),  # 0.8 / 1.2 = 0.6667
        ({"slack_factor": 0.2}, "Maximize", 0.8, 0.67, False),
        ({"slack_amount": 0.2}, "maximize", 0.8, 0.59, True),
        ({"slack_amount": 0.2}, "maximize", 0.8, 0.61, False),
        ({"slack_factor": 0.2}, "minimize", 1.0, 1.21, True),
        ({"slack_factor": 0.2}, "minimize", 1.0, 1.19, False),
        ({"slack_amount": 0.5}, "minimize", 1.0, 1.51, True),
        ({"slack_factor": 0.2}, "maximize", -1.0, -1.1, False),
        ({"slack_factor": 0.2}, "maximize", -1.0, -1.3, True),
        ({"slack_factor": 0.1, "slack_amount": 0.5}, "maximize", 0.8, 0.4, False),
        ({}, "maximize", 0.8, 0.79, True),
    ],
)
def test_bandit_arithmetic(slack, goal: str, best: float, own: float, ends: bool) -> None:
    found = stopped({"type": "bandit", **slack}, goal, {"best": [best], "own": [own]})
    assert (found is not None) == ends


def test_bandit_says_its_arithmetic() -> None:
    curves = {"best": [0.92] * 5, "own": [0.61] * 5}
    found = stopped({"type": "bandit", "slack_factor": 0.1}, "maximize", curves)
    assert found.reason == "bandit: 0.61 at interval 5 is worse than best 0.92 / (1 + 0.1)"


def test_bandit_compares_with_the_best_at_the_same_interval() -> None:
    curves = {"best": [0.5, 0.99], "own": [0.5]}
    assert stopped({"type": "bandit", "slack_factor": 0.1}, "maximize", curves) is None


@pytest.mark.parametrize(
    ("reports", "applies"), [(2, False), (3, False), (4, False), (5, False), (6, True), (7, False)]
)
def test_a_policy_applies_at_multiples_of_the_interval_from_the_delay(
    reports: int, applies: bool
) -> None:
    spec = {"type": "bandit", "evaluation_interval": 3, "delay_evaluation": 4}
    found = stopped(spec, "maximize", {"best": [1.0] * 9, "own": [0.1] * reports})
    assert (found is not None) == applies


@pytest.mark.parametrize(("own", "ends"), [([0.1, 0.29], True), ([0.1, 0.31], False)])
def test_median_stopping_arithmetic(own: list[float], ends: bool) -> None:
    # Running averages over 1:2: 0.3, 0.5 and the trial's own 0.2; their median is 0.3.
    curves = {"a": [0.2, 0.4, 0.9], "b": [0.4, 0.6], "own": own}
    found = stopped({"type": "median_stopping"}, "maximize", curves)
    assert (found is not None) == ends


@pytest.mark.parametrize(("percentage", "ends"), [(19, False), (20, True), (40, True)])
def test_truncation_ends_the_lowest_share(percentage: int, ends: bool) -> None:
    curves = {"a": [0.9], "b": [0.8], "c": [0.7], "d": [0.6], "own": [0.5]}
    spec = {"type": "truncation_selection", "truncation_percentage": percentage}
    assert (stopped(spec, "maximize", curves) is not None) == ends
    assert stopped(spec, "minimize", curves) is None


def test_truncation_can_leave_finished_trials_out() -> None:
    curves = {"a": [0.9], "b": [0.8], "own": [0.5]}
    spec = {"type": "truncation_selection", "truncation_percentage": 40}
    assert stopped(spec, "maximize", curves, finished={"a", "b"}) is not None
    spec["exclude_finished_jobs"] = True
    assert stopped(spec, "maximize", curves, finished={"a", "b"}) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", ["bandit", "median_stopping", "truncation_selection"])
def test_values_that_are_not_finite_break_nothing(kind: str, bad: float) -> None:
    spec = {"type": kind, "truncation_percentage": 50}
    assert stopped(spec, "minimize", {"a": [bad], "own": [0.5]}) is None
    assert stopped(spec, "minimize", {"a": [bad], "own": [bad]}) is None
    assert stopped(spec, "minimize", {"a": [0.5], "own": [bad]}) is not None


def test_no_policy_lets_everything_run() -> None:
    assert open_policy(None, "maximize").decide("own", {"own": [0.0], "a": [1.0]}, set()) is None


def test_a_mistyped_policy_is_refused_with_the_right_name() -> None:
    with pytest.raises(UsageError) as caught:
        open_policy({"type": "bandits"}, "maximize")
    assert caught.value.hint == "did you mean `bandit`?"
