"""The rules that keep start-up fast and the layers apart, checked in real processes."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from amlkit.cli import COMMANDS, app

ROOT = Path(__file__).parents[1] / "amlkit"
HEAVY = ("azure", "pydantic", "rich", "yaml", "numpy", "mlflow", "jmespath", "asyncio")


def _loaded_by(code: str) -> set[str]:
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_version_imports_almost_nothing():
    loaded = _loaded_by(
        "sys.argv = ['amlkit', '--version']\nfrom amlkit.__main__ import main\nmain()"
    )
    assert not loaded & {"typer", *HEAVY}
    assert {name for name in loaded if name.startswith("amlkit")} == {"amlkit", "amlkit.__main__"}


def test_root_help_loads_no_command_module():
    loaded = _loaded_by("from amlkit.cli import run\nrun(['--help'])")
    assert not {name for name in loaded if name.startswith("amlkit.commands.")}
    assert not loaded & set(HEAVY)


def test_listing_data_loads_nothing_heavy(tmp_path):
    loaded = _loaded_by(
        f"import os\nos.environ['AMLKIT_HOME'] = {str(tmp_path)!r}\n"
        "from amlkit.cli import run\nassert run(['data', 'list', '-o', 'name']) == 0"
    )
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_through_the_lazy_group_and_has_help(name):
    done = subprocess.run(
        [sys.executable, "-m", "amlkit", name, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: amlkit" in done.stdout


@pytest.mark.parametrize("group", [name for name in COMMANDS if name not in {"init", "validate"}])
def test_every_verb_has_help_with_a_sentence(group):
    import typer

    root = typer.main.get_command(app)
    context = root.make_context("amlkit", [group, "--help"], resilient_parsing=True)
    command = root.get_command(context, group)
    verbs = command.list_commands(context)
    assert verbs
    for verb in verbs:
        assert command.get_command(context, verb).help, f"{group} {verb}"


def test_sql_is_only_in_the_catalogue():
    for path in ROOT.rglob("*.py"):
        if "catalogue" not in path.parts:
            assert "import sqlite3" not in path.read_text(encoding="utf-8"), path


def test_only_one_function_opens_a_workspace():
    for path in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith(("amlkit.local", "amlkit.azure")), path


def test_no_module_outgrows_one_idea():
    for path in ROOT.rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 420, f"{path.relative_to(ROOT)} has {lines} lines: split it"
