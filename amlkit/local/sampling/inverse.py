"""From a trial's parameters back to where it lies in the unit cube."""

from __future__ import annotations

from collections.abc import Mapping

from amlkit.local.sampling.space import Choice, Group, Leaf, Literal, Node, Space
from amlkit.records import JSON

UNUSED = 0.5
"""The coordinate of an axis that a nested space does not use."""


def coordinates(space: Space, parameters: Mapping[str, JSON]) -> list[float]:
    """Return one coordinate in [0, 1) for every axis; what is not used stands in the middle."""
    found = [UNUSED] * len(space.axes)
    _group(space.root, parameters, found)
    return found


def _group(group: Group, parameters: Mapping[str, JSON], found: list[float]) -> None:
    for name, node in group.items:
        if name in parameters:
            _node(node, parameters[name], found)


def _node(node: Node, value: JSON, found: list[float]) -> None:
    if isinstance(node, Leaf):
        if isinstance(value, int | float):
            place = node.distribution.coordinate(float(value))
            found[node.axis] = min(max(place, 0.0), 1.0 - 1e-12)
    elif isinstance(node, Group):
        if isinstance(value, Mapping):
            _group(node, value, found)
    elif isinstance(node, Choice):
        for index, option in enumerate(node.options):
            if _fits(option, value):
                found[node.axis] = (index + 0.5) / len(node.options)
                _node(option, value, found)
                return


def _fits(node: Node, value: JSON) -> bool:
    """Whether a node can have made a value."""
    if isinstance(node, Literal):
        return type(node.value) is type(value) and node.value == value
    if isinstance(node, Leaf):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(node, Choice):
        return any(_fits(option, value) for option in node.options)
    return (
        isinstance(value, Mapping)
        and {name for name, _ in node.items} == set(value)
        and all(_fits(child, value[name]) for name, child in node.items)
    )
