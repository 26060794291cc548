"""From a document to its model, and from what pydantic says to problems at their places."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from amlkit.errors import Problem, did_you_mean
from amlkit.specs.source import Source

if TYPE_CHECKING:
    from pydantic import BaseModel


def unknown_fields(parsed: Source, model: type[BaseModel]) -> list[Problem]:
    """Return warnings of the fields on top that Azure ML drops from a component in silence."""
    known = _known_fields(model, ("",))
    return [
        parsed.problem(
            (name,),
            f"unknown field `{name}`: Azure ML ignores it",
            f"did you mean `{close}`?" if (close := did_you_mean(name, known)) else "delete it",
            code="unknown-field",
            key=True,
            severity="warning",
        )
        for name in parsed.data
        if name not in known
    ]


def validate(
    parsed: Source, model: type[BaseModel], ignored: Collection[str] = ()
) -> BaseModel | None:
    """Return the model of a document, or None with its problems added to the source's."""
    from pydantic import ValidationError

    try:
        return model.model_validate({k: v for k, v in parsed.data.items() if k not in ignored})
    except ValidationError as error:
        parsed.problems += _problems(parsed, model, error)
        return None


def _problems(parsed: Source, model: type[BaseModel], error: Any) -> list[Problem]:
    found: dict[tuple[str, ...], list[Problem]] = {}
    for each in error.errors(include_url=False, include_context=True):
        path = _path(parsed.data, each["loc"])
        problem = _problem(parsed, model, path, each)
        found.setdefault(tuple(str(part) for part in path), []).append(problem)
    # A union reports each member that did not fit; deeper problems say more than its own.
    kept = []
    for path, problems in found.items():
        deeper = any(other != path and other[: len(path)] == path for other in found)
        if not deeper or problems[0].code in {"unknown-field", "missing-field"}:
            kept.append(problems[0])
    return kept


def _path(data: Any, location: Sequence[str | int]) -> tuple[str | int, ...]:
    """Return the part of pydantic's location that is in the document: unions add their own."""
    path: list[str | int] = []
    here = data
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if isinstance(here, Mapping) and (part in here or (last and isinstance(part, str))):
            if part not in here and not _field_like(str(part)):
                break
            path.append(part)
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            path.append(part)
            here = here[part]
    return tuple(path)


def _field_like(part: str) -> bool:
    return (
        part.replace("_", "").replace("$", "").isalnum()
        and part
        not in {
            "str",
            "int",
            "float",
            "bool",
        }
        and not part[:1].isupper()
    )


def _problem(
    parsed: Source, model: type[BaseModel], path: Sequence[str | int], error: Mapping[str, Any]
) -> Problem:
    kind = error["type"]
    name = str(path[-1]) if path else ""
    if kind == "missing":
        return parsed.problem(path, f"`{name}` is missing", f"add `{name}:`", code="missing-field")
    if kind == "extra_forbidden":
        close = did_you_mean(name, _known_fields(model, path))
        hint = f"did you mean `{close}`?" if close else "delete it"
        return parsed.problem(path, f"unknown field `{name}`", hint, code="unknown-field", key=True)
    if kind == "string_pattern_mismatch" and name == "name":
        return parsed.problem(
            path,
            f"`{error['input']}` cannot be a name here",
            "use lower-case letters, digits and `_`, starting with a letter",
            code="name",
        )
    if kind == "string_pattern_mismatch":
        words = str(error["ctx"]["pattern"]).replace("_?", "_").strip("^$()").split("|")
        close = did_you_mean(str(error["input"]).lower(), words)
        known = ", ".join(words)
        hint = f"did you mean `{close}`?" if close else f"use one of {known}"
        return parsed.problem(
            path, f"`{error['input']}` is not known here", hint, code="unknown-word"
        )
    message = str(error["msg"]).removeprefix("Value error, ")
    message = message[:1].lower() + message[1:].replace("Input should be", "expected")
    message = message.replace("input should be", "expected").replace(
        "expected a valid", "expected a"
    )
    message = message.replace("expected a integer", "expected an integer")
    message = re.sub(r"dictionary( or instance of \w+)?", "mapping", message)
    shown = _shown(error.get("input"))
    if shown and "got" not in message:
        message += f", got {shown}"
    return parsed.problem(path, message, code="wrong-type")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value[:60]}"'
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return str(value)


def _known_fields(model: type[BaseModel], path: Sequence[str | int]) -> set[str]:
    """Return the fields that could have been meant: those of the models along the path."""
    from pydantic import BaseModel as Base

    models: list[type[Base]] = [model]
    for part in path[:-1]:
        below: list[type[Base]] = []
        for each in models:
            field = each.model_fields.get(str(part))
            below += _models_in(field.annotation) if field is not None else []
        models = below or models
    return {field.alias or name for each in models for name, field in each.model_fields.items()}


def _models_in(annotation: Any) -> list[Any]:
    from typing import get_args

    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]
