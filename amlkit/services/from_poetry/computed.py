"""Dependencies that `[project]` leaves to its build backend with `dynamic = ["dependencies"]`.

setuptools can read them from requirements files, and so can this; what a backend computes when it
builds is unknown here.

Source: setuptools, "Configuring setuptools using pyproject.toml files: dynamic metadata".
"""

from __future__ import annotations

import re
from typing import Any

from amlkit.services.from_poetry import pep621
from amlkit.services.from_poetry.records import Declared
from amlkit.services.from_poetry.toml_file import TomlFile


def dependencies(
    file: TomlFile, project: dict[str, Any]
) -> tuple[tuple[Declared, ...], str | None]:
    """Return the requirements that files hold, and who computes them when none do.

    Raises: InvalidSpec: a line of a requirements file that is not a requirement.
    """
    if "dependencies" not in project.get("dynamic", []) or _is_poetry(file):
        return (), None
    rule = file.table("tool", "setuptools", "dynamic").get("dependencies")
    written = rule.get("file", ()) if isinstance(rule, dict) else ()
    paths = [
        file.path.parent / each for each in ([written] if isinstance(written, str) else written)
    ]
    if paths and all(path.is_file() for path in paths):
        lines = [line for path in paths for line in _lines(path.read_text(encoding="utf-8"))]
        where = "tool.setuptools.dynamic.dependencies"
        return pep621.requirements(file, lines, where), None
    backend = file.table("build-system").get("build-backend", "setuptools.build_meta")
    return (), str(backend)


def _is_poetry(file: TomlFile) -> bool:
    # Poetry's backend computes nothing: it copies [tool.poetry], even when that has none.
    backend = str(file.table("build-system").get("build-backend", ""))
    return backend.startswith("poetry.")


def _lines(text: str) -> list[str]:
    bare = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in text.splitlines())
    return [line for line in bare if line]
