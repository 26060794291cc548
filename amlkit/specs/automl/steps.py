"""AutoML steps of pipelines: what an AutoML job has, where a binding may stand for any value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlkit.errors import Problem, did_you_mean
from amlkit.specs import validation
from amlkit.specs.kinds import KINDS, model_of
from amlkit.specs.source import Part

_DATA = ("training_data", "validation_data", "test_data")
_FAMILY = "job.automl."


def check(part: Part) -> list[Problem]:
    """Return every problem of an AutoML step, judged by the model of its task.

    Source: "CLI (v2) Automated ML ... job YAML schema", one page for each task.
    """
    task = str(part.data.get("task") or "").lower().replace("-", "_")
    kind = _FAMILY + task
    if kind not in KINDS:
        return [_no_task(part, task)]
    # In a step, `resources` and `type` are as in the job; data may come from another step.
    before = len(part.problems)
    validation.validate(part, model_of(kind))
    found = [each for each in part.problems[before:] if not _bound(part.data, each.path)]
    del part.problems[before:]
    return found


def _no_task(part: Part, task: str) -> Problem:
    tasks = [each.removeprefix(_FAMILY) for each in KINDS if each.startswith(_FAMILY)]
    if not task:
        hint = f"add `task:` with one of {', '.join(tasks)}"
        return part.problem(("task",), "`task` is missing", hint, code="missing-field")
    close = did_you_mean(task, tasks)
    hint = f"did you mean `{close}`?" if close else f"use one of {', '.join(tasks)}"
    message = f"`{part.data['task']}` is not a task of AutoML"
    return part.problem(("task",), message, hint, code="unknown-word")


def _bound(data: Mapping[str, Any], path: str) -> bool:
    """Whether the value at a problem's path is a binding, or the text of where data is."""
    names = path.split(".")[2:]
    here: Any = data
    for name in names:
        if not isinstance(here, Mapping) or name not in here:
            return False
        here = here[name]
    if not isinstance(here, str):
        return False
    return "${{" in here or (len(names) == 1 and names[0] in _DATA)
