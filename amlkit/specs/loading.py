"""From a file to a checked model: reads, finds the kind, validates, and reports all at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit.errors import InvalidSpec, Problem, UsageError, did_you_mean, unreadable
from amlkit.specs import source as yaml_source
from amlkit.specs import validation
from amlkit.specs.source import Source

if TYPE_CHECKING:
    from pydantic import BaseModel

    from amlkit.specs import Loaded

# kind -> module and model; a module is imported when its kind is read.
KINDS = {
    "job.command": ("jobs", "CommandJob"),
    "job.sweep": ("jobs", "SweepJob"),
    "job.pipeline": ("pipelines", "PipelineJob"),
    "component.command": ("assets", "CommandComponent"),
    "component.pipeline": ("pipelines", "PipelineComponent"),
    "component.parallel": ("pipelines", "ParallelComponent"),
    "component.spark": ("pipelines", "SparkComponent"),
    "data": ("assets", "DataAsset"),
    "model": ("assets", "ModelAsset"),
    "environment": ("fields", "Environment"),
    "datastore.local": ("assets", "LocalDatastore"),
    "conda": ("assets", "CondaFile"),
}
_SCHEMAS = {
    "commandJob": "job.command",
    "sweepJob": "job.sweep",
    "pipelineJob": "job.pipeline",
    "commandComponent": "component.command",
    "pipelineComponent": "component.pipeline",
    "parallelComponent": "component.parallel",
    "sparkComponent": "component.spark",
    "data.": "data",
    "model.": "model",
    "environment.": "environment",
}


READ: ContextVar[dict[Path, str] | None] = ContextVar("read_files", default=None)
"""Notes every file that is read, where somebody wants to know."""


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
        dropped = lenient and found.startswith("component.")
        tolerated = validation.unknown_fields(parsed, chosen) if dropped else []
        model = validation.validate(parsed, chosen, {each.path for each in tolerated})
    parsed.problems += tolerated
    problems = list(parsed.problems)
    if model is not None:
        problems += _meaning(found, parsed, base, lenient)
    errors = [each for each in problems if each.severity == "error"]
    if errors or model is None:
        raise InvalidSpec(sorted(problems))
    return result(found, model, parsed.data, path, base, tuple(sorted(problems)), parsed.at)


def _meaning(kind: str, parsed: Source, base: Path, lenient: bool) -> list[Problem]:
    from amlkit.specs import checks, rules

    found = checks.check(kind, parsed, base, lenient=lenient) + rules.check(kind, parsed, base)
    if kind in {"job.pipeline", "component.pipeline", "component.parallel"}:
        from amlkit.specs import graph

        found += graph.check(kind, parsed, base, lenient=lenient)
    return found


def _read(path: Path | None) -> str:
    if path is None:
        return sys.stdin.read()
    try:
        text = path.read_text(encoding="utf-8-sig")
        if (noted := READ.get()) is not None:
            noted[path.absolute()] = text
        return text
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
    if "jobs" in data:
        return "pipeline"
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
    if written == "pipeline" or "jobs" in data:
        job_only = {"compute", "experiment_name", "settings", "component"} & data.keys()
        versioned = "version" in data or _typed_ports(data)
        return "component.pipeline" if versioned and not job_only else "job.pipeline"
    if written == "parallel":
        return "component.parallel"
    if written == "command" or "command" in data:
        job_only = {"compute", "experiment_name", "limits", "services"} & data.keys()
        component = (_typed_ports(data) or "version" in data) and not job_only
        return "component.command" if component and written == "command" else "job.command"
    if "image" in data or "conda_file" in data or "build" in data:
        return "environment"
    return f"job.{written}" if written else "job.command"


def _typed_ports(data: Mapping[str, Any]) -> bool:
    inputs = data.get("inputs")
    ports = inputs.values() if isinstance(inputs, Mapping) else ()
    return any(isinstance(each, Mapping) and "path" not in each for each in ports)


def _noun(kind: str) -> str:
    family, _, member = kind.partition(".")
    return f"{member} {family}" if member else family
