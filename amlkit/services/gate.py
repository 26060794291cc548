"""The gate before a model is registered: `metrics.accuracy > 0.9 and metrics.loss < 0.5`."""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from amlkit.errors import NotFound, UsageError, did_you_mean, unreadable

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


def read(file: str | Path) -> dict[str, float]:
    """Return the numbers at the top of a JSON file; whatever else is in there is left alone.

    Raises: NotFound, AmlkitError: the file cannot be read. UsageError: it has no JSON object.
    """
    path = Path(file)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as cause:
        raise unreadable(path, cause) from None
    except ValueError as cause:
        raise UsageError(f"`{file}` is not JSON: {cause}") from None
    if not isinstance(found, dict):
        raise UsageError(f"`{file}` has no metrics", hint='write {"accuracy": 0.97}')
    plain = {key: value for key, value in found.items() if not isinstance(value, bool)}
    return {key: float(value) for key, value in plain.items() if isinstance(value, int | float)}


def passes(condition: str, metrics: Mapping[str, float], source: str = "the job") -> bool:
    """Whether the metrics meet every term of the condition; NaN meets none.

    source: where the metrics come from, for messages.
    Raises: UsageError: the condition does not parse. NotFound: a metric was not logged.
    """
    terms = re.split(r"\s+and\s+", condition.strip())
    return all(_term(term, metrics, source) for term in terms)


def _term(term: str, metrics: Mapping[str, float], source: str) -> bool:
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
        hint = f"did you mean `{close}`?" if close else f"it has {known}"
        raise NotFound(f"{source} has no metric `{metric}`", hint=hint)
    value = metrics[metric]
    return not math.isnan(value) and _OPERATORS[found.group("sign")](value, bound)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
