"""From a file to a checked model: reads, finds the kind, validates, and reports all at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.errors import InvalidSpec, Problem, unreadable
from amlkit.specs import kinds, validation, wellformed
from amlkit.specs import source as yaml_source
from amlkit.specs.source import Source

if TYPE_CHECKING:
    from amlkit.specs import Loaded

_SERVICES = frozenset(
    {"online_endpoint", "online_deployment", "batch_deployment", "schedule", "workspace"}
)
_JOB_ONLY = frozenset({"compute", "experiment_name", "limits", "objective", "services", "trial"})
READ: ContextVar[dict[Path, str] | None] = ContextVar("read_files", default=None)
"""Notes every file that is read, where somebody wants to know."""


@contextmanager
def _without_plugins() -> Iterator[None]:
    """Spare pydantic its look through all installed packages for plugins: 11 ms."""
    given = os.environ.get("PYDANTIC_DISABLE_PLUGINS")
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    try:
        yield
    finally:
        if given is None:
            # Another thread may have taken it away already.
            os.environ.pop("PYDANTIC_DISABLE_PLUGINS", None)
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
    by_program: bool = False,
) -> Loaded:
    """Do what `amlkit.specs.load` says."""
    path = None if str(source) == "-" else Path(source)
    if text is None:
        text = _read(path)
    parsed = yaml_source.parse(text, str(path) if path is not None else "<stdin>")
    parsed.by_program = by_program
    if overrides:
        yaml_source.override(parsed, overrides)
    if not isinstance(parsed.data, dict):
        message = "the file is empty" if parsed.data is None else "a mapping of fields is needed"
        raise InvalidSpec([parsed.problem((), message, "start with `type:`", code="shape")])
    found = kinds.find(parsed, kind)
    base = path.absolute().parent if path is not None else Path.cwd()
    with _without_plugins():
        chosen = kinds.model_of(found)
        dropped = lenient and found.startswith("component.")
        tolerated = validation.unknown_fields(parsed, chosen) if dropped else []
        dropped_fields = {each.path for each in tolerated}
        model = validation.validate(parsed, chosen, dropped_fields)
        # What is well formed has a meaning, whatever else is wrong: people want all at once.
        rest = parsed if model is not None else None
        if rest is None:
            rest = wellformed.rest(found, parsed, chosen, dropped_fields)
    parsed.problems += tolerated
    problems = list(parsed.problems)
    if rest is not None:
        # A part that lost a wrong field for this has not the shape that was written.
        wrong = [each.path for each in problems]
        problems += [
            each
            for each in _meaning(found, rest, base, lenient)
            if each.code != "shape" or not any(at.startswith(f"{each.path}.") for at in wrong)
        ]
    errors = [each for each in problems if each.severity == "error"]
    if errors or model is None:
        problems += _of_a_job(parsed, kind)
        raise InvalidSpec(sorted(set(problems), key=_in_order))
    warnings = tuple(sorted(set(problems), key=_in_order))
    return result(found, model, parsed.data, path, base, warnings, parsed.at)


def _of_a_job(parsed: Source, wanted: str | None) -> list[Problem]:
    """Say of a broken component that it reads as a job: its fields are not to be mended then."""
    guess = kinds.family_of(parsed.data) or ""
    inputs = parsed.data.get("inputs")
    given = inputs.values() if isinstance(inputs, dict) else ()
    evident = _JOB_ONLY & parsed.data.keys() or any(not isinstance(each, dict) for each in given)
    if (
        wanted != "component"
        or not evident
        or not guess.startswith("job.")
        or guess not in kinds.KINDS
    ):
        return []
    message = f"this looks like a {kinds.noun(guess)}, not a component"
    hint = "a job is run with amlkit job submit; a component has typed inputs and no compute"
    return [parsed.problem((), message, hint, code="kind")]


def _in_order(problem: Problem) -> tuple[str, int, int, str, str]:
    return (problem.file, problem.line, problem.column, problem.path, problem.message)


def _meaning(kind: str, parsed: Source, base: Path, lenient: bool) -> list[Problem]:
    from amlkit.specs import checks, rules

    found = checks.check(kind, parsed, base, lenient=lenient) + rules.check(kind, parsed, base)
    if kind.partition(".")[0] in _SERVICES:
        from amlkit.specs import service_rules

        return found + service_rules.check(kind, parsed, base)
    if kind == "mltable":
        from amlkit.specs import mltable

        return mltable.check(parsed, base)
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
