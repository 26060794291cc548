"""`--engine poetry2conda`: what poetry2conda 0.3.0 writes, unchanged, for those who need it.

It reads `[tool.poetry]` only, needs `[tool.poetry2conda]` with a name, and puts the date in the
file, so its output is never the same twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlkit.errors import AmlkitError, NotSupported, UsageError, unreadable
from amlkit.services.from_poetry.records import CondaFile, Note, ResolvedLine


def convert(
    pyproject: Path, *, groups: Sequence[str] = (), extras: Sequence[str] = ()
) -> CondaFile:
    """Return what poetry2conda makes of a project.

    Raises: NotSupported: poetry2conda is not installed. UsageError: a group other than `dev`.
    AmlkitError: poetry2conda failed, in its own words.
    """
    try:
        from poetry2conda import convert as poetry2conda
    except ImportError as cause:
        raise NotSupported(
            "the engine `poetry2conda` is not installed",
            hint='pip install "amlkit[poetry2conda]"',
        ) from cause
    if other := [group for group in groups if group not in {"main", "dev"}]:
        raise UsageError(
            f"poetry2conda knows the group `dev` only, not `{other[0]}`",
            hint="use the engine `amlkit` for other groups",
        )
    path = pyproject / "pyproject.toml" if pyproject.is_dir() else pyproject
    try:
        with path.open(encoding="utf-8") as file:
            text = poetry2conda.convert(file, include_dev="dev" in groups, extras=list(extras))
    except OSError as cause:
        raise unreadable(path, cause) from cause
    except Exception as cause:
        said = str(cause) or type(cause).__name__
        raise AmlkitError(
            f"poetry2conda cannot convert `{path}`: {said}", hint="use the engine `amlkit`"
        ) from cause
    return _conda_file(path, text)


def _conda_file(path: Path, text: str) -> CondaFile:
    import yaml

    try:
        document: dict[str, Any] = yaml.safe_load(text)
    except yaml.YAMLError as cause:
        raise AmlkitError(
            f"poetry2conda wrote something for `{path}` that is not YAML",
            hint="use the engine `amlkit`",
        ) from cause
    lines = tuple(_lines(document))
    python = next((each.requirement for each in lines if each.name == "python"), "")
    return CondaFile(
        name=str(document.get("name", "")),
        text=text,
        document=document,
        lines=tuple(each for each in lines if each.name not in {"python", "pip"}),
        notes=(
            Note("poetry2conda", "written by poetry2conda, unchanged; the date is in the file"),
        ),
        python=python.removeprefix("python"),
        mode="ranges",
    )


def _lines(document: dict[str, Any]) -> list[ResolvedLine]:
    import re

    found: list[ResolvedLine] = []
    for each in document.get("dependencies") or ():
        for requirement in each["pip"] or () if isinstance(each, dict) else [each]:
            name = re.split(r"[<>=!~ \[]", str(requirement).rpartition("::")[2], maxsplit=1)[0]
            channel = "pip" if isinstance(each, dict) else "conda"
            found.append(ResolvedLine(name, str(requirement), "poetry2conda", "range", channel))
    return found
