"""Whether a value fits an input of a component: data or literal, type, range, enum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlkit.specs import expressions

_LITERALS = {"string", "number", "integer", "boolean"}


def required(port: Any) -> bool:
    """Return whether a component's input has to be given."""
    if not isinstance(port, Mapping):
        return False
    return "default" not in port and str(port.get("optional", False)).lower() != "true"


def misfit(port: Any, value: Any, parents: Mapping[str, Any]) -> str | None:
    """Return why a value or binding does not fit a port, or None.

    parents: the pipeline's own inputs.
    """
    if not isinstance(port, Mapping):
        return None
    kind = str(port.get("type") or "").lower()
    if isinstance(value, str) and (found := expressions.bindings(value)):
        whole = len(found) == 1 and value.strip() == value[found[0].start : found[0].end]
        return _bound(kind, found[0], parents) if whole else None
    if isinstance(value, Mapping):
        return f"expected {_a(kind)}, got data" if kind in _LITERALS and "path" in value else None
    return _literal(kind, port, value) if kind in _LITERALS else None


def _bound(kind: str, binding: expressions.Binding, parents: Mapping[str, Any]) -> str | None:
    name = ".".join(binding.keys)
    if binding.root != "parent.inputs" or name not in parents:
        return None
    given = parents[name]
    if isinstance(given, Mapping):
        type_ = str(given.get("type") or "uri_folder").lower()
        is_data = type_ not in _LITERALS and "value" not in given
    else:
        # A path written as plain text becomes data when it is bound to a data input.
        type_, is_data = _name(given), False
        if isinstance(given, str):
            return None
    wants_data = kind not in _LITERALS
    if is_data != wants_data:
        return f"expected {_a(kind)}, and `{name}` of the pipeline is a {type_}"
    return None


def _name(value: Any) -> str:
    return {bool: "boolean", int: "integer", float: "number"}.get(type(value), "string")


def _literal(kind: str, port: Mapping[str, Any], value: Any) -> str | None:
    number = _number(value)
    if kind in {"number", "integer"} and number is None:
        return f'expected {_a(kind)}, got "{value}"'
    if kind == "integer" and number is not None and number != int(number):
        return f"expected an integer, got {value}"
    if kind == "boolean" and str(value).lower() not in {"true", "false"}:
        return f'expected a boolean, got "{value}"'
    low, high = _number(port.get("min")), _number(port.get("max"))
    if number is not None and low is not None and number < low:
        return f"{value} is less than the least, {port['min']}"
    if number is not None and high is not None and number > high:
        return f"{value} is more than the most, {port['max']}"
    words = port.get("enum")
    if isinstance(words, list) and str(value) not in {str(each) for each in words}:
        return f"`{value}` is none of {', '.join(f'`{each}`' for each in words)}"
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number - number == 0 else None


def _a(kind: str) -> str:
    return f"an {kind}" if kind[:1] in "aeiou" else f"a {kind}"
