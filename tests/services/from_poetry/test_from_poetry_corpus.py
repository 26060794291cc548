"""Real projects: what is written is what poetry-core says is declared, or a named refusal."""

from __future__ import annotations

import importlib.util
import json
import logging
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from amlkit.errors import AmlkitError, InvalidSpec
from amlkit.services.from_poetry import convert

CORPUS = Path(__file__).parents[3] / ".." / "shared" / "corpus"
PROJECTS = sorted(path.parent for path in CORPUS.glob("pyproject/*/pyproject.toml"))

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(
        not PROJECTS, reason="the corpus of real projects is not beside the checkout"
    ),
]


@cache
def oracle() -> Any:
    found = importlib.util.spec_from_file_location("oracle", CORPUS / "pyproject_oracle.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def selections(project: Path) -> list[tuple[list[str], list[str]]]:
    """Return (extras, groups): none, and each extra and group by itself."""
    expected = json.loads((project / "expected.json").read_text())
    found: list[tuple[list[str], list[str]]] = [([], [])]
    for key in expected:
        kind, _, name = key.partition(":")
        if name:
            found.append(([name], []) if kind == "extra" else ([], [name]))
    return found


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_the_ranges_are_those_declared_or_refused(project: Path, tmp_path: Path) -> None:
    logging.getLogger("poetry.core").setLevel(logging.CRITICAL)
    written = tmp_path / "environment.yml"
    for extras, groups in selections(project):
        try:
            file = convert(project, mode="ranges", extras=extras, groups=groups)
        except AmlkitError as refusal:
            assert refusal.hint
            continue
        written.write_text(file.text, encoding="utf-8")
        found = oracle().compare(
            project / "pyproject.toml", written, None, extras, ["main", *groups]
        )
        assert found["right"], (extras, groups, found)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_the_pins_are_those_of_the_tool_that_locked(project: Path) -> None:
    references = sorted(project.glob("expected_pins.*.json"))
    if not references:
        pytest.skip("no exported closure to compare with")
    for reference in references:
        expected = json.loads(reference.read_text())
        try:
            file = convert(project, mode="locked", python=expected["python"])
        except InvalidSpec as stale:
            assert {each.code for each in stale.problems} == {"stale-lock"}
            continue
        assert {line.name: line.version for line in file.lines} == expected["pins"]


def test_nearly_everything_is_converted_rather_than_refused() -> None:
    refused = []
    for project in PROJECTS:
        try:
            convert(project, mode="ranges")
        except AmlkitError:
            refused.append(project.name)
    assert len(refused) <= len(PROJECTS) // 15, refused
