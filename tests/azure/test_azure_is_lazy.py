"""Azure costs nothing where it is not used, and its absence is told in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

# What runs on an embedded workspace, one of every group.
LOCAL_COMMANDS = (
    ("workspace", "show"),
    ("workspace", "list"),
    ("workspace", "doctor"),
    (
        *("datastore", "create", "--name", "share", "--type", "azure_file"),
        *("--account-name", "a", "--file-share-name", "s", "--account-key-env", "K"),
    ),
    ("datastore", "show", "share"),
    ("datastore", "list"),
    ("datastore", "ls", "workspaceblobstore"),
    ("data", "list"),
    ("data", "create", "--name", "d", "--path", "."),
    ("data", "show", "d"),
    ("compute", "list"),
    ("env", "list"),
    ("job", "list"),
    ("job", "submit", "job.yml", "--dry-run"),
    ("component", "list"),
    ("model", "list"),
    ("validate", "job.yml"),
    ("init", "--list"),
)


def run(tmp_path, code, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AMLKIT_", "AZURE", "ARM_"))}
    clean |= {"AMLKIT_HOME": str(tmp_path / "home"), "AZURE_CONFIG_DIR": str(tmp_path / "az")}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**clean, **environment},
    )


def test_no_command_on_a_local_workspace_imports_azure(tmp_path):
    (tmp_path / "job.yml").write_text(
        "type: command\ncommand: echo hi\nenvironment: azureml:e@latest\n"
    )
    code = (
        "import sys, json, io, contextlib\nfrom amlkit.cli import run\n"
        f"for each in json.loads({json.dumps(json.dumps(LOCAL_COMMANDS))}):\n"
        "    with contextlib.redirect_stdout(io.StringIO()):\n"
        "        run(each)\n"
        "    heavy = [m for m in sys.modules if m.split('.')[0] in ('azure', 'msal') or m.startswith('amlkit.azure')]\n"
        "    assert not heavy, (each, heavy)\n"
    )
    done = run(tmp_path, code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("data", "list"),
        ("workspace", "doctor"),
        ("workspace", "login", "--default", "--name", "w", "--subscription", "s", "-g", "g"),
    ],
)
def test_without_the_extra_one_line_says_how_to_install_it(tmp_path, command):
    config = {"subscription_id": "s", "resource_group": "g", "workspace_name": "prod"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('azure', 'msal'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        f"from amlkit.cli import run\nsys.exit(run({list(command)!r}))\n"
    )
    done = run(tmp_path, code)
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()
    assert "the Azure packages are not installed" in error
    assert "pip install 'amlkit[azure]'" in hint


def test_a_workspace_without_a_login_asks_for_one(tmp_path):
    pytest.importorskip("azure.identity")
    (tmp_path / ".azureml").mkdir()
    config = {"subscription_id": "s", "resource_group": "g", "workspace_name": "prod"}
    (tmp_path / ".azureml" / "config.json").write_text(json.dumps(config))
    done = run(tmp_path, "import sys\nfrom amlkit.cli import run\nsys.exit(run(['data', 'list']))")
    assert done.returncode == 4
    assert "no login is remembered" in done.stderr
    assert "amlkit workspace login" in done.stderr
