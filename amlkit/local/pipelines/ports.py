"""What a step's inputs and outputs are bound to, once `${{parent...}}` is resolved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlkit.errors import InvalidSpec, NotSupported, Problem
from amlkit.light import dataclass, replace
from amlkit.local.pipelines.plans import Source
from amlkit.local.plans import InputPlan
from amlkit.local.resolving import Resolver
from amlkit.records import JSON
from amlkit.specs import expressions

Bound = InputPlan | Source
"""What fills an input: something known now, or an output of another step."""

LITERALS = frozenset({"string", "number", "integer", "boolean", "literal"})


@dataclass(frozen=True)
class Scope:
    """Where a step stands: the inputs of its pipeline, and the path of that pipeline.

    resolver: for paths, which are relative to the file that the step is written in.
    """

    path: str
    inputs: Mapping[str, Bound]
    resolver: Resolver

    def child(self, name: str) -> str:
        """Return the path of a step of this pipeline."""
        return f"{self.path}/{name}" if self.path else name


def bind(name: str, port: Mapping[str, Any], given: Any, scope: Scope) -> Bound:
    """Return what fills one input of a step.

    port: as the component declares it; empty for a command that is written in the pipeline.
    Raises: InvalidSpec: it is bound to nothing. NotFound: its data is not there.
    """
    if given is None:
        given = port.get("default")
    wanted = {key: port.get(key) for key in ("type", "mode")}
    if isinstance(given, Mapping):
        wanted |= {key: given[key] for key in ("type", "mode") if given.get(key)}
        given = given.get("path", given.get("value", given.get("default")))
    found = (
        _value(name, given, scope) if isinstance(given, str) else InputPlan("literal", value=given)
    )
    return _as(name, found, wanted["type"], wanted["mode"], scope)


def _value(name: str, text: str, scope: Scope) -> Bound:
    parts = expressions.parse(text)
    if not any(isinstance(each, expressions.Binding) for each in parts):
        return InputPlan("literal", value=text)
    if len(parts) == 1 and isinstance(parts[0], expressions.Binding):
        return _lookup(name, parts[0], scope)
    return InputPlan("literal", value="".join(_text(name, each, scope) for each in parts))


def _text(name: str, part: str | expressions.Binding, scope: Scope) -> str:
    if isinstance(part, str):
        return part
    found = _lookup(name, part, scope)
    if isinstance(found, Source) or found.digest is not None or found.uri is not None:
        raise NotSupported(
            f"{scope.child(name)}: `${{{{{part.text}}}}}` is data; it cannot be part of a text",
            hint="bind an input to it as a whole, and join the paths in the step's own code",
        )
    return "" if found.value is None else str(found.value)


def _lookup(name: str, binding: expressions.Binding, scope: Scope) -> Bound:
    keys = ".".join(binding.keys)
    if binding.root in {"parent.inputs", "inputs"} and keys in scope.inputs:
        return scope.inputs[keys]
    if binding.root == "parent.jobs" and len(binding.keys) == 3 and binding.keys[1] == "outputs":
        return Source(scope.child(binding.keys[0]), binding.keys[2])
    where = scope.child(name)
    message = f"`${{{{{binding.text}}}}}` is not defined"
    raise InvalidSpec([Problem(where, 0, 0, "", message, None, "undefined-name")])


def _as(name: str, found: Bound, kind: Any, mode: Any, scope: Scope) -> Bound:
    """Return what was found as the type and mode that the port has."""
    if isinstance(found, Source):
        return found
    type_ = str(kind or found.type).lower()
    if found.digest is not None or found.uri is not None:
        return replace(found, type=type_, mode=str(mode or found.mode))
    is_reference = isinstance(found.value, str) and found.value.startswith("azureml:")
    if found.value is None or (type_ in LITERALS and not (is_reference and kind is None)):
        return replace(found, value=_literal(type_, found.value))
    type_ = "uri_folder" if type_ in LITERALS else type_
    return scope.resolver.data(name, str(found.value), type_, str(mode or "ro_mount"))


def _literal(kind: str, value: JSON) -> JSON:
    """Return a literal as its type says: the text `3` of an integer is the number."""
    if not isinstance(value, str):
        return value
    try:
        if kind == "integer":
            return int(value)
        if kind == "number":
            return float(value)
    except ValueError:
        return value
    if kind == "boolean" and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return value


def declare(port: Mapping[str, Any] | None, given: Any) -> tuple[dict[str, Any], str | None]:
    """Return an output's declaration, and the pipeline's output that it is, or None.

    given: what the step says of it: a mapping, `${{parent.outputs.x}}`, or nothing.
    """
    merged = dict(port or {})
    text = given
    if isinstance(given, Mapping):
        merged |= {key: value for key, value in given.items() if value is not None}
        text = given.get("path")
    if isinstance(text, str):
        for each in expressions.bindings(text):
            if each.root == "parent.outputs":
                merged.pop("path", None)
                return merged, ".".join(each.keys)
    return merged, None
