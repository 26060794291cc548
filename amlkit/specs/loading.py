"""From a file to a checked model: reads, finds the kind, validates, and reports all at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit.errors import InvalidSpec, Problem, UsageError, did_you_mean, unreadable
from amlkit.specs import source as yaml_source
from amlkit.specs.source import Source

if TYPE_CHECKING:
    from pydantic import BaseModel

    from amlkit.specs import Loaded

# kind -> module and model; a module is imported when its kind is read.
KINDS = {
    "job.command": ("jobs", "CommandJob"),
    "job.sweep": ("jobs", "SweepJob"),
    "component.command": ("assets", "CommandComponent"),
    "data": ("assets", "DataAsset"),
    "model": ("assets", "ModelAsset"),
    "environment": ("fields", "Environment"),
    "datastore.local": ("assets", "LocalDatastore"),
    "conda": ("assets", "CondaFile"),
}
_SCHEMAS = {
    "commandJob": "job.command",
    "sweepJob": "job.sweep",
    "commandComponent": "component.command",
    "data.": "data",
    "model.": "model",
    "environment.": "environment",
}


def model_of(kind: str) -> type[BaseModel]:
    """Return the model of a kind. Raises: UsageError: this version does not read it."""
    if kind not in KINDS:
        close = did_you_mean(kind, KINDS)
        known = ", ".join(KINDS)
        raise UsageError(
            f"no kind of spec is called `{kind}`",
            hint=f"did you mean `{close}`?" if close else f"known are {known}",
        )
    module, name = KINDS[kind]
    found: type[BaseModel] = getattr(import_module(f"amlkit.specs.{module}"), name)
    return found


@contextmanager
def _without_plugins() -> Iterator[None]:
    """Spare pydantic its look through all installed packages for plugins: 11 ms."""
    given = os.environ.get("PYDANTIC_DISABLE_PLUGINS")
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    try:
        yield
    finally:
        if given is None:
            del os.environ["PYDANTIC_DISABLE_PLUGINS"]
        else:
            os.environ["PYDANTIC_DISABLE_PLUGINS"] = given


def load(
    source: Path | str,
    *,
    kind: str | None,
    overrides: Sequence[str],
    lenient: bool,
    text: str | None,
    result: type[Loaded],
) -> Loaded:
    """Do what `amlkit.specs.load` says."""
    path = None if str(source) == "-" else Path(source)
    if text is None:
        text = _read(path)
    parsed = yaml_source.parse(text, str(path) if path is not None else "<stdin>")
    if overrides:
        yaml_source.override(parsed, overrides)
    if not isinstance(parsed.data, dict):
        message = "the file is empty" if parsed.data is None else "a mapping of fields is needed"
        raise InvalidSpec([parsed.problem((), message, "start with `type:`", code="shape")])
    found = _kind(parsed, kind)
    base = path.absolute().parent if path is not None else Path.cwd()
    with _without_plugins():
        chosen = model_of(found)
        tolerated = _unknown_fields(parsed, chosen) if lenient and "component" in found else ()
        model = _validate(parsed, chosen, {each.path for each in tolerated})
    parsed.problems += tolerated
    problems = list(parsed.problems)
    if model is not None:
        from amlkit.specs import checks, rules

        problems += checks.check(found, parsed, base, lenient=lenient)
        problems += rules.check(found, parsed, base)
    errors = [each for each in problems if each.severity == "error"]
    if errors or model is None:
        raise InvalidSpec(sorted(problems))
    return result(found, model, parsed.data, path, base, tuple(sorted(problems)), parsed.at)


def _read(path: Path | None) -> str:
    if path is None:
        return sys.stdin.read()
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as cause:
        raise unreadable(path, cause) from None
    except UnicodeDecodeError as cause:
        message = f"this is not UTF-8 text (byte {cause.start})"
        raise InvalidSpec([Problem(str(path), 1, 1, "", message, None, "encoding")]) from None


def _kind(parsed: Source, wanted: str | None) -> str:
    found = _found_kind(parsed.data, wanted)
    if wanted is not None and found != wanted and not found.startswith(wanted + "."):
        raise InvalidSpec(
            [
                parsed.problem(
                    ("type",), f"this is a {_noun(found)}, not a {_noun(wanted)}", code="kind"
                )
            ]
        )
    if found not in KINDS:
        known = sorted({kind for kind in KINDS if kind.split(".")[0] == found.split(".")[0]})
        close = did_you_mean(found, known)
        hint = f"did you mean `{close.split('.')[-1]}`?" if close else None
        named = parsed.data.get("type")
        message = f"`{named}` is not a type that this version of amlkit reads"
        raise InvalidSpec([parsed.problem(("type",), message, hint, code="kind")])
    return found


def _found_kind(data: Mapping[str, Any], wanted: str | None) -> str:
    if wanted in KINDS:
        return str(wanted)
    schema = str(data.get("$schema") or "").rsplit("/", 1)[-1]
    by_schema = next((kind for name, kind in _SCHEMAS.items() if schema.startswith(name)), None)
    written = str(data.get("type") or "")
    if wanted == "job":
        return f"job.{written or _untyped_job(data)}"
    if wanted == "component":
        return f"component.{written or 'command'}"
    if wanted == "datastore":
        return f"datastore.{written}"
    if wanted is not None:
        return wanted
    return by_schema or _by_content(data, written)


def _untyped_job(data: Mapping[str, Any]) -> str:
    return "sweep" if "trial" in data else "command"


def _by_content(data: Mapping[str, Any], written: str) -> str:
    if written in {"uri_file", "uri_folder", "mltable"}:
        return "data"
    if written.endswith("_model"):
        return "model"
    if "dependencies" in data and "image" not in data:
        return "conda"
    if written == "sweep" or "trial" in data:
        return "job.sweep"
    if written == "command" or "command" in data:
        inputs = data.get("inputs")
        ports = inputs.values() if isinstance(inputs, Mapping) else ()
        typed = any(isinstance(each, Mapping) and "path" not in each for each in ports)
        job_only = {"compute", "experiment_name", "limits", "services"} & data.keys()
        component = (typed or "version" in data) and not job_only
        return "component.command" if component and written == "command" else "job.command"
    if "image" in data or "conda_file" in data or "build" in data:
        return "environment"
    return f"job.{written}" if written else "job.command"


def _noun(kind: str) -> str:
    family, _, member = kind.partition(".")
    return f"{member} {family}" if member else family


def _unknown_fields(parsed: Source, model: type[BaseModel]) -> list[Problem]:
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


def _validate(
    parsed: Source, model: type[BaseModel], ignored: Collection[str] = ()
) -> BaseModel | None:
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
        words = str(error["ctx"]["pattern"]).strip("^$()").split("|")
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
