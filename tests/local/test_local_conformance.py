"""The suite of every workspace, on the embedded one."""

from __future__ import annotations

import pytest
from workspace_conformance import *  # noqa: F403

from amlkit.config import WorkspaceChoice
from amlkit.services import Workspace


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty workspace."""
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    opened = Workspace.of(WorkspaceChoice("w", "local", "test", folder=tmp_path / "w"))
    yield opened
    opened.close()
