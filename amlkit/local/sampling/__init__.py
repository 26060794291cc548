"""Sampling algorithms for sweeps: `random` and `grid`. Stdlib only, the supervisor imports it."""

from __future__ import annotations

from collections.abc import Mapping

from amlkit.errors import NotSupported, UsageError, did_you_mean
from amlkit.local.sampling.grid import GridSampler, count
from amlkit.local.sampling.random import RandomSampler
from amlkit.local.sampling.sampler import Observation, Sampler
from amlkit.local.sampling.space import open_space
from amlkit.records import JSON

__all__ = ["Observation", "Sampler", "open_sampler", "size"]

ALGORITHMS = ("random", "grid", "bayesian")
RULES = ("random", "sobol")


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
        NotSupported: bayesian sampling, or the sobol rule.
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
        raise NotSupported(
            "the local workspace has no bayesian sampling yet", hint="use random or grid sampling"
        )
    if _known(str(stated.get("rule") or "random"), RULES, "rule of random sampling") == "sobol":
        raise NotSupported(
            "the local workspace has no sobol rule yet", hint="leave out `rule: sobol`"
        )
    return RandomSampler(opened, seed=number)


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
