"""What Azure ML refuses although every field by itself is well formed.

Source: the azure-ai-ml SDK's own loaders, field by field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from amlkit.errors import Problem, did_you_mean
from amlkit.specs.source import Path as Keys
from amlkit.specs.source import Source

_UNVERSIONED = re.compile(r"^azureml:[^:/@]+$")
_OUTPUT_NAME = re.compile(r"^[A-Za-z0-9_-]{1,255}$")
_PORT_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$")
_DISTRIBUTIONS: Mapping[str, frozenset[str]] = {
    "pytorch": frozenset({"process_count_per_instance"}),
    "mpi": frozenset({"process_count_per_instance"}),
    "tensorflow": frozenset({"parameter_server_count", "worker_count"}),
    "ray": frozenset(
        {
            "port",
            "address",
            "include_dashboard",
            "dashboard_port",
            "head_node_additional_args",
            "worker_node_additional_args",
        }
    ),
}


def check(kind: str, source: Source, base: Path) -> list[Problem]:
    """Return what Azure ML refuses in a document whose fields are well formed."""
    rules = _Rules(source, base)
    data: Mapping[str, Any] = source.data
    if kind.startswith("job."):
        rules.job(data)
    if kind.startswith(("job.", "component.")):
        rules.identity(data.get("identity") or {})
    if kind in {"job.command", "component.command"}:
        rules.command(data, ())
    if kind == "job.spark" and "code" in data and data["code"] is None:
        rules._add(("code",), "`code` is empty", "name a folder, or delete it", "empty")
    if kind == "job.sweep":
        if isinstance(data["trial"], Mapping):
            rules.command(data["trial"], ("trial",))
        rules.sampling(data)
    if kind.startswith("component."):
        rules.port_names(data)
    return rules.found


class _Rules:
    def __init__(self, source: Source, base: Path) -> None:
        self._source = source
        self._base = base
        self.found: list[Problem] = []

    def _add(self, path: Keys, message: str, hint: str | None, code: str) -> None:
        self.found.append(self._source.problem(path, message, hint, code=code))

    def job(self, data: Mapping[str, Any]) -> None:
        """Check what only jobs have: compute, literal inputs, names of outputs."""
        if "compute" in data and data["compute"] is None:
            self._add(("compute",), "`compute` is empty", "name a compute, or delete it", "empty")
        for name, port in (data.get("inputs") or {}).items():
            if isinstance(port, Mapping) and "value" in port and "path" in port:
                message = "an input is a `value` or a `path`, not both"
                self._add(("inputs", name, "value"), message, "delete one", "conflict")
        for name, port in (data.get("outputs") or {}).items():
            if isinstance(port, Mapping) and port.get("version") and not port.get("name"):
                message = "an output with a `version` needs a `name`"
                self._add(("outputs", name, "version"), message, "add `name:`", "missing-field")
            given = port.get("name") if isinstance(port, Mapping) else None
            if isinstance(given, str) and not _OUTPUT_NAME.match(given):
                self._add(
                    ("outputs", name, "name"),
                    f"`{given}` cannot be the name of an output",
                    "use letters, digits, `-` and `_`, at most 255",
                    "name",
                )

    def identity(self, identity: Mapping[str, Any]) -> None:
        """Check that only a managed identity is one of several."""
        if str(identity.get("type") or "managed").lower().startswith("managed"):
            return
        for field in identity.keys() - {"type"}:
            message = f"only a managed identity has a `{field}`"
            self._add(("identity", field), message, "delete it, or `type: managed`", "conflict")

    def command(self, data: Mapping[str, Any], prefix: Keys) -> None:
        """Check what a command runs with: code, environment file, distribution."""
        self._code(data, (*prefix, "code"))
        self._environment(data.get("environment"), (*prefix, "environment"))
        distribution = data.get("distribution") or {}
        kind = str(distribution.get("type") or "").lower()
        self._only(distribution, {"type"} | _DISTRIBUTIONS.get(kind, frozenset()), kind, prefix)

    def _code(self, data: Mapping[str, Any], path: Keys) -> None:
        code = data.get("code")
        if "code" in data and code is None:
            self._add(path, "`code` is empty", "name a folder, or delete it", "empty")
        if not isinstance(code, str):
            return
        if code.startswith("git+"):
            hint = "clone it and name the folder"
            self._add(path, f"`{code}`: code of a command cannot be a git path", hint, "code-path")
        elif _UNVERSIONED.match(code):
            self._add(path, f"`{code}` has no version", f"write `{code}:1`", "reference")

    def _environment(self, environment: Any, path: Keys) -> None:
        if not isinstance(environment, str) or not environment.startswith("file:"):
            return
        file = environment.removeprefix("file://").removeprefix("file:")
        if not (self._base / Path(file).expanduser()).exists():
            hint = "paths are relative to the folder of the YAML file"
            self._add(path, f"`{file}` does not exist", hint, "missing-path")

    def _only(self, data: Mapping[str, Any], known: Iterable[str], kind: str, prefix: Keys) -> None:
        known = set(known)
        for field in data.keys() - known:
            close = did_you_mean(field, known)
            hint = f"did you mean `{close}`?" if close else "delete it"
            where = (*prefix, "distribution", field)
            self._add(where, f"{kind} has no `{field}`", hint, "unknown-field")

    def sampling(self, data: Mapping[str, Any]) -> None:
        """Check what the sampling, the choices and the early termination of a sweep take."""
        algorithm = data.get("sampling_algorithm")
        if isinstance(algorithm, Mapping) and str(algorithm.get("type")).lower() != "random":
            for field in algorithm.keys() - {"type"}:
                message = f"{algorithm.get('type')} sampling has no `{field}`"
                hint = "delete it, or use random sampling"
                self._add(("sampling_algorithm", field), message, hint, "unknown-field")
        for name, space in (data.get("search_space") or {}).items():
            for index, value in enumerate(space.get("values") or ()):
                if value is None or isinstance(value, bool | list):
                    place = ("search_space", name, "values", index)
                    hint = "write it as text, in quotes"
                    self._add(place, "a choice is a number or text", hint, "wrong-type")
        policy = data.get("early_termination") or {}
        if str(policy.get("type")).lower() == "truncation_selection":
            field = "truncation_percentage"
            if policy.get(field) is None:
                path = ("early_termination", field)
                self._add(path, f"`{field}` is missing", f"add `{field}:`", "missing-field")

    def port_names(self, data: Mapping[str, Any]) -> None:
        """Check the names of a component's inputs and outputs."""
        for group in ("inputs", "outputs"):
            for name in data.get(group) or {}:
                if not _PORT_NAME.match(name):
                    self._add(
                        (group, name),
                        f"`{name}` cannot name an input or output of a component",
                        f"did you mean `{re.sub(r'[^A-Za-z0-9_]', '_', name)}`?",
                        "name",
                    )
