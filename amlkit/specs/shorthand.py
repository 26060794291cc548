"""The command line's short forms: `loguniform(-6,-1)`, `bandit(slack_factor=0.1)`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amlkit.errors import UsageError, did_you_mean

_RANGE = ("min_value", "max_value")
_DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    "choice": ("values",),
    "randint": ("upper",),
    "uniform": _RANGE,
    "loguniform": _RANGE,
    "quniform": (*_RANGE, "q"),
    "qloguniform": (*_RANGE, "q"),
    "normal": ("mu", "sigma"),
    "lognormal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "qlognormal": ("mu", "sigma", "q"),
}
_EVERY = ("evaluation_interval", "delay_evaluation")
_POLICIES: Mapping[str, tuple[str, ...]] = {
    "bandit": ("slack_factor", "slack_amount", *_EVERY),
    "median_stopping": _EVERY,
    "truncation_selection": ("truncation_percentage", *_EVERY, "exclude_finished_jobs"),
}
_CALL = re.compile(r"^\s*([A-Za-z_]+)\s*(?:\((.*)\))?\s*$", re.DOTALL)
_ARGUMENT = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[^,"'])*)\s*(?:,|$)""")


def parse_distribution(text: str) -> dict[str, Any]:
    """Return the YAML of a distribution written like `uniform(0,1)` or `choice(16,32,64)`.

    Raises: UsageError: with the place of what cannot be read.
    """
    name, arguments = _call(text, _DISTRIBUTIONS, "distribution")
    if name == "choice":
        return {"type": name, "values": [_value(each) for each, _ in arguments]}
    fields = _named(text, name, arguments, _DISTRIBUTIONS[name], needed=True)
    return {"type": name, **{key: _number(text, *value) for key, value in fields.items()}}


def parse_policy(text: str) -> dict[str, Any]:
    """Return the YAML of an early-termination policy, as `bandit(slack_factor=0.1)`.

    Raises: UsageError: with the place of what cannot be read.
    """
    name, arguments = _call(text, _POLICIES, "policy")
    fields = _named(text, name, arguments, _POLICIES[name], needed=False)
    found: dict[str, Any] = {"type": name}
    for key, (value, place) in fields.items():
        if key == "exclude_finished_jobs":
            found[key] = _value(value)
        else:
            found[key] = _number(text, value, place)
    return found


def _call(
    text: str, known: Mapping[str, tuple[str, ...]], noun: str
) -> tuple[str, list[tuple[str, int]]]:
    """Return the name and the arguments, each with its place in the text."""
    found = _CALL.match(text)
    names = ", ".join(known)
    if found is None:
        raise UsageError(f"`{text}` is not a {noun}", hint=f"write NAME(...), NAME one of {names}")
    name = found.group(1).lower()
    if name not in known:
        close = did_you_mean(name, known)
        hint = f"did you mean `{close}`?" if close else f"known are {names}"
        raise UsageError(f"`{text}`: no {noun} is called `{name}`", hint=hint)
    inner = found.group(2) or ""
    arguments = []
    position = 0
    while position < len(inner):
        part = _ARGUMENT.match(inner, position)
        if part is None or part.end() == position:
            raise UsageError(f"`{text}`, character {found.start(2) + position + 1}: unreadable")
        arguments.append((part.group(1).strip(), found.start(2) + position + 1))
        position = part.end()
    return name, arguments


def _named(
    text: str,
    name: str,
    arguments: list[tuple[str, int]],
    fields: tuple[str, ...],
    *,
    needed: bool,
) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    form = f"{name}({', '.join(fields)})"
    for index, (argument, place) in enumerate(arguments):
        key, equals, value = argument.partition("=")
        if equals:
            key = key.strip()
        elif index < len(fields):
            key, value = fields[index], argument
        else:
            raise UsageError(f"`{text}`, character {place}: one argument too many", hint=form)
        if key not in fields:
            close = did_you_mean(key, fields)
            hint = f"did you mean `{close}`?" if close else f"write {form}"
            raise UsageError(f"`{text}`, character {place}: {name} has no `{key}`", hint=hint)
        found[key] = (value.strip(), place)
    missing = [field for field in fields if field not in found]
    if needed and missing:
        raise UsageError(f"`{text}`: {name} needs `{missing[0]}`", hint=f"write {form}")
    return found


def _number(text: str, value: str, place: int) -> float | int:
    try:
        number = float(value)
    except ValueError:
        raise UsageError(f"`{text}`, character {place}: `{value}` is not a number") from None
    return int(value) if re.fullmatch(r"[-+]?\d+", value) else number


def _value(text: str) -> Any:
    """Return a choice's value as YAML would read it; quotes make it text."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
