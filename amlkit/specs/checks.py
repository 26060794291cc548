"""What a spec means, beyond its shape: expressions, paths, search spaces, limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from amlkit.errors import Problem, did_you_mean
from amlkit.specs import expressions, references
from amlkit.specs.source import Source

_FREE_TEXT = {"$schema", "command", "description", "args", "tags", "properties"}
_MODES_IN = {"ro_mount", "download", "direct", "eval_mount", "eval_download"}
_MODES_OUT = {"rw_mount", "upload", "direct"}


def check(kind: str, source: Source, base: Path, *, lenient: bool) -> list[Problem]:
    """Return every problem of meaning. lenient: what Azure ML tolerates is a warning."""
    data: dict[str, Any] = source.data
    checker = _Checker(source, base, "warning" if lenient else "error")
    checker.references(data)
    if kind in {"job.command", "component.command"}:
        checker.command(data, (), set())
        checker.ports(data)
    elif kind == "job.spark":
        checker.folder(data)
    elif kind == "job.sweep":
        trial = data["trial"]
        # In a pipeline, the trial of a sweep can be a component's file.
        if isinstance(trial, Mapping):
            checker.command(
                {
                    **trial,
                    "inputs": {**(trial.get("inputs") or {}), **(data.get("inputs") or {})},
                    "outputs": {**(trial.get("outputs") or {}), **(data.get("outputs") or {})},
                },
                ("trial",),
                set(data.get("search_space") or {}),
            )
        checker.ports(data)
        checker.search_space(data)
        checker.sweep_limits(data)
    return checker.found


class _Checker:
    def __init__(self, source: Source, base: Path, tolerated: str) -> None:
        self._source = source
        self._base = base
        self._tolerated = tolerated
        self.found: list[Problem] = []

    def _add(
        self,
        path: tuple[str | int, ...],
        message: str,
        hint: str | None,
        code: str,
        severity: str = "error",
    ) -> None:
        self.found.append(self._source.problem(path, message, hint, code=code, severity=severity))

    # Commands.

    def command(self, data: Mapping[str, Any], prefix: tuple[str, ...], space: set[str]) -> None:
        """Check a command's expressions, its code folder and its conda file."""
        known = {
            "inputs": set(data.get("inputs") or {}),
            "outputs": set(data.get("outputs") or {}),
            "search_space": space,
        }
        texts = {(*prefix, "command"): data.get("command")}
        variables = data.get("environment_variables") or {}
        for name, value in variables.items():
            texts[(*prefix, "environment_variables", name)] = value
        for path, text in texts.items():
            if isinstance(text, str):
                self._expressions(path, text, known)
        self._unused(data.get("inputs") or {}, [str(text) for text in texts.values()])
        self._code((*prefix, "code"), data.get("code"))
        self._includes((*prefix, "additional_includes"), data)
        self._environment((*prefix, "environment"), data.get("environment"))

    def _unused(self, inputs: Mapping[str, Any], texts: Iterable[str]) -> None:
        """Tell a value that `--set` gave to an input which nothing uses: a slip of the pen."""
        used = {
            binding.keys[0]
            for text in texts
            for binding in expressions.bindings(text)
            if binding.root == "inputs" and binding.keys
        }
        for name, value in inputs.items():
            is_new = ("inputs", name) in self._source.overridden and name not in used
            if is_new and not isinstance(value, Mapping):
                close = did_you_mean(name, set(inputs) - {name})
                hint = f"did you mean `{close}`?" if close else None
                message = f"the command does not use the input `{name}`"
                self._add(("inputs", name), message, hint, "unused", "warning")

    def folder(self, data: Mapping[str, Any]) -> None:
        """Check a folder of code and what is put beside it."""
        self._code(("code",), data.get("code"))
        self._includes(("additional_includes",), data)

    def _expressions(self, path: tuple[str, ...], text: str, known: Mapping[str, set[str]]) -> None:
        for binding in expressions.bindings(text):
            if binding.root not in known:
                if binding.root.startswith("parent"):
                    continue
                self._add(
                    path,
                    f"`${{{{{binding.text}}}}}` refers to nothing",
                    "use inputs, outputs or search_space",
                    "unknown-expression",
                    self._tolerated,
                )
            elif not _defined(binding, known[binding.root]):
                name = binding.keys[0] if binding.keys else ""
                self._undefined(path, binding, name, known[binding.root])

    def _undefined(
        self,
        path: tuple[str, ...],
        binding: expressions.Binding,
        name: str,
        known: Iterable[str],
    ) -> None:
        close = did_you_mean(name, known)
        what = {"inputs": "input", "outputs": "output"}.get(binding.root, "search space")
        hint = f"did you mean `{close}`?" if close else f"add `{name}:` below `{binding.root}:`"
        self._add(
            path,
            f"`${{{{{binding.text}}}}}`: no {what} is called `{name}`",
            hint,
            "undefined-name",
            self._tolerated,
        )

    def _code(self, path: tuple[str, ...], code: Any) -> None:
        if not isinstance(code, str) or references.is_open(code):
            return
        if code.startswith("file:"):
            self._add(path, "`code` takes no `file:`", "write the folder alone", "code-path")
        elif references.is_local(code) and not (self._base / Path(code).expanduser()).exists():
            self._add(
                path,
                f"code folder `{code}` does not exist",
                "paths are relative to the folder of the YAML file",
                "missing-path",
            )

    def _includes(self, path: tuple[str, ...], data: Mapping[str, Any]) -> None:
        """Check that what is put beside the code is there, and does not replace anything."""
        code = data.get("code")
        folder = self._base / Path(code).expanduser() if isinstance(code, str) else None
        taken: dict[str, str] = {}
        for index, each in enumerate(data.get("additional_includes") or ()):
            found = (self._base / Path(str(each)).expanduser()).resolve()
            if not found.exists():
                hint = "paths are relative to the folder of the YAML file"
                message = f"`{each}` does not exist"
                self._add((*path, index), message, hint, "missing-path")
                continue
            if folder is not None and folder.is_dir() and (folder / found.name).exists():
                taken.setdefault(found.name, f"{code}/{found.name}")
            if found.name in taken:
                message = f"`{each}` would replace `{taken[found.name]}`"
                self._add((*path, index), message, "rename one of the two", "conflict")
            taken[found.name] = str(each)

    def _environment(self, path: tuple[str, ...], environment: Any) -> None:
        if isinstance(environment, str):
            if not environment.startswith(("azureml:", "file:")):
                self._add(
                    path,
                    f"`{environment}` is not a reference to an environment",
                    f"write `azureml:{environment}@latest`, or `file:` and a path",
                    "environment-reference",
                )
            return
        conda = environment.get("conda_file") if isinstance(environment, Mapping) else None
        if isinstance(conda, str) and not (self._base / Path(conda).expanduser()).exists():
            self._add(
                (*path, "conda_file"),
                f"`{conda}` does not exist",
                "amlkit env from-poetry -O environment.yml writes one",
                "missing-path",
            )

    def references(self, value: Any, path: tuple[str | int, ...] = ()) -> None:
        """Check that what begins like a reference of Azure ML is one."""
        if isinstance(value, Mapping):
            for key, each in value.items():
                if key not in _FREE_TEXT:
                    self.references(each, (*path, key))
        elif isinstance(value, list):
            for index, each in enumerate(value):
                self.references(each, (*path, index))
        elif isinstance(value, str) and value.startswith(("azureml:", "runs:")):
            if references.is_open(value):
                return
            try:
                references.parse(value)
            except references.BadReference as bad:
                self._add(path, str(bad), bad.hint, "reference", self._tolerated)

    # Inputs and outputs.

    def ports(self, data: Mapping[str, Any]) -> None:
        """Check the modes of inputs and outputs."""
        for group, modes in (("inputs", _MODES_IN), ("outputs", _MODES_OUT)):
            for name, port in (data.get(group) or {}).items():
                mode = port.get("mode") if isinstance(port, Mapping) else None
                if isinstance(mode, str) and mode.lower() not in modes:
                    self._add(
                        (group, name, "mode"),
                        f"`{mode}` is not a mode of {group}",
                        f"use one of {', '.join(sorted(modes))}",
                        "unknown-word",
                    )

    # Sweeps.

    def search_space(self, data: Mapping[str, Any]) -> None:
        """Check the fields and ranges of every distribution, and what the sampling can take."""
        algorithm = data.get("sampling_algorithm") or "random"
        kind = algorithm.get("type") if isinstance(algorithm, Mapping) else algorithm
        kind = str(kind).lower()
        if kind not in {"random", "grid", "bayesian"}:
            close = did_you_mean(kind, ("random", "grid", "bayesian"))
            self._add(
                ("sampling_algorithm",),
                f"`{algorithm}` is not a sampling algorithm",
                f"did you mean `{close}`?" if close else "use random, grid or bayesian",
                "unknown-word",
            )
        for name, spec in (data.get("search_space") or {}).items():
            self._distribution(("search_space", name), spec)
            if kind == "grid" and str(spec.get("type")).lower() != "choice":
                self._add(
                    ("search_space", name),
                    f"grid sampling cannot walk a {spec.get('type')}",
                    "use choice, or random sampling",
                    "sampling",
                    self._tolerated,
                )
        if kind == "bayesian" and data.get("early_termination"):
            self._add(
                ("early_termination",),
                "Azure ML's service has no early termination with bayesian sampling",
                "the embedded workspace does both; for Azure ML, delete it or sample at random",
                "sampling",
                "warning",
            )

    def _distribution(self, path: tuple[str, ...], spec: Mapping[str, Any]) -> None:
        kind = str(spec.get("type")).lower()
        needed = _NEEDED.get(kind, ())
        for field in needed:
            if spec.get(field) is None:
                self._add(path, f"{kind} needs `{field}`", f"add `{field}:`", "missing-field")
        for field in spec:
            if field != "type" and field not in needed:
                close = did_you_mean(field, needed)
                hint = f"did you mean `{close}`?" if close else "delete it"
                self._add((*path, field), f"{kind} has no `{field}`", hint, "unknown-field")
        low, high = spec.get("min_value"), spec.get("max_value")
        if isinstance(low, int | float) and isinstance(high, int | float) and low >= high:
            self._add(
                path,
                f"the range from {low} to {high} is empty",
                "swap them",
                "range",
                self._tolerated,
            )
        if kind == "choice" and spec.get("values") == []:
            self._add(
                path, "there is nothing to choose from", "add values", "range", self._tolerated
            )

    def sweep_limits(self, data: Mapping[str, Any]) -> None:
        """Check that a sweep can have trials at all."""
        limits = data.get("limits") or {}
        total, at_once = limits.get("max_total_trials"), limits.get("max_concurrent_trials")
        if isinstance(total, int) and total < 1:
            self._add(
                ("limits", "max_total_trials"),
                f"{total} trials are none",
                "use 1 or more",
                "range",
                self._tolerated,
            )
        if isinstance(total, int) and isinstance(at_once, int) and at_once > total > 0:
            self._add(
                ("limits", "max_concurrent_trials"),
                f"{at_once} at once are more than the {total} in all",
                None,
                "range",
                "warning",
            )


def _defined(binding: expressions.Binding, known: set[str]) -> bool:
    """Return whether a name exists; the members of a parameter group are named `group.member`."""
    path = ".".join(binding.keys)
    return bool(binding.keys) and (binding.keys[0] in known or path in known)


_RANGE = ("min_value", "max_value")
_NEEDED = {
    "choice": ("values",),
    "randint": ("upper",),
    "uniform": _RANGE,
    "loguniform": _RANGE,
    "quniform": (*_RANGE, "q"),
    "qloguniform": (*_RANGE, "q"),
    "normal": ("mu", "sigma"),
    "lognormal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "qlognormal": ("mu", "sigma", "q"),
}
