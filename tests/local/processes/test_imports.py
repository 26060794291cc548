"""Modules that only some operating systems have."""

from __future__ import annotations

import subprocess
import sys

IMPORT = """
import sys
import multiprocessing, socketserver, sqlite3, subprocess, tempfile, typer, filelock  # as they are here
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
sys.platform = "win32"
import amlkit.cli, amlkit.commands.data, amlkit.commands.workspace
import amlkit.local.jobs, amlkit.local.runner, amlkit.local.supervisor, amlkit.local.workspace
"""


def test_the_embedded_workspace_is_imported_without_the_modules_of_unix():
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
