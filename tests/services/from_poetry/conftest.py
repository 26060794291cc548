from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amlkit.services.from_poetry import CondaFile, convert

Write = Callable[..., Path]
Ranges = Callable[..., list[str]]

HEAD = '[tool.poetry]\nname = "demo"\nversion = "0.1.0"\ndescription = ""\nauthors = []\n'


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a pyproject.toml, and other files by keyword (`poetry_lock=`, `uv_lock=`)."""

    def write(text: str, **files: str) -> Path:
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
        for name, content in files.items():
            (tmp_path / name.replace("_lock", ".lock")).write_text(content, encoding="utf-8")
        return tmp_path / "pyproject.toml"

    return write


@pytest.fixture
def poetry(write: Write) -> Callable[..., CondaFile]:
    """Convert a Poetry 1 project, given what follows `[tool.poetry.dependencies]`."""

    def convert_poetry(dependencies: str, python: str = "^3.9", **options: Any) -> CondaFile:
        table = f'{HEAD}[tool.poetry.dependencies]\npython = "{python}"\n'
        return convert(write(table + dependencies), **{"mode": "ranges", **options})

    return convert_poetry


@pytest.fixture
def standard(write: Write) -> Callable[..., CondaFile]:
    """Convert a project with a `[project]` table, given what follows name and version."""

    def convert_standard(text: str, **options: Any) -> CondaFile:
        head = '[project]\nname = "demo"\nversion = "0.1.0"\n'
        return convert(write(head + text), **{"mode": "ranges", **options})

    return convert_standard


def pip(file: CondaFile) -> list[str]:
    """Return what pip installs."""
    return next(
        (each["pip"] for each in file.document["dependencies"] if isinstance(each, dict)), []
    )


@pytest.fixture(name="pip")
def pip_fixture() -> Callable[[CondaFile], list[str]]:
    return pip
