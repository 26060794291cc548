"""A component made independent of its folder, so that it means the same from anywhere.

Files that a component refers to become part of it: components of steps and conda files are
written into it; code, data and nested pipelines are stored in the workspace and referred to by
`azureml:` (Azure ML takes a nested pipeline as a file or as a reference, not written in place).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from amlkit.errors import NotSupported
from amlkit.light import dataclass
from amlkit.records import AssetKind

if TYPE_CHECKING:
    from amlkit.specs import Loaded

_REMOTE = ("azureml:", "http://", "https://", "git+", "wasbs://", "abfss://", "adl://", "${{")
_RUNNABLE = ("command", "parallel", "pipeline", "sweep")
_ABOUT_ENVIRONMENT = ("name", "version", "$schema")


class Keep(Protocol):
    """Where the files that a component refers to go."""

    def code(self, name: str, folder: Path, includes: tuple[Path, ...]) -> str:
        """Store a code folder and return the reference to it."""
        ...

    def data(self, name: str, path: Path, kind: str) -> str:
        """Store a file or folder that a step reads and return the reference to it."""
        ...

    def pipeline(self, name: str, spec: Mapping[str, Any]) -> str | Mapping[str, Any]:
        """Store a nested pipeline component and return what stands for it."""
        ...

    def check(self, kind: AssetKind, reference: str) -> None:
        """Look a reference up. Raises: NotFound."""
        ...


@dataclass(frozen=True)
class InPlace:
    """Stores nothing: references stay paths, made absolute."""

    def code(self, name: str, folder: Path, includes: tuple[Path, ...]) -> str:
        """Return the folder's path."""
        return str(folder)

    def data(self, name: str, path: Path, kind: str) -> str:
        """Return the path itself."""
        return str(path)

    def pipeline(self, name: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the component itself."""
        return spec

    def check(self, kind: AssetKind, reference: str) -> None:
        """Trust it."""


def portable(loaded: Loaded, name: str, keep: Keep) -> dict[str, Any]:
    """Return a component's document with nothing left that its own folder is needed for.

    name: what stored code and data are called.
    Raises: NotFound, InvalidSpec: a file that it refers to. NotSupported: spark and others.
    """
    kind = loaded.kind.removeprefix("component.")
    document = {**loaded.document, "type": kind}
    return _Porter(loaded, keep).component(document, name)


class _Porter:
    def __init__(self, loaded: Loaded, keep: Keep) -> None:
        self._loaded = loaded
        self._keep = keep

    def component(self, document: Mapping[str, Any], name: str) -> dict[str, Any]:
        kind = str(document.get("type") or ("pipeline" if "jobs" in document else "command"))
        if kind not in _RUNNABLE:
            raise NotSupported(
                f"`{name}` is a {kind} component, which cannot be registered",
                hint="command, parallel and pipeline components can",
            )
        if kind == "pipeline":
            return self._pipeline(document, name)
        return self._leaf(document, name)

    def _pipeline(self, document: Mapping[str, Any], name: str) -> dict[str, Any]:
        jobs = {
            step: self._step(content, f"{name}_{step}")
            for step, content in document["jobs"].items()
        }
        return {**document, "jobs": jobs}

    def _step(self, step: Mapping[str, Any], name: str) -> dict[str, Any]:
        kind = str(step.get("type") or "command")
        if kind not in _RUNNABLE:
            raise NotSupported(f"`{name}` is a {kind} step, which cannot be registered")
        ported = self._leaf(step, name)
        for field in ("component", "trial"):
            if field in step and not _is_remote(step[field]):
                ported[field] = self._inner(step[field], name)
            elif field in step:
                self._check(AssetKind.COMPONENT, step[field])
        if step.get("inputs"):
            ported["inputs"] = {
                key: self._input(value, f"{name}_{key}") for key, value in step["inputs"].items()
            }
        return ported

    def _inner(self, value: Any, name: str) -> str | Mapping[str, Any]:
        """Return the component of a step, which stands in the pipeline or in its own file."""
        if isinstance(value, Mapping):
            chosen = str(value.get("name") or name)
            ported = self.component(value, chosen)
        else:
            from amlkit import specs

            inner = specs.load(self._loaded.resolve_path(str(value)), kind="component")
            chosen = str(inner.document.get("name") or name)
            ported = portable(inner, chosen, self._keep)
            ported.pop("$schema", None)
        return self._keep.pipeline(chosen, ported) if "jobs" in ported else ported

    def _leaf(self, document: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return a command, or a parallel step or component, with its code stored."""
        ported = dict(document)
        includes = tuple(ported.pop("additional_includes", None) or ())
        self._files(ported, name, includes)
        if isinstance(ported.get("task"), Mapping):
            ported["task"] = dict(ported["task"])
            self._files(ported["task"], name, ())
        return ported

    def _files(self, content: dict[str, Any], name: str, includes: tuple[str, ...]) -> None:
        code = content.get("code")
        if isinstance(code, str) and not _is_remote(code):
            beside = tuple(self._loaded.resolve_path(each) for each in includes)
            content["code"] = self._keep.code(name, self._loaded.resolve_path(code), beside)
        elif isinstance(code, str):
            self._check(AssetKind.CODE, code)
        elif includes:
            raise NotSupported(
                f"`{name}` has additional_includes and no code folder", hint="add `code:`"
            )
        if "environment" in content:
            content["environment"] = self._environment(content["environment"])

    def _check(self, kind: AssetKind, reference: str) -> None:
        """Look up what is of this workspace; registries and full ids are not."""
        if reference.startswith("azureml:") and "/" not in reference:
            self._keep.check(kind, reference)

    def _environment(self, environment: Any) -> Any:
        """Return an environment with its conda file written into it."""
        from amlkit import specs

        if isinstance(environment, str) and environment.startswith("file:"):
            found = specs.load(self._loaded.resolve_path(environment), kind="environment")
            inner = _Porter(found, self._keep)._environment(found.document)
            return {key: each for key, each in inner.items() if key not in _ABOUT_ENVIRONMENT}
        if not isinstance(environment, Mapping) or not isinstance(
            environment.get("conda_file"), str
        ):
            return environment
        file = self._loaded.resolve_path(environment["conda_file"])
        return {**environment, "conda_file": specs.load(file, kind="conda").document}

    def _input(self, value: Any, name: str) -> Any:
        if not isinstance(value, Mapping) or not isinstance(value.get("path"), str):
            return value
        if _is_remote(value["path"]):
            return value
        path = self._loaded.resolve_path(value["path"])
        kind = str(value.get("type") or "uri_folder")
        return {**value, "path": self._keep.data(name, path, kind)}


def _is_remote(value: Any) -> bool:
    return isinstance(value, str) and value.startswith((*_REMOTE, "/subscriptions/"))
