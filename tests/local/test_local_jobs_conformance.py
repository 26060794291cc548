"""What jobs do in every workspace, in the embedded one."""

from __future__ import annotations

import pytest
from jobs_conformance import *  # noqa: F403

from amlkit.config import WorkspaceChoice
from amlkit.services import Workspace


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty workspace."""
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    opened = Workspace.of(WorkspaceChoice("w", "local", "test", folder=tmp_path / "w"))
    yield opened
    opened.close()


@pytest.fixture
def submit(workspace):
    """Start the job of a file."""
    return lambda file: workspace.jobs.submit(file, current_python=True)
