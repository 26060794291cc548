from __future__ import annotations

import pytest
from scipy import stats

from amlkit.errors import UsageError
from amlkit.local.sampling import open_sampler
from amlkit.local.sampling.sobol import BITS, DIMENSIONS, coordinate

SOBOL = {"type": "random", "rule": "sobol"}


def uniform(count: int) -> dict[str, object]:
    return {f"x{n}": {"type": "uniform", "min_value": 0, "max_value": 1} for n in range(count)}


def test_unshifted_points_are_those_of_scipy() -> None:
    expected = stats.qmc.Sobol(DIMENSIONS, scramble=False, bits=BITS).random(256)
    for index in range(256):
        ours = [coordinate(index, axis) / (1 << BITS) for axis in range(DIMENSIONS)]
        assert ours == list(expected[index])


def test_the_points_of_a_seed_fill_the_space_more_evenly_than_random_ones() -> None:
    def spread(algorithm: object) -> float:
        sampler = open_sampler(uniform(4), algorithm, seed=3)
        points = [list(sampler.suggest(n, [], []).values()) for n in range(128)]
        return stats.qmc.discrepancy(points)

    assert spread(SOBOL) < 0.3 * spread("random")


def test_a_trial_is_a_function_of_seed_and_index() -> None:
    one, two = (open_sampler(uniform(3), SOBOL, seed=5) for _ in range(2))
    forwards = [one.suggest(n, [], []) for n in range(10)]
    backwards = [two.suggest(n, [], []) for n in reversed(range(10))]
    assert forwards == backwards[::-1]
    assert open_sampler(uniform(3), SOBOL, seed=6).suggest(0, [], []) != forwards[0]


@pytest.mark.parametrize("kind", ["normal", "lognormal"])
def test_unbounded_distributions_stay_finite(kind: str) -> None:
    sampler = open_sampler({"x": {"type": kind, "mu": 0, "sigma": 1}}, SOBOL, seed=0)
    values = [sampler.suggest(n, [], [])["x"] for n in range(256)]
    assert (
        stats.kstest(values, (stats.norm if kind == "normal" else stats.lognorm(1)).cdf).pvalue
        > 0.5
    )


def test_a_space_with_too_many_dimensions_is_refused() -> None:
    with pytest.raises(UsageError, match="more than the sobol"):
        open_sampler(uniform(DIMENSIONS + 1), SOBOL, seed=0)
