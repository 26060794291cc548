"""Sampling algorithms for sweeps: `random` (also by the sobol rule), `grid` and `bayesian`.

Stdlib only, the supervisor imports it; bayesian sampling imports numpy when it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from amlkit.errors import NotSupported, UsageError, did_you_mean
from amlkit.local.sampling.grid import GridSampler, count
from amlkit.local.sampling.random import RandomSampler
from amlkit.local.sampling.sampler import Observation, Sampler
from amlkit.local.sampling.space import Space, open_space
from amlkit.records import JSON

__all__ = ["Observation", "Sampler", "check_installed", "open_sampler", "size"]

ALGORITHMS = ("random", "grid", "bayesian")
RULES = ("random", "sobol")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def open_sampler(
    space: Mapping[str, JSON],
    algorithm: Mapping[str, JSON] | str,
    *,
    seed: int,
    goal: str = "maximize",
) -> Sampler:
    """Return the sampler of a sweep.

    space: the `search_space` as in YAML; literals are passed through to every trial.
    algorithm: the `sampling_algorithm`, a name or a mapping with `type`, `rule`, `seed`, `logbase`.
    seed: used where the algorithm states none.
    goal: `maximize` or `minimize`, in any case.
    Raises: UsageError: an unknown algorithm or rule, a space that it cannot sample.
        NotSupported: bayesian sampling without numpy.
    """
    stated: Mapping[str, JSON] = (
        {"type": algorithm} if isinstance(algorithm, str) else dict(algorithm)
    )
    kind = _known(str(stated.get("type", "random")), ALGORITHMS, "sampling algorithm")
    opened = open_space(space, logbase=_logbase(stated.get("logbase")))
    own_seed = stated.get("seed")
    number = own_seed if isinstance(own_seed, int) else seed
    if kind == "grid":
        return GridSampler(opened)
    if kind == "bayesian":
        check_installed(kind)
        return _bayesian(opened, number, goal)
    if _known(str(stated.get("rule") or "random"), RULES, "rule of random sampling") == "sobol":
        from amlkit.local.sampling.sobol import SobolSampler

        return SobolSampler(opened, number)
    return RandomSampler(opened, seed=number)


def _bayesian(space: Space, seed: int, goal: str) -> Sampler:
    """Return the sampler with a numpy of one thread: the cores are for the trials."""
    given = {key: os.environ.get(key) for key in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        from amlkit.local.sampling.bayesian import BayesianSampler
    finally:
        for key, value in given.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
    return BayesianSampler(space, seed, goal)


def check_installed(kind: str) -> None:
    """Raises: NotSupported: an algorithm needs a library that is not here."""
    from importlib.util import find_spec

    if kind == "bayesian" and find_spec("numpy") is None:
        raise NotSupported(
            "bayesian sampling needs numpy, which is not installed beside amlkit",
            hint="pip install 'amlkit[bayes]', or use `sampling_algorithm: random`",
        )


def size(space: Mapping[str, JSON]) -> int | None:
    """Return the number of trials of a full grid; None when a parameter is not a choice."""
    return count(open_space(space).root)


def _known(name: str, known: tuple[str, ...], what: str) -> str:
    if name.lower() in known:
        return name.lower()
    close = did_you_mean(name.lower(), known)
    raise UsageError(
        f"`{name}` is not a {what}",
        hint=f"did you mean `{close}`?" if close else f"known: {', '.join(known)}",
    )


def _logbase(stated: JSON) -> float | None:
    if stated is None or stated == "e":
        return None
    try:
        base = float(str(stated))
    except ValueError:
        base = 0.0
    if base <= 0 or base == 1:
        raise UsageError(f"`logbase` is not a base: `{stated}`", hint="a number above 1, or e")
    return base
