"""Bundled projects as their users run them: copied by `amlkit init`, environments built by amlkit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Bundled:
    """A copy of a template, and the `amlkit` that works in it with a home of its own."""

    root: Path
    home: Path

    def run(self, *arguments: object, code: int = 0) -> str:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AMLKIT_", "AZURE"))}
        clean = {k: v for k, v in clean.items() if "MLFLOW" not in k}
        done = subprocess.run(
            [sys.executable, "-m", "amlkit", *map(str, arguments)],
            cwd=self.root,
            env={**clean, "AMLKIT_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    def json(self, *arguments: object) -> Any:
        return json.loads(self.run(*arguments, "-o", "json"))

    @property
    def python(self) -> Path:
        """The interpreter of the environment that the jobs run in."""
        return next(self.home.rglob("environments/*/bin/python"))

    def script(self, *arguments: object) -> str:
        """Run one of the project's scripts and return what it printed."""
        done = subprocess.run(
            [self.python, *map(str, arguments)],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *arguments: object) -> str:
        """Run one of the project's scripts, which must fail, and return its complaint."""
        done = subprocess.run(
            [self.python, *map(str, arguments)],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        return done.stderr


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory):
    """Return a function that makes a project of a template, with its conda file written."""

    def make(template: str, *extras: str) -> Bundled:
        top = tmp_path_factory.mktemp(template)
        Bundled(top, top / "home").run("init", template)
        project = Bundled(top / template, top / "home")
        options = [word for extra in extras for word in ("--extra", extra)]
        options += ["--python", f"{sys.version_info.major}.{sys.version_info.minor}"]
        project.run("env", "from-poetry", "-O", "environment.yml", *options)
        return project

    return make
