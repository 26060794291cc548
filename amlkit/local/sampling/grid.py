"""Grid sampling: every combination of the choices once, the last parameter varying fastest.

Source: "Hyperparameter tuning a model (v2)": grid sampling can only be used with `choice`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from amlkit.errors import UsageError
from amlkit.light import dataclass
from amlkit.local.sampling.sampler import Observation
from amlkit.local.sampling.space import Choice, Group, Leaf, Literal, Node, Space, flatten
from amlkit.records import JSON


@dataclass(frozen=True)
class GridSampler:
    """Walks the grid in a fixed order and ends with None."""

    space: Space

    def __post_init__(self) -> None:
        for node in self.space.nodes():
            if isinstance(node, Leaf):
                raise UsageError(
                    f"grid sampling needs choices: `{self.space.axes[node.axis]}` is "
                    f"{node.distribution.kind}",
                    hint="list its values as choice(...), or use random sampling",
                )

    def suggest(
        self,
        index: int,
        finished: Sequence[Observation],
        running: Sequence[Mapping[str, JSON]],
    ) -> dict[str, JSON] | None:
        """Return the combination at an index, or None after the last."""
        if index >= (count(self.space.root) or 0):
            return None
        return flatten(_group_at(self.space.root, index))


def count(node: Node) -> int | None:
    """Return how many values a part of a space can take; None where it has a distribution."""
    if isinstance(node, Literal):
        return 1
    if isinstance(node, Leaf):
        return None
    parts = node.options if isinstance(node, Choice) else [child for _, child in node.items]
    counts = [each for each in map(count, parts) if each is not None]
    if len(counts) < len(parts):
        return None
    return sum(counts) if isinstance(node, Choice) else math.prod(counts)


def _group_at(group: Group, index: int) -> dict[str, JSON]:
    values: list[tuple[str, JSON]] = []
    for name, child in reversed(group.items):
        index, position = divmod(index, count(child) or 1)
        values.append((name, _value_at(child, position)))
    return dict(reversed(values))


def _value_at(node: Node, index: int) -> JSON:
    if isinstance(node, Group):
        return _group_at(node, index)
    if isinstance(node, Choice):
        for option in node.options:
            size = count(option) or 0
            if index < size:
                return _value_at(option, index)
            index -= size
    assert isinstance(node, Literal)
    return node.value
