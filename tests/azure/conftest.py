"""A cloud on loopback, and `amlkit` pointed at it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.fixture
def cloud(tmp_path):
    """A small Azure of its own for each test."""
    pytest.importorskip("azure.identity")
    import loopback_azure

    folder = tmp_path / "cloud"
    folder.mkdir()
    with loopback_azure.running(folder) as running:
        yield running


@pytest.fixture
def amlkit_on(cloud, tmp_path):
    """Run `amlkit ARGUMENTS` against the cloud, in a home of its own."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AMLKIT_", "AZURE", "ARM_", "IDENTITY_", "MSI_", "ACTIONS_"))
        and not key.lower().endswith("_proxy")
        and key not in {"NO_COLOR", "FORCE_COLOR", "DISPLAY", "DBUS_SESSION_BUS_ADDRESS"}
    }
    user = tmp_path / "user"
    user.mkdir()
    clean |= {
        "AMLKIT_HOME": str(tmp_path / "home"),
        "HOME": str(user),
        "AZURE_CONFIG_DIR": str(tmp_path / "azure-cli"),
        **cloud.environment,
    }

    def run(*arguments, stdin="", env=None):
        return subprocess.run(
            [sys.executable, "-m", "amlkit", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**clean, **(env or {})},
            cwd=tmp_path,
            timeout=60,
            check=False,
        )

    return run
