"""Every distribution with every sampler: what comes out follows the distribution's own law."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from amlkit.local.sampling import Observation, open_sampler

TRIALS = 2048
RULES = {"random": "random", "sobol": {"type": "random", "rule": "sobol"}}
UNIFORM = {"min_value": 2, "max_value": 5}
LOG = {"min_value": -3, "max_value": 2}
BELL = {"mu": 4, "sigma": 2}
LOG_BELL = {"mu": 1, "sigma": 0.5}
# kind -> its fields, and the law of what is rounded (or is not) to steps of q.
LAWS = {
    "uniform": (UNIFORM, stats.uniform(2, 3)),
    "loguniform": (LOG, stats.loguniform(math.exp(-3), math.exp(2))),
    "normal": (BELL, stats.norm(4, 2)),
    "lognormal": (LOG_BELL, stats.lognorm(0.5, scale=math.e)),
}
STEP = 0.5


def drawn(spec, rule, seed=11):
    sampler = open_sampler({"x": spec}, RULES[rule], seed=seed)
    return [sampler.suggest(index, [], [])["x"] for index in range(TRIALS)]


def follows(values, law, rule):
    """Whether numbers follow a continuous law; Sobol's points more closely than random ones."""
    found = stats.kstest(values, law.cdf)
    return found.statistic < 0.004 if rule == "sobol" else found.pvalue > 0.01


def follows_steps(values, law, rule):
    """Whether multiples of STEP come as often as a law has them between the halves around."""
    counts = Counter(round(value / STEP) for value in values)
    expected = {
        step: TRIALS * (law.cdf((step + 0.5) * STEP) - law.cdf((step - 0.5) * STEP))
        for step in range(min(counts) - 2, max(counts) + 3)
    }
    common = [step for step, count in expected.items() if count >= 5]
    rest = TRIALS - sum(expected[step] for step in common)
    seen = [counts[step] for step in common] + [TRIALS - sum(counts[step] for step in common)]
    wanted = [expected[step] for step in common] + [rest]
    if rest < 1e-9:
        seen, wanted = seen[:-1], wanted[:-1]
    if rule == "sobol":
        return all(abs(a - b) < 4 for a, b in zip(seen, wanted, strict=True))
    return stats.chisquare(seen, np.array(wanted) * sum(seen) / sum(wanted)).pvalue > 0.01


def follows_counts(values, options, rule):
    counts = Counter(values)
    assert set(counts) <= set(options)
    seen = [counts[each] for each in options]
    if rule == "sobol":
        return max(seen) - min(seen) <= 4
    return stats.chisquare(seen).pvalue > 0.01


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", LAWS)
def test_continuous_distributions(kind, rule):
    fields, law = LAWS[kind]
    assert follows(drawn({"type": kind, **fields}, rule), law, rule)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", LAWS)
def test_quantised_distributions(kind, rule):
    fields, law = LAWS[kind]
    values = drawn({"type": f"q{kind}", **fields, "q": STEP}, rule)
    assert all(value == pytest.approx(round(value / STEP) * STEP) for value in values)
    assert follows_steps(values, law, rule)


@pytest.mark.parametrize("rule", RULES)
def test_integers_and_choices(rule):
    assert follows_counts(drawn({"type": "randint", "upper": 7}, rule), range(7), rule)
    options = ["a", "b", 3, 4.5, True]
    assert follows_counts(drawn({"type": "choice", "values": options}, rule), options, rule)


@pytest.mark.parametrize("rule", RULES)
def test_a_law_that_is_a_little_off_is_noticed(rule):
    values = drawn({"type": "uniform", **UNIFORM}, rule)
    assert not follows(values, stats.uniform(2, 3.2), rule)
    assert not follows(drawn({"type": "normal", **BELL}, rule), stats.norm(4, 2.5), rule)
    steps = drawn({"type": "qnormal", **BELL, "q": STEP}, rule)
    assert not follows_steps(steps, stats.norm(4.5, 2), rule)
    assert not follows_counts([*range(7)] * 200 + [0] * 90, range(7), rule)


NESTED = {
    "model": {
        "type": "choice",
        "values": [
            {"kind": "tree", "depth": {"type": "randint", "upper": 4}},
            {"kind": "net", "lr": {"type": "loguniform", **LOG}, "inner": {
                "type": "choice", "values": [{"drop": {"type": "uniform", **UNIFORM}}, "none"]}},
            {"kind": "bell", "width": {"type": "qnormal", **BELL, "q": STEP}},
        ],
    },
    "seed": {"type": "uniform", "min_value": 0, "max_value": 1},
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_nested_choices_follow_the_law_of_each_branch(rule):
    sampler = open_sampler(NESTED, RULES[rule], seed=2)
    trials = [sampler.suggest(index, [], []) for index in range(3 * TRIALS)]
    branches = {kind: [t for t in trials if t["kind"] == kind] for kind in ("tree", "net", "bell")}
    assert stats.chisquare([len(each) for each in branches.values()]).pvalue > 0.01
    # What another branch has, a trial has not.
    assert all("lr" not in trial and "width" not in trial for trial in branches["tree"])
    assert all("depth" not in trial for trial in branches["net"])
    depths = Counter(trial["depth"] for trial in branches["tree"])
    assert stats.chisquare([depths[each] for each in range(4)]).pvalue > 0.01
    law = LAWS["loguniform"][1]
    assert stats.kstest([trial["lr"] for trial in branches["net"]], law.cdf).pvalue > 0.01
    drops = [trial["drop"] for trial in branches["net"] if "drop" in trial]
    assert stats.binomtest(len(drops), len(branches["net"])).pvalue > 0.01
    assert stats.kstest(drops, LAWS["uniform"][1].cdf).pvalue > 0.01
    widths = [trial["width"] for trial in branches["bell"]]
    assert abs(np.mean(widths) - 4) < 0.2
    assert abs(np.std(widths) - 2) < 0.15


@pytest.mark.parametrize("rule", RULES)
def test_parameters_are_independent_of_each_other(rule):
    space = {name: {"type": kind, **LAWS[kind][0]} for name, kind in zip("abcd", LAWS, strict=True)}
    sampler = open_sampler(space, RULES[rule], seed=4)
    columns = np.array([list(sampler.suggest(index, [], []).values()) for index in range(TRIALS)]).T
    ranks = np.corrcoef(stats.rankdata(columns, axis=1))
    assert np.abs(ranks - np.eye(4)).max() < 0.06


@pytest.mark.parametrize("kind", [*LAWS, *(f"q{each}" for each in LAWS), "randint", "choice"])
def test_bayesian_sampling_stays_within_the_distribution(kind):
    plain = kind.removeprefix("q") if kind.removeprefix("q") in LAWS else kind
    fields, law = LAWS.get(plain, ({"upper": 7}, None))
    spec = {"type": kind, **fields, **({"q": STEP} if kind != plain else {})}
    if kind == "choice":
        spec = {"type": "choice", "values": ["a", 2, 3.5]}
    sampler = open_sampler({"x": spec}, "bayesian", seed=1, goal="maximize")
    finished = []
    for index in range(25):
        value = sampler.suggest(index, finished, [])["x"]
        if law is not None:
            slack = STEP / 2 if kind != plain else 0.0
            low, high = law.support()
            assert low - slack <= value <= high + slack
            assert kind == plain or value == pytest.approx(round(value / STEP) * STEP)
        else:
            assert value in (range(7) if kind == "randint" else spec["values"])
        # The best is at the upper end: where a sampler that leaves its bounds would go.
        objective = float(value) if not isinstance(value, str) else 0.0
        finished.append(Observation({"x": value}, objective))
