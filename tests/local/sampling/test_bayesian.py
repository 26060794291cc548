from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlkit.errors import NotSupported
from amlkit.local.sampling import Observation, open_sampler
from amlkit.local.sampling.inverse import coordinates
from amlkit.local.sampling.space import open_space

MIXED = {
    "lr": {"type": "loguniform", "min_value": -9, "max_value": 0},
    "units": {"type": "quniform", "min_value": 8, "max_value": 256, "q": 8},
    "layers": {"type": "randint", "upper": 5},
    "kind": {"type": "choice", "values": ["relu", "tanh", True, 1, 1.0]},
    "optimizer": {
        "type": "choice",
        "values": [
            {"name": "sgd", "momentum": {"type": "uniform", "min_value": 0, "max_value": 1}},
            {"name": "adam", "beta": {"type": "normal", "mu": 0, "sigma": 2}},
        ],
    },
    "fixed": 7,
}


def loss(parameters) -> float:
    """Least at lr = exp(-4), units = 128, layers = 3, tanh, adam with beta = 1."""
    value = (math.log(parameters["lr"]) + 4) ** 2 / 4 + (parameters["units"] - 128) ** 2 / 4000
    value += abs(parameters["layers"] - 3) + (parameters["kind"] != "tanh")
    if parameters["optimizer"]["name"] == "sgd":
        return value + 1 + parameters["optimizer"]["momentum"]
    return value + (parameters["optimizer"]["beta"] - 1) ** 2 / 4


def run(algorithm, seed, trials=40, goal="minimize", at_once=1):
    """Return the finished trials of a sweep, so many of them at once."""
    sampler = open_sampler(MIXED, algorithm, seed=seed, goal=goal)
    sign = -1 if goal == "maximize" else 1
    finished, running = [], []
    for index in range(trials):
        running.append(sampler.suggest(index, finished, running))
        if len(running) == at_once:
            done = running.pop(0)
            finished.append(Observation(done, sign * loss(done)))
    return finished


@pytest.mark.parametrize(("goal", "at_once"), [("minimize", 1), ("maximize", 1), ("minimize", 4)])
def test_it_finds_better_trials_than_random_sampling(goal, at_once) -> None:
    def best(algorithm):
        runs = [run(algorithm, seed, goal=goal, at_once=at_once) for seed in range(8)]
        return statistics.mean(min(abs(each.objective) for each in run) for run in runs)

    assert best("bayesian") < 0.75 * best("random")


def test_the_same_seed_and_results_give_the_same_trials() -> None:
    assert run("bayesian", 3, trials=20) == run("bayesian", 3, trials=20)
    assert run("bayesian", 3, trials=20) != run("bayesian", 4, trials=20)


def test_trials_that_run_at_once_differ() -> None:
    finished = run("bayesian", 1, trials=16)
    sampler = open_sampler(MIXED, "bayesian", seed=1, goal="minimize")
    running: list[dict] = []
    for index in range(16, 24):
        running.append(sampler.suggest(index, finished, running))
    assert len({str(each) for each in running}) == len(running)


def test_a_fresh_sampler_goes_on_from_what_is_finished() -> None:
    finished = run("bayesian", 2, trials=24)
    again = open_sampler(MIXED, "bayesian", seed=2, goal="minimize")
    suggested = [again.suggest(24 + n, finished, []) for n in range(4)]
    assert statistics.median(loss(each) for each in suggested) < statistics.median(
        each.objective for each in finished[:12]
    )


def test_trials_without_a_number_are_passed_over() -> None:
    finished = [Observation(each.parameters, math.nan) for each in run("bayesian", 1, trials=12)]
    sampler = open_sampler(MIXED, "bayesian", seed=1, goal="minimize")
    assert sampler.suggest(12, finished, []) is not None


def test_equal_results_do_not_stop_it() -> None:
    finished = [Observation(each.parameters, 1.0) for each in run("bayesian", 1, trials=14)]
    sampler = open_sampler(MIXED, "bayesian", seed=1, goal="minimize")
    assert sampler.suggest(14, finished, [])["fixed"] == 7


def test_a_small_space_is_used_up_before_a_trial_is_repeated() -> None:
    space = {"a": {"type": "choice", "values": [1, 2, 3]}, "b": {"type": "randint", "upper": 4}}
    sampler = open_sampler(space, "bayesian", seed=0, goal="minimize")
    finished: list[Observation] = []
    for index in range(30):
        found = sampler.suggest(index, finished, [])
        finished.append(Observation(found, float(found["a"] + found["b"])))
    assert len({str(each.parameters) for each in finished}) == 12


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000))
def test_parameters_lead_back_to_where_they_came_from(index) -> None:
    space = open_space(MIXED)
    sampled = open_sampler(MIXED, "random", seed=1).suggest(index, [], [])
    again = space.parameters(coordinates(space, sampled))
    assert again.keys() == sampled.keys()
    for name, value in sampled.items():
        if isinstance(value, float):
            assert again[name] == pytest.approx(value)
        elif name != "optimizer":
            assert (type(again[name]), again[name]) == (type(value), value)


def test_without_numpy_the_remedy_is_told(monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NotSupported, match="needs numpy") as caught:
        open_sampler(MIXED, "bayesian", seed=0)
    assert "amlkit[bayes]" in str(caught.value.hint)
