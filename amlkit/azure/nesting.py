"""Pipelines within pipelines, written in place, as files: the SDK reads no others.

Source: azure-ai-ml's `PipelineJobSchema`; `component` of a pipeline node is a file or a reference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_REMOTE = ("azureml:", "http://", "https://", "git+", "wasbs://", "abfss://", "adl://", "${{", "/")


def has_nested(document: Mapping[str, Any]) -> bool:
    """Return whether a pipeline has another one written in place."""
    return any(_nested(step) for step in _steps(document).values())


def in_files(document: Mapping[str, Any], base: Path, folder: Path) -> dict[str, Any]:
    """Return a pipeline whose nested ones are files in `folder`; its paths are below `base`."""
    jobs: dict[str, Any] = {}
    for name, step in _steps(document).items():
        jobs[name] = step
        if _nested(step):
            inner = folder / name
            inner.mkdir()
            file = inner / "component.yml"
            written = in_files(_absolute(step["component"], base), base, inner)
            file.write_text(json.dumps(written, ensure_ascii=False), encoding="utf-8")
            jobs[name] = {**step, "component": str(file)}
    return {**document, "jobs": jobs}


def _steps(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found = document.get("jobs")
    return found if isinstance(found, Mapping) else {}


def _nested(step: Any) -> bool:
    component = step.get("component") if isinstance(step, Mapping) else None
    return isinstance(component, Mapping) and "jobs" in component


def _absolute(value: Any, base: Path, field: str = "") -> Any:
    """Return a component that means the same in another folder."""
    if isinstance(value, Mapping):
        return {key: _absolute(each, base, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_absolute(each, base, field) for each in value]
    if not isinstance(value, str) or value.startswith(_REMOTE):
        return value
    if field in {"component", "trial", "path", "code", "conda_file", "additional_includes"}:
        return str(base / value.removeprefix("file:"))
    if field == "environment":
        return f"file:{base / value.removeprefix('file:')}"
    return value
