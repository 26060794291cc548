"""Components that a pipeline refers to: inline, in files of their own, or registered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from amlkit.errors import AmlkitError, InvalidSpec, Problem
from amlkit.light import dataclass
from amlkit.specs import checks, rules, validation
from amlkit.specs.source import Part

# The component files that are being read: one that refers to itself would never end.
_OPEN: ContextVar[tuple[Path, ...]] = ContextVar("open_components", default=())

_UNREAD = {"data_transfer", "import", "automl"}


@dataclass(frozen=True)
class Interface:
    """A component's inputs and outputs; None where they cannot be known offline."""

    inputs: Mapping[str, Any] | None = None
    outputs: Mapping[str, Any] | None = None


class Reader:
    """Reads components, each file once. problems: what was found since they were last taken."""

    def __init__(self, base: Path, *, lenient: bool) -> None:
        self._base = base
        self._lenient = lenient
        self._read: dict[Path, Interface] = {}
        self.problems: list[Problem] = []

    def read(self, part: Part, path: tuple[str, ...], value: Any, kind: str) -> Interface:
        """Return the interface of a component that stands at `path`; note its problems."""
        if isinstance(value, Mapping):
            return self._inline(Part.of(part, *path), kind)
        text = str(value)
        if text.startswith(("azureml:", "/subscriptions/")):
            return Interface()
        file = text.removeprefix("file://").removeprefix("file:")
        found = Path(os.path.normpath(self._base / Path(file).expanduser()))
        if not found.is_file():
            hint = f"write `azureml:{file}` for a registered component, or the path of a file"
            message = f"component `{file}` does not exist"
            self.problems.append(part.problem(path, message, hint, code="missing-component"))
            return Interface()
        if kind in _UNREAD:
            return Interface()
        if found in _OPEN.get():
            message = f"component `{file}` contains itself"
            self.problems.append(part.problem(path, message, None, code="cycle"))
            return Interface()
        if found not in self._read:
            self._read[found] = self._file(found)
        return self._read[found]

    def _file(self, file: Path) -> Interface:
        from amlkit import specs

        token = _OPEN.set((*_OPEN.get(), file))
        try:
            loaded = specs.load(_shown(file), kind="component", lenient=self._lenient)
        except InvalidSpec as error:
            self.problems += error.problems
            return Interface()
        except AmlkitError as error:
            message = error.message
            self.problems.append(Problem(str(file), 0, 0, "", message, error.hint, "unreadable"))
            return Interface()
        finally:
            _OPEN.reset(token)
        self.problems += loaded.warnings
        return _interface(loaded.document)

    def _inline(self, part: Part, step: str) -> Interface:
        """Check a component that is written in the pipeline itself."""
        from amlkit.specs.kinds import KINDS, model_of

        kind = f"component.{part.data.get('type') or ('command' if step == 'sweep' else step)}"
        if kind not in KINDS:
            return Interface()
        if kind == "component.pipeline" and not part.by_program:
            message = "a pipeline component written in place is refused by Azure ML's own tools"
            hint = "write it into a file, and `component: ./FILE.yml` here"
            severity = "warning" if self._lenient else "error"
            found = part.problem((), message, hint, code="nested", severity=severity)
            self.problems.append(found)
        before = len(part.problems)
        model = validation.validate(part, model_of(kind))
        self.problems += part.problems[before:]
        del part.problems[before:]
        if model is None:
            return Interface()
        self.problems += checks.check(kind, part, self._base, lenient=self._lenient)
        self.problems += rules.check(kind, part, self._base)
        return _interface(part.data)


def _interface(data: Mapping[str, Any]) -> Interface:
    return Interface(data.get("inputs") or {}, data.get("outputs") or {})


def _shown(file: Path) -> Path:
    """Return the path as a reader would type it: relative where it is below this folder."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file
