"""The real executable, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, settings

# A busy machine draws slowly; that says nothing about what is tested.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")


@pytest.fixture
def amlkit(tmp_path):
    """Run `amlkit ARGUMENTS` in `tmp_path`, with its workspace in `tmp_path/home`."""
    home = tmp_path / "home"
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AMLKIT_", "AZURE")) and key not in {"NO_COLOR", "FORCE_COLOR"}
    }
    clean |= {"AMLKIT_HOME": str(home), "AZURE_CONFIG_DIR": str(tmp_path / "azure")}

    def run(*arguments, stdin=None, env=None, cwd=None, timeout=120):
        return subprocess.run(
            [sys.executable, "-m", "amlkit", *map(str, arguments)],
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            env={**clean, **(env or {})},
            cwd=cwd or tmp_path,
            timeout=timeout,
            check=False,
        )

    return run
