"""Inputs, outputs, and components that can be called to make a step of a pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit.errors import UsageError, did_you_mean
from amlkit.light import dataclass, fields

if TYPE_CHECKING:
    from amlkit.records import Asset
    from amlkit.services import Workspace
    from amlkit.services.pipelines.steps import Step

_REMOTE = (
    "azureml:",
    "http://",
    "https://",
    "wasbs://",
    "abfss://",
    "adl://",
    "${{",
    "/subscriptions/",
)


class _Port:
    def as_spec(self, base: Path) -> dict[str, Any]:
        """Return the fields that were given, as YAML has them; local paths relative to `base`."""
        named = {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]
        found = {key: value for key, value in named.items() if value is not None}
        if "path" in found:
            found["path"] = relative(found["path"], base)
        return found


@dataclass(frozen=True)
class Input(_Port):
    """An input: of a pipeline when it is called, or, as an annotation, of a function.

    path: a local path (relative to here), `azureml:NAME:VERSION`, or a URI.
    """

    type: str = "uri_folder"
    path: str | Path | None = None
    mode: str | None = None
    description: str | None = None
    optional: bool | None = None
    default: Any = None
    min: float | None = None
    max: float | None = None
    enum: list[Any] | None = None


@dataclass(frozen=True)
class Output(_Port):
    """An output of a step or, as an annotation, of a function. name: registers it as an asset."""

    type: str = "uri_folder"
    path: str | Path | None = None
    mode: str | None = None
    description: str | None = None
    name: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Component:
    """A component. Called with its inputs, inside a pipeline's function, it makes a step.

    source: its file, `azureml:NAME:VERSION`, or what writes its spec for a folder.
    inputs, outputs: as it declares them; None when they are not known here.
    """

    name: str
    type: str
    source: Path | str | Callable[[Path], dict[str, Any]]
    inputs: Mapping[str, Any] | None = None
    outputs: Mapping[str, Any] | None = None

    def __call__(self, **inputs: Any) -> Step:
        """Add a step to the pipeline that is being built.

        Raises: UsageError: there is no such input, or no pipeline is being built.
        """
        from amlkit.services.pipelines.steps import add_step

        for name in inputs:
            if self.inputs is not None and name not in self.inputs:
                close = did_you_mean(name, self.inputs)
                known = ", ".join(f"`{each}`" for each in self.inputs) or "none"
                raise UsageError(
                    f"component `{self.name}` has no input `{name}`",
                    hint=f"did you mean `{close}`?" if close else f"its inputs: {known}",
                )
        return add_step(self, inputs)

    def as_spec(self, base: Path) -> str | dict[str, Any]:
        """Return what stands below `component:`; a file relative to `base`."""
        if isinstance(self.source, str | Path):
            return relative(self.source, base)
        return self.source(base)


def load_component(source: str | Path | Asset, *, workspace: Workspace | None = None) -> Component:
    """Return the component of a YAML file, or a registered one.

    source: a file, `azureml:NAME@latest`, or what `workspace.components.register` returned.
    workspace: where to look up a registered one's inputs; without it they are not checked here.
    Raises: InvalidSpec, NotFound.
    """
    if not isinstance(source, str | Path):
        return _registered(f"azureml:{source.reference}", source)
    if str(source).startswith("azureml:"):
        found = workspace.components.show(str(source)) if workspace is not None else None
        return _registered(str(source), found)
    from amlkit import specs

    loaded = specs.load(source, kind="component")
    path = Path(source).absolute()
    kind = loaded.kind.removeprefix("component.")
    return _component(str(loaded.document.get("name") or path.stem), kind, path, loaded.document)


def _registered(reference: str, asset: Asset | None) -> Component:
    if asset is None:
        name = reference.removeprefix("azureml:").partition(":")[0].partition("@")[0]
        return Component(name, "", reference)
    return _component(asset.name, str(asset.type or "command"), reference, asset.spec)


def _component(name: str, kind: str, source: Path | str, document: Mapping[str, Any]) -> Component:
    inputs, outputs = document.get("inputs") or {}, document.get("outputs") or {}
    return Component(name, kind, source, inputs, outputs)


def relative(path: str | Path, base: Path) -> str:
    """Return a local path as YAML in the folder `base` writes it; references stay as they are."""
    if str(path).startswith(_REMOTE):
        return str(path)
    found = Path(os.path.relpath(Path(path).expanduser().absolute(), base)).as_posix()
    return found if found.startswith("..") else f"./{found}"
