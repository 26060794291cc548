"""A search space as a tree over the unit cube: one axis a random choice, one value a leaf.

Every sampler draws coordinates in [0, 1) and the tree turns them into parameters, so a
distribution is defined once, here. A choice value that is a mapping is a nested (conditional)
space: the parameter gets the sampled mapping, and its entries become parameters as well.

Source: "Hyperparameter tuning a model (v2)" and "CLI (v2) sweep job YAML schema", parameter
expressions; nested spaces as in the azure-ai-ml test `sweep_job_recursive_search_space.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from amlkit.errors import UsageError, did_you_mean
from amlkit.light import dataclass
from amlkit.local.sampling.distributions import FIELDS, Numeric, open_numeric
from amlkit.records import JSON

DISTRIBUTIONS = ("choice", *FIELDS)


@dataclass(frozen=True)
class Literal:
    """A value that every trial gets as it is."""

    value: JSON


@dataclass(frozen=True)
class Leaf:
    """A number drawn from a distribution, on its own axis."""

    axis: int
    distribution: Numeric


@dataclass(frozen=True)
class Choice:
    """One of several values, each as likely; a value may be a space of its own."""

    axis: int
    options: tuple[Node, ...]

    def index(self, coordinate: float) -> int:
        """Return which option a coordinate in [0, 1) falls on."""
        return min(int(coordinate * len(self.options)), len(self.options) - 1)


@dataclass(frozen=True)
class Group:
    """Named parameters that are sampled together."""

    items: tuple[tuple[str, Node], ...]


Node: TypeAlias = "Literal | Leaf | Choice | Group"


@dataclass(frozen=True)
class Space:
    """A search space ready to be sampled.

    axes: the path of each axis, in order, as in `optimizer[1].momentum`.
    """

    root: Group
    axes: tuple[str, ...]

    def parameters(self, coordinates: Sequence[float]) -> dict[str, JSON]:
        """Return the parameters at a point of the unit cube, one coordinate an axis."""
        return flatten(_sample(self.root, coordinates))

    def nodes(self) -> Iterator[Leaf | Choice]:
        """Yield what lies on each axis, in order of the axes."""
        yield from sorted(_branches(self.root), key=lambda node: node.axis)


def open_space(space: Mapping[str, JSON], *, logbase: float | None = None) -> Space:
    """Return a search space as read from YAML, checked and ready to be sampled.

    logbase: base of the log distributions; e when None.
    Raises: UsageError: an unknown distribution, a bound that is missing or impossible.
    """
    axes: list[str] = []
    return Space(root=_group(space, "", axes, logbase), axes=tuple(axes))


def flatten(sampled: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return sampled parameters with the entries of nested spaces as parameters of their own.

    An outer parameter keeps its value when a nested one has the same name.
    """
    flat = dict(sampled)
    for value in sampled.values():
        if isinstance(value, Mapping):
            for name, nested in flatten(value).items():
                flat.setdefault(name, nested)
    return flat


def _group(space: Mapping[str, JSON], path: str, axes: list[str], logbase: float | None) -> Group:
    prefix = f"{path}." if path else ""
    return Group(
        tuple((name, _node(spec, f"{prefix}{name}", axes, logbase)) for name, spec in space.items())
    )


def _node(spec: JSON, path: str, axes: list[str], logbase: float | None) -> Node:
    if not (isinstance(spec, Mapping) and isinstance(spec.get("type"), str)):
        return Literal(spec)
    if spec["type"] == "choice":
        return _choice(spec, path, axes, logbase)
    if spec["type"] not in FIELDS:
        raise _unknown(str(spec["type"]), path)
    distribution = open_numeric(spec, path, logbase=logbase)
    axes.append(path)
    return Leaf(axis=len(axes) - 1, distribution=distribution)


def _choice(spec: Mapping[str, JSON], path: str, axes: list[str], logbase: float | None) -> Choice:
    values = spec.get("values")
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise UsageError(
            f"`{path}`: choice needs at least one value", hint="write it as `values: [16, 32]`"
        )
    axes.append(path)
    axis = len(axes) - 1
    options = (
        _option(value, f"{path}[{place}]", axes, logbase) for place, value in enumerate(values)
    )
    return Choice(axis=axis, options=tuple(options))


def _option(value: JSON, path: str, axes: list[str], logbase: float | None) -> Node:
    if not isinstance(value, Mapping):
        return Literal(value)
    if value.get("type") in DISTRIBUTIONS:
        return _node(value, path, axes, logbase)
    return _group(value, path, axes, logbase)


def _unknown(kind: str, path: str) -> UsageError:
    close = did_you_mean(kind, DISTRIBUTIONS)
    return UsageError(
        f"`{path}`: `{kind}` is not a distribution",
        hint=f"did you mean `{close}`?" if close else f"known: {', '.join(DISTRIBUTIONS)}",
    )


def _sample(group: Group, coordinates: Sequence[float]) -> dict[str, JSON]:
    return {name: _value(node, coordinates) for name, node in group.items}


def _value(node: Node, coordinates: Sequence[float]) -> JSON:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Leaf):
        return node.distribution.value(coordinates[node.axis])
    if isinstance(node, Choice):
        return _value(node.options[node.index(coordinates[node.axis])], coordinates)
    return _sample(node, coordinates)


def _branches(node: Node) -> Iterator[Leaf | Choice]:
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Choice):
        yield node
        for option in node.options:
            yield from _branches(option)
    elif isinstance(node, Group):
        for _, child in node.items:
            yield from _branches(child)
