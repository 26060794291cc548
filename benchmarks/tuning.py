"""How good a sweep's samplers are: simple regret on known functions, against Optuna's TPE.

Needs optuna (`pip install optuna`), which nothing else here does. Not part of `make bench`.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping

# As a sweep's supervisor does: the cores are for the trials.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

from amlkit.local.sampling import Observation, open_sampler

Function = Callable[[Mapping[str, float]], float]


def branin(x: Mapping[str, float]) -> float:
    """Return the Branin function above its least value."""
    a, b = x["x0"], x["x1"]
    value = (b - 5.1 / (4 * math.pi**2) * a * a + 5 / math.pi * a - 6) ** 2
    return value + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10 - 0.397887


_ALPHA = (1.0, 1.2, 3.0, 3.2)
_A = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
_P = (
    (1312, 1696, 5569, 124, 8283, 5886),
    (2329, 4135, 8307, 3736, 1004, 9991),
    (2348, 1451, 3522, 2883, 3047, 6650),
    (4047, 8828, 8732, 5743, 1091, 381),
)


def hartmann6(x: Mapping[str, float]) -> float:
    """Return the six-dimensional Hartmann function above its least value."""
    value = 0.0
    for alpha, row, centre in zip(_ALPHA, _A, _P, strict=True):
        inner = sum(row[j] * (x[f"x{j}"] - centre[j] * 1e-4) ** 2 for j in range(6))
        value -= alpha * math.exp(-inner)
    return value + 3.32237


FUNCTIONS: dict[str, tuple[Function, dict[str, tuple[float, float]]]] = {
    "branin": (branin, {"x0": (-5.0, 10.0), "x1": (0.0, 15.0)}),
    "hartmann6": (hartmann6, {f"x{j}": (0.0, 1.0) for j in range(6)}),
}


def ours(name: str, algorithm: str, seed: int, trials: int) -> list[float]:
    """Return the regret after each trial."""
    function, bounds = FUNCTIONS[name]
    space = {
        key: {"type": "uniform", "min_value": low, "max_value": high}
        for key, (low, high) in bounds.items()
    }
    sampler = open_sampler(space, algorithm, seed=seed, goal="minimize")
    finished: list[Observation] = []
    for index in range(trials):
        parameters = sampler.suggest(index, finished, [])
        assert parameters is not None
        finished.append(Observation(parameters, function(parameters)))  # type: ignore[arg-type]
    return [min(each.objective for each in finished[: n + 1]) for n in range(trials)]


def tpe(name: str, seed: int, trials: int) -> list[float]:
    """Return the regret of Optuna's TPE after each trial."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    function, bounds = FUNCTIONS[name]
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(
        lambda trial: function({k: trial.suggest_float(k, *b) for k, b in bounds.items()}),
        n_trials=trials,
    )
    values = [each.value for each in study.trials]
    return [min(values[: n + 1]) for n in range(trials)]


def suggestion(count: int) -> float:
    """Return the median milliseconds of a suggestion with so many finished trials."""
    function, bounds = FUNCTIONS["hartmann6"]
    space = {
        key: {"type": "uniform", "min_value": low, "max_value": high}
        for key, (low, high) in bounds.items()
    }
    random = open_sampler(space, "random", seed=1)
    finished = []
    for index in range(count):
        parameters = random.suggest(index, [], [])
        assert parameters is not None
        finished.append(Observation(parameters, function(parameters)))  # type: ignore[arg-type]
    sampler = open_sampler(space, "bayesian", seed=1, goal="minimize")
    times = []
    for index in range(count, count + 21):
        started = time.perf_counter()
        sampler.suggest(index, finished, [])
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def main() -> int:
    """Print the medians; return 1 when bayesian sampling is not better than TPE."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = range(parser.parse_args().seeds)
    print(f"a suggestion at 200 finished trials: {suggestion(200):.1f} ms")
    within = True
    for name in FUNCTIONS:
        runs = {
            "bayesian": [ours(name, "bayesian", seed, 40) for seed in seeds],
            "random": [ours(name, "random", seed, 40) for seed in seeds],
            "optuna tpe": [tpe(name, seed, 40) for seed in seeds],
        }
        for after in (20, 40):
            medians = {
                what: statistics.median(run[after - 1] for run in each)
                for what, each in runs.items()
            }
            shown = "  ".join(f"{what} {value:.4f}" for what, value in medians.items())
            within = within and medians["bayesian"] < medians["optuna tpe"]
            print(f"{name:<10} regret after {after} trials: {shown}")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
