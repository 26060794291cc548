from __future__ import annotations

import math

import pytest
from scipy import stats

from amlkit.errors import UsageError
from amlkit.local.sampling import normal, open_sampler, size

TRIALS = 2000
CONTINUOUS = {
    "uniform": ({"min_value": 2, "max_value": 5}, stats.uniform(2, 3)),
    "loguniform": (
        {"min_value": -6, "max_value": -1},
        stats.loguniform(math.exp(-6), math.exp(-1)),
    ),
    "normal": ({"mu": 10, "sigma": 3}, stats.norm(10, 3)),
    "lognormal": ({"mu": 1, "sigma": 0.5}, stats.lognorm(0.5, scale=math.e)),
}


def drawn(spec: dict[str, object]) -> list[float]:
    sampler = open_sampler({"x": spec}, "random", seed=7)
    return [sampler.suggest(index, [], [])["x"] for index in range(TRIALS)]


@pytest.mark.parametrize("kind", CONTINUOUS)
def test_random_values_follow_the_continuous_distribution(kind: str) -> None:
    fields, expected = CONTINUOUS[kind]
    assert stats.kstest(drawn({"type": kind, **fields}), expected.cdf).pvalue > 0.01


@pytest.mark.parametrize("kind", CONTINUOUS)
@pytest.mark.parametrize("q", [2, 0.3])
def test_a_quantised_value_is_the_plain_value_rounded_to_steps_of_q(kind: str, q: float) -> None:
    fields, _ = CONTINUOUS[kind]
    plain = drawn({"type": kind, **fields})
    quantised = drawn({"type": f"q{kind}", **fields, "q": q})
    assert quantised == pytest.approx([round(value / q) * q for value in plain], rel=1e-11)
    assert all(isinstance(value, int if q == 2 else float) for value in quantised)


@pytest.mark.parametrize(
    "spec", [{"type": "randint", "upper": 5}, {"type": "choice", "values": [0, 1, 2, 3, 4]}]
)
def test_each_of_n_values_is_as_likely(spec: dict[str, object]) -> None:
    values = drawn(spec)
    counts = [values.count(each) for each in range(5)]
    assert sum(counts) == TRIALS
    assert stats.chisquare(counts).pvalue > 0.01


def test_the_quantile_agrees_with_scipy_to_double_precision() -> None:
    points = [1e-15, 1e-9, 0.02, 0.3, 0.5, 0.75, 0.999, 1 - 1e-12]
    assert [normal.quantile(p) for p in points] == pytest.approx(stats.norm.ppf(points), rel=1e-13)


def test_logbase_replaces_e() -> None:
    space = {"x": {"type": "loguniform", "min_value": -3, "max_value": -3}}
    sampler = open_sampler(space, {"type": "random", "logbase": 10}, seed=1)
    assert sampler.suggest(0, [], [])["x"] == pytest.approx(1e-3)


def test_a_trial_depends_on_seed_and_index_alone() -> None:
    space = {"a": {"type": "uniform", "min_value": 0, "max_value": 1}, "b": 5}
    first, second = (open_sampler(space, "random", seed=3) for _ in range(2))
    in_order = [first.suggest(index, [], []) for index in range(6)]
    running = [{"a": 0.1}]
    assert [second.suggest(index, [], running) for index in (5, 0, 3)] == [
        in_order[5],
        in_order[0],
        in_order[3],
    ]
    assert open_sampler(space, "random", seed=4).suggest(0, [], []) != in_order[0]
    assert in_order[0]["b"] == 5


def test_a_grid_has_every_combination_once_and_then_ends() -> None:
    nested = {"type": "choice", "values": ["sgd", {"beta": {"type": "choice", "values": [1, 2]}}]}
    space = {"opt": nested, "batch": {"type": "choice", "values": [16, 32]}}
    sampler = open_sampler(space, "grid", seed=0)
    trials = [sampler.suggest(index, [], []) for index in range(7)]
    assert size(space) == 6
    assert trials == [
        {"opt": "sgd", "batch": 16},
        {"opt": "sgd", "batch": 32},
        {"opt": {"beta": 1}, "batch": 16, "beta": 1},
        {"opt": {"beta": 1}, "batch": 32, "beta": 1},
        {"opt": {"beta": 2}, "batch": 16, "beta": 2},
        {"opt": {"beta": 2}, "batch": 32, "beta": 2},
        None,
    ]


def test_grid_refuses_a_distribution_by_name() -> None:
    space = {"lr": {"type": "uniform", "min_value": 0, "max_value": 1}}
    assert size(space) is None
    with pytest.raises(UsageError, match="`lr` is uniform"):
        open_sampler(space, "grid", seed=0)


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "unifrom", "min_value": 0, "max_value": 1},
        {"type": "uniform", "min_value": 0},
        {"type": "uniform", "min_value": 2, "max_value": 1},
        {"type": "quniform", "min_value": 0, "max_value": 1, "q": 0},
        {"type": "loguniform", "min_value": 0, "max_value": 10000},
        {"type": "randint", "upper": 0},
        {"type": "choice", "values": []},
    ],
)
def test_an_impossible_distribution_is_refused_with_its_path(spec: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="`x`"):
        open_sampler({"x": spec}, "random", seed=0)
