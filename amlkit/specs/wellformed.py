"""What is left of a document without the parts that are not well formed.

One misspelt field is no reason to keep quiet about a file that does not exist.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from amlkit.light import replace
from amlkit.specs import validation
from amlkit.specs.source import Source

if TYPE_CHECKING:
    from pydantic import BaseModel

# Where names are made: an entry that is wrong is still one that others may refer to.
_STAND_INS: Mapping[str, Any] = {
    "inputs": {"type": "string"},
    "outputs": {"type": "uri_folder"},
    "search_space": {"type": "choice", "values": [0]},
    "environment_variables": "",
}
# Kinds whose checks ask for no field that has to be there.
_PATIENT = {"job.command", "component.command"}
_ROUNDS = 4


def rest(
    kind: str, parsed: Source, model: type[BaseModel], ignored: Collection[str]
) -> Source | None:
    """Return the well-formed part of a document; None when its kind can do nothing with that.

    What it returns shares the places of `parsed`, and has problems of its own.
    """
    kept = replace(parsed, data=parsed.data, problems=[])
    # A union tells one member's complaints at a time.
    for _ in range(_ROUNDS):
        kept.problems = []
        if validation.validate(kept, model, ignored) is not None:
            return kept
        wrong = [each for each in kept.problems if each.code != "missing-field"]
        if len(wrong) < len(kept.problems) and kind not in _PATIENT:
            return None
        if not wrong:
            return kept
        for each in wrong:
            kept.data = _without(kept.data, each.path.split("."))
    return None


def _without(data: Any, path: list[str], group: str = "", within: str = "") -> Any:
    """Return a copy without the value at a path, or with something harmless in its place.

    group, within: the keys that the mapping stands under, the nearest first.
    """
    name, *below = path
    if isinstance(data, Mapping):
        # Keys may have dots in them; a problem's path has no more than one key for each.
        key = name if name in data else ".".join(path)
        if key not in data:
            return data
        if key == name and below:
            return {**data, key: _without(data[key], below, key, group)}
        others = {each: value for each, value in data.items() if each != key}
        if group in _STAND_INS:
            return {**others, key: _STAND_INS[group]}
        is_type = key == "type" and within in {"inputs", "outputs"}
        return {**others, key: "uri_folder"} if is_type else others
    if isinstance(data, list) and name.isdecimal() and int(name) < len(data):
        inner = [_without(data[int(name)], below)] if below else []
        return [*data[: int(name)], *inner, *data[int(name) + 1 :]]
    return data
