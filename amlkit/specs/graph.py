"""What a pipeline means: its steps, their components (read recursively), bindings and cycles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amlkit.errors import Problem, did_you_mean
from amlkit.light import replace
from amlkit.specs import checks, expressions, ports, rules, validation
from amlkit.specs.components import Interface, Reader
from amlkit.specs.source import Part, Source

_STEP_NAME = re.compile(r"^[a-z_][a-z0-9_]*$")
_COMPUTES = ("azureml:", "/subscriptions/", "${{", "<")
# What components have, and steps that run something of their own have not.
_OF_COMPONENTS = ("additional_includes", "comment", "is_deterministic", "version")
_ABSENT = {
    "command": _OF_COMPONENTS,
    "automl": _OF_COMPONENTS,
    "parallel": (*_OF_COMPONENTS, "limits", "queue_settings"),
    "spark": (*_OF_COMPONENTS, "environment_variables", "limits", "queue_settings"),
}
_DESCRIBING = ("compute", "description", "display_name", "experiment_name", "identity", "name")
_NOT_EMPTY = {
    "command": (*_DESCRIBING, "services", "tags"),
    "automl": ("compute",),
    "parallel": ("compute", "environment_variables", "resources"),
    "spark": (*_DESCRIBING, "services", "tags"),
}
_NEEDS_COMPUTE = {"command", "parallel", "sweep"}


def check(kind: str, source: Source, base: Path, *, lenient: bool) -> list[Problem]:
    """Return every problem of a pipeline's steps, or of a parallel component's code."""
    graph = _Graph(source, base, lenient)
    if kind == "component.parallel":
        graph.code(source, source.data.get("task") or {}, ("task",))
        return graph.found
    graph.document(is_job=kind == "job.pipeline")
    return graph.found


class _Graph:
    def __init__(self, source: Source, base: Path, lenient: bool) -> None:
        self._source = source
        self._base = base
        self._lenient = lenient
        self._tolerated = "warning" if lenient else "error"
        self._reader = Reader(base, lenient=lenient)
        self._steps: Mapping[str, Any] = source.data.get("jobs") or {}
        self._interfaces: dict[str, Interface] = {}
        self.found: list[Problem] = []

    def document(self, *, is_job: bool) -> None:
        """Check the pipeline's own fields, then every step, then how the steps hang together."""
        data = self._source.data
        if is_job:
            self._job(data)
        for name in self._steps:
            self._step(name, is_job=is_job)
        for name in self._interfaces:
            self._inputs(name)
            self._bindings(name)
        self._cycles()

    def _add(
        self,
        path: tuple[str | int, ...],
        message: str,
        hint: str | None,
        code: str,
        severity: str = "error",
    ) -> None:
        self.found.append(self._source.problem(path, message, hint, code=code, severity=severity))

    def _job(self, data: Mapping[str, Any]) -> None:
        component = data.get("component")
        if component is not None and self._steps:
            message = "a pipeline has `jobs` or a `component`, not both"
            self._add(("component",), message, "delete one of the two", "conflict")
        elif component is not None:
            self._reader.read(Part.of(self._source), ("component",), component, "pipeline")
            self._take_from_reader()
        elif not self._steps:
            self._add(("jobs",), "there is no step", "add a step below `jobs:`", "missing-field")
        self._settings()
        compute = (data.get("settings") or {}).get("default_compute")
        if compute is not None and compute != "serverless" and not compute.startswith(_COMPUTES):
            self._add(
                ("settings", "default_compute"),
                f"`{compute}` is not a reference to a compute",
                f"write `azureml:{compute}`, or serverless",
                "reference",
            )

    def _settings(self) -> None:
        from amlkit.specs.pipelines import PipelineSettings

        if not self._source.data.get("settings"):
            return
        unknown = validation.unknown_fields(Part.of(self._source, "settings"), PipelineSettings)
        self.found += [replace(each, severity=self._tolerated) for each in unknown]

    def _take_from_reader(self) -> None:
        self.found += self._reader.problems
        self._reader.problems = []

    # One step.

    def _step(self, name: str, *, is_job: bool) -> None:
        path = ("jobs", name)
        if not _STEP_NAME.match(name):
            mended = re.sub(r"[^a-z0-9_]", "_", name.lower())
            hint = "use lower-case letters, digits and `_`, starting with a letter"
            hint = f"did you mean `{mended}`?" if _STEP_NAME.match(mended) else hint
            self._add(path, f"`{name}` cannot be the name of a step", hint, "name")
        part = Part.of(self._source, *path)
        kind = self._type(part)
        from amlkit.specs.pipelines import STEPS

        if kind not in STEPS:
            close = did_you_mean(kind, STEPS)
            hint = f"did you mean `{close}`?" if close else f"use one of {', '.join(STEPS)}"
            self._add((*path, "type"), f"`{kind}` is not a type of step", hint, "unknown-word")
            return
        unknown = validation.unknown_fields(part, STEPS[kind]) if self._lenient else []
        ignored = {each.path.rsplit(".", 1)[-1] for each in unknown}
        known = [] if STEPS[kind].model_config.get("extra") == "allow" else unknown
        before = len(part.problems)
        model = validation.validate(part, STEPS[kind], ignored if known else ())
        self.found += part.problems[before:] + known
        del part.problems[before:]
        if model is None:
            return
        self._interfaces[name] = self._content(name, part, kind)
        if is_job and kind in _NEEDS_COMPUTE:
            self._compute(part)

    def _type(self, part: Source) -> str:
        if part.data.get("type") is not None:
            return str(part.data["type"])
        return "sweep" if "trial" in part.data else "command"

    def _compute(self, part: Source) -> None:
        data = self._source.data
        settings = data.get("settings") or {}
        if not (part.data.get("compute") or data.get("compute") or settings.get("default_compute")):
            hint = "add `settings: {default_compute: azureml:NAME}` to the pipeline"
            self.found.append(part.problem((), "this step has no compute", hint, code="compute"))

    def _content(self, name: str, part: Part, kind: str) -> Interface:
        """Check what a step runs, and return the inputs and outputs that it has."""
        data = part.data
        field = "trial" if kind == "sweep" else "component"
        if kind == "sweep":
            self.found += checks.check("job.sweep", part, self._base, lenient=self._lenient)
            self.found += rules.check("job.sweep", part, self._base)
        if data.get(field) is not None:
            found = self._reader.read(part, (field,), data[field], kind)
            self._take_from_reader()
            return found
        if kind in _ABSENT:
            self._own(part, kind)
        if kind == "command":
            self._inline(part)
        elif kind == "spark":
            self._spark(part)
        elif kind == "automl":
            from amlkit.specs.automl import steps

            self.found += steps.check(part)
        elif kind == "data_transfer" and data.get("task") == "import_data":
            self._import(part)
        elif kind == "parallel":
            self._needed(part, ("task", "input_data"))
            self.code(part, data.get("task") or {}, ("task",))
        elif kind == "pipeline":
            self._needed(part, ("component",))
        return Interface(None, data.get("outputs") or {} if kind == "command" else None)

    def _own(self, part: Part, kind: str) -> None:
        """Check that a step without a component has no fields of one, and none left empty."""
        for field, value in part.data.items():
            if field in _ABSENT[kind]:
                message = f"`{field}` is not a field of a {kind} step without a component"
                hint = "delete it"
                if field in _OF_COMPONENTS:
                    hint += ", or move it with the rest into a file for `component:`"
                problem = part.problem((field,), message, hint, code="unknown-field", key=True)
                self.found.append(replace(problem, severity=self._tolerated))
            elif field in _NOT_EMPTY[kind] and value is None:
                message, hint = f"`{field}` is empty", "give it a value, or delete it"
                self.found.append(part.problem((field,), message, hint, code="empty"))

    def _spark(self, part: Part) -> None:
        """Check what Spark steps alone have: an entry, and inputs that are read in place."""
        self._needed(part, ("entry",))
        self.found += checks.check("job.spark", part, self._base, lenient=self._lenient)
        self.found += rules.check("job.spark", part, self._base)
        for name, value in (part.data.get("inputs") or {}).items():
            if not isinstance(value, Mapping) or "path" not in value:
                continue
            mode = value.get("mode")
            if str(mode).lower() != "direct":
                message = (
                    f"`{mode}` is not a mode of a Spark input" if mode else "`mode` is missing"
                )
                path = ("inputs", name, "mode")
                hint = "write `mode: direct`: Spark reads its data in place"
                self.found.append(part.problem(path, message, hint, code="unknown-word"))

    def _import(self, part: Part) -> None:
        """Check that an import's output fits its source."""
        source = part.data.get("source") or {}
        sink = (part.data.get("outputs") or {}).get("sink")
        wanted = {"database": "mltable", "file_system": "uri_folder"}.get(str(source.get("type")))
        if wanted and isinstance(sink, Mapping) and sink.get("type") not in {None, wanted}:
            message = f"what is imported from a {source['type']} is a {wanted}"
            path = ("outputs", "sink", "type")
            self.found.append(part.problem(path, message, f"write {wanted}", code="wrong-type"))

    def _inline(self, part: Part) -> None:
        if not self._needed(part, ("command", "environment")):
            return
        self.found += checks.check("job.command", part, self._base, lenient=self._lenient)
        self.found += rules.check("component.command", part, self._base)

    def _needed(self, part: Part, fields: tuple[str, ...]) -> bool:
        missing = [field for field in fields if part.data.get(field) is None]
        for field in missing:
            message, hint = f"`{field}` is missing", f"add `{field}:`, or a `component:`"
            self.found.append(part.problem((field,), message, hint, code="missing-field"))
        return not missing

    def code(self, source: Source, task: Mapping[str, Any], prefix: tuple[str, ...]) -> None:
        """Check that the code folder of a parallel task is there."""
        code = task.get("code")
        remote = ("azureml:", "git+", "http://", "https://")
        if isinstance(code, str) and not code.startswith(remote):
            if (self._base / Path(code).expanduser()).exists():
                return
            hint = "paths are relative to the folder of the YAML file"
            message = f"code folder `{code}` does not exist"
            where = (*prefix, "code")
            self.found.append(source.problem(where, message, hint, code="missing-path"))

    # Between steps.

    def _inputs(self, name: str) -> None:
        """Check the inputs that a step is given against those that its component has."""
        step = self._steps[name]
        given = step.get("inputs") or {}
        path = ("jobs", name, "inputs")
        for key, value in given.items():
            if value is None:
                self._add((*path, key), "an input cannot be empty", "give it a value", "empty")
        known = self._interfaces[name].inputs
        if known is None:
            return
        searched = set(step.get("search_space") or {})
        for key, value in given.items():
            if key in known:
                problem = ports.misfit(known[key], value, self._source.data.get("inputs") or {})
                if problem and value is not None:
                    self._add((*path, key), problem, None, "type-mismatch", self._tolerated)
            elif not any(each.startswith(f"{key}.") for each in known):
                close = did_you_mean(key, known)
                hint = f"did you mean `{close}`?" if close else "delete it"
                message = f"the component has no input `{key}`"
                self._add((*path, key), message, hint, "unknown-input", self._tolerated)
        for key in known:
            missing = ports.required(known[key]) and "." not in key
            if missing and key not in given and key not in searched:
                message = f"the component needs the input `{key}`"
                where = path if given else ("jobs", name)
                self._add(
                    (*where, key) if given else where, message, f"add `{key}:`", "missing-input"
                )

    def _bindings(self, name: str) -> None:
        step = self._steps[name]
        for path, text in texts(step):
            for binding in expressions.bindings(text):
                self._binding(("jobs", name, *path), path[0] == "inputs", binding)

    def _binding(
        self, path: tuple[str | int, ...], is_input: bool, binding: expressions.Binding
    ) -> None:
        data = self._source.data
        shown = f"`${{{{{binding.text}}}}}`"
        if binding.root in {"parent.inputs", "parent.outputs"}:
            group = binding.root.removeprefix("parent.")
            self._defined(
                path, shown, binding, data.get(group) or {}, f"the pipeline has no {group[:-1]}"
            )
        elif binding.root == "parent.jobs":
            self._other_step(path, shown, binding)
        elif is_input and binding.root in {"inputs", "outputs"}:
            hint = f"did you mean `${{{{parent.{binding.text}}}}}`?"
            self._add(path, f"{shown} is not in scope here", hint, "scope", self._tolerated)

    def _defined(
        self,
        path: tuple[str | int, ...],
        shown: str,
        binding: expressions.Binding,
        known: Mapping[str, Any],
        what: str,
    ) -> None:
        name = binding.keys[0] if binding.keys else ""
        if name in known or any(each.startswith(f"{name}.") for each in known if name):
            return
        close = did_you_mean(name, known)
        hint = f"did you mean `{close}`?" if close else f"add `{name}:` to it"
        self._add(path, f"{shown}: {what} `{name}`", hint, "undefined-name", self._tolerated)

    def _other_step(
        self, path: tuple[str | int, ...], shown: str, binding: expressions.Binding
    ) -> None:
        step, group, port = (*binding.keys, "", "", "")[:3]
        if step not in self._steps:
            close = did_you_mean(step, self._steps)
            hint = f"did you mean `{close}`?" if close else "name a step of this pipeline"
            message = f"{shown}: no step is called `{step}`"
            self._add(path, message, hint, "undefined-name", self._tolerated)
            return
        if step == path[1]:
            message = f"{shown}: the step waits for itself"
            self._add(path, message, "name another step", "cycle", self._tolerated)
        interface = self._interfaces.get(step)
        if group != "outputs" or interface is None or interface.outputs is None:
            return
        known = {**interface.outputs, **(self._steps[step].get("outputs") or {})}
        if port not in known:
            close = did_you_mean(port, known)
            hint = f"did you mean `{close}`?" if close else f"add it to the outputs of `{step}`"
            message = f"{shown}: `{step}` has no output `{port}`"
            self._add(path, message, hint, "undefined-name", self._tolerated)

    def _cycles(self) -> None:
        waits = {
            name: sorted(
                {
                    each.keys[0]
                    for _, text in texts(step)
                    for each in expressions.bindings(text)
                    if each.root == "parent.jobs" and each.keys and each.keys[0] in self._interfaces
                }
                - {name}
            )
            for name, step in self._steps.items()
            if name in self._interfaces
        }
        ready: set[str] = set()
        while more := {name for name in waits.keys() - ready if ready.issuperset(waits[name])}:
            ready |= more
        # What is left is on a cycle, or waits for one; only the former reaches itself.
        for name in (each for each in waits if each not in ready and _reaches(waits, each)):
            on = ", ".join(f"`{each}`" for each in waits[name] if each not in ready)
            message = f"`{name}` waits for {on}, which waits for `{name}`"
            self._add(("jobs", name), message, "break the circle", "cycle", self._tolerated)


def _reaches(waits: Mapping[str, list[str]], start: str) -> bool:
    seen: set[str] = set()
    todo = list(waits[start])
    while todo:
        name = todo.pop()
        if name == start:
            return True
        if name not in seen:
            seen.add(name)
            todo += waits[name]
    return False


def texts(step: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the texts of a step that can hold bindings to the rest of the pipeline."""
    for group in ("inputs", "outputs"):
        for name, value in (step.get(group) or {}).items():
            if isinstance(value, str):
                yield (group, name), value
            elif isinstance(value, Mapping) and isinstance(value.get("path"), str):
                yield (group, name, "path"), value["path"]
