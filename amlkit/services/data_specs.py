"""A data asset as it is asked for: by flags, by a YAML file, or by both, flags winning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from amlkit.errors import NotFound, UsageError
from amlkit.light import dataclass, field
from amlkit.records import Record


@dataclass(frozen=True)
class WantedData(Record):
    """What `data create` registers."""

    name: str
    path: str
    type: str | None = None
    version: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def read(
    file: Path | None,
    *,
    name: str | None = None,
    path: str | None = None,
    type: str | None = None,
    version: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    overrides: Sequence[str] = (),
) -> WantedData:
    """Return what is wanted. Local paths of a file are relative to its own folder.

    Raises: UsageError: no name or path. InvalidSpec, NotFound: the file, or what it names.
    """
    if file is None:
        if overrides:
            raise UsageError("--set changes a file", hint="give -f FILE, or the flags themselves")
        return _wanted(name, path, type, version, description, tags or {})
    from amlkit import specs

    loaded = specs.load(file, kind="data", overrides=overrides)
    model = loaded.model
    if path is None:
        path = str(model.path)
        if "://" not in path and not path.startswith("azureml:"):
            place = loaded.resolve_path(path)
            if not place.exists():
                line, column = loaded.at(("path",))
                raise NotFound(
                    f"{file}:{line}:{column}: path: `{path}` does not exist",
                    hint="paths are relative to the folder of the YAML file",
                )
            path = str(place)
    texts = {key: str(value) for key, value in (model.tags or {}).items()}
    return _wanted(
        name or model.name,
        path,
        type or model.type,
        version or model.version,
        description or model.description,
        {**texts, **(tags or {})},
    )


def _wanted(
    name: str | None,
    path: str | None,
    type: str | None,
    version: str | None,
    description: str | None,
    tags: Mapping[str, str],
) -> WantedData:
    if not name:
        raise UsageError("the data asset has no name", hint="add --name, or `name:` in the file")
    if not path:
        raise UsageError("the data asset has no path", hint="add --path, or -f FILE")
    return WantedData(name, path, type, version, description, tags)
