"""Writes the component's YAML and its entry script."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from amlkit.errors import Conflict, UsageError
from amlkit.light import dataclass
from amlkit.records import JSON, Record
from amlkit.services.from_function.entry import MARK, write_entry
from amlkit.services.from_function.signature import Signature, component_name, read_signature

_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
_SCHEMA = "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json"
_CONDA_FILES = ("environment.yml", "environment.yaml", "conda.yml", "conda.yaml")


@dataclass(frozen=True)
class Generated(Record):
    """A component that was written. path: its YAML; entry: the script that it runs."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("name", "path", "entry")

    name: str
    path: str
    entry: str
    spec: Mapping[str, JSON]

    @property
    def reference(self) -> str:
        """The YAML's path, which `component register` takes."""
        return self.path


def from_function(
    source: str,
    folder: str | Path | None = None,
    *,
    name: str | None = None,
    environment: str | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> Generated:
    """Write the component of `path.py:function` and its entry script; nothing is imported.

    folder: where both go; default: beside the function's file.
    name: of the component; default: the function's.
    environment: a conda file, or `azureml:...`; default: the conda file there, if any.
    force: replace files that were not written by this.
    Raises: UsageError, NotFound, Conflict. InvalidSpec: the function cannot be a component.
    """
    file, colon, function = source.rpartition(":")
    if not colon or not function.isidentifier():
        raise UsageError(f"`{source}` names no function", hint="write train.py:train")
    signature = read_signature(Path(file), function)
    chosen = component_name(name or function)
    if chosen is None:
        raise UsageError(
            f"`{name or function}` cannot be the name of a component",
            hint="add --name with lower-case letters, digits and `_`, starting with a letter",
        )
    place = Path(folder) if folder is not None else Path(file).parent
    layout = _Layout(Path(file).resolve().parent, place.resolve())
    entry, path = place / f"{chosen}_entry.py", place / f"{chosen}.yml"
    spec = _spec(signature, chosen, entry.name, layout, environment)
    made = Generated(chosen, str(path), str(entry), spec)
    if not dry_run:
        text = write_entry(signature, beside=layout.beside, relative=layout.relative)
        _write({entry: text, path: _yaml(spec)}, force=force)
    return made


@dataclass(frozen=True)
class _Layout:
    """Where the function's folder is, seen from the folder of the component."""

    source: Path
    target: Path

    @property
    def relative(self) -> str:
        """The function's folder in the project; by its own name, also where that is `..`."""
        if self.source == self.target:
            return "."
        parent = os.path.relpath(self.source.parent, self.target)
        return (Path(parent) / self.source.name).as_posix()

    @property
    def outside(self) -> bool:
        """Whether the function's folder has to be brought along with the code."""
        return not self.source.is_relative_to(self.target)

    @property
    def beside(self) -> str:
        """The function's folder in the code of a job."""
        return self.source.name if self.outside else self.relative


def _spec(
    signature: Signature, name: str, entry: str, layout: _Layout, environment: str | None
) -> dict[str, Any]:
    inputs = {each.name: dict(each.port) for each in signature.parameters if not each.is_output}
    outputs = {each.name: dict(each.port) for each in signature.parameters if each.is_output}
    spec: dict[str, Any] = {"$schema": _SCHEMA, "type": "command", "name": name}
    if signature.description:
        spec["description"] = signature.description
    spec |= {"code": ".", "command": _command(signature, entry)}
    if layout.outside:
        spec["additional_includes"] = [layout.relative]
    spec["environment"] = _environment(environment, layout)
    return spec | ({"inputs": inputs} if inputs else {}) | ({"outputs": outputs} if outputs else {})


def _command(signature: Signature, entry: str) -> str:
    words = [f"python {entry}"]
    for each in signature.parameters:
        group = "outputs" if each.is_output else "inputs"
        # With `=`, a value such as `-1e-5` or `--` is never taken for an option.
        word = f"--{each.name}=${{{{{group}.{each.name}}}}}"
        words.append(f"$[[{word}]]" if each.optional else word)
    return " ".join(words)


def _environment(given: str | None, layout: _Layout) -> str | dict[str, str]:
    if given is not None and given.startswith("azureml:"):
        return given
    if given is not None:
        conda: Path | None = Path(given).resolve()
    else:
        places = (
            folder / name for folder in (layout.target, layout.source) for name in _CONDA_FILES
        )
        conda = next((each for each in places if each.is_file()), None)
    if conda is None:
        return {"image": _IMAGE}
    relative = Path(os.path.relpath(conda, layout.target)).as_posix()
    return {"image": _IMAGE, "conda_file": relative}


def _yaml(spec: Mapping[str, Any]) -> str:
    import yaml

    dumped: str = yaml.safe_dump(dict(spec), sort_keys=False, allow_unicode=True, width=100)
    return f"# {MARK}.\n{dumped}"


def _write(files: Mapping[Path, str], *, force: bool) -> None:
    for path in files:
        if path.exists() and not force and MARK not in path.read_text("utf-8", "replace"):
            raise Conflict(
                f"`{path}` exists and was not written by this command",
                hint="add --force to replace it, or choose another --output-dir or --name",
            )
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
