"""The gate before a model is registered: `metrics.accuracy > 0.9 and metrics.loss < 0.5`."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping

from amlkit.errors import NotFound, UsageError, did_you_mean

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_TERM = re.compile(
    r"^\s*metrics\.(?P<metric>[^<>=!]+?)\s*(?P<sign>>=|<=|==|!=|>|<)\s*(?P<bound>\S+)\s*$"
)


def passes(condition: str, metrics: Mapping[str, float]) -> bool:
    """Whether the metrics meet every term of the condition; NaN meets none.

    Raises: UsageError: the condition does not parse. NotFound: a metric was not logged.
    """
    return all(_term(term, metrics) for term in re.split(r"\s+and\s+", condition.strip()))


def _term(term: str, metrics: Mapping[str, float]) -> bool:
    found = _TERM.match(term)
    bound = _number(found.group("bound")) if found else None
    if found is None or bound is None:
        raise UsageError(
            f"--if `{term}` cannot be read", hint="write it like `metrics.accuracy > 0.9`"
        )
    metric = found.group("metric")
    if metric not in metrics:
        close = did_you_mean(metric, metrics)
        known = ", ".join(f"`{each}`" for each in sorted(metrics)) or "nothing"
        hint = f"did you mean `{close}`?" if close else f"it logged {known}"
        raise NotFound(f"the job did not log `{metric}`", hint=hint)
    value = metrics[metric]
    return not math.isnan(value) and _OPERATORS[found.group("sign")](value, bound)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
