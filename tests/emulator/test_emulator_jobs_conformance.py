"""What jobs do in every workspace: adapter, unmodified SDK, HTTPS, emulator, embedded workspace."""

from __future__ import annotations

import pytest

pytest.importorskip("azure.ai.ml")
pytest.importorskip("cryptography")

from jobs_conformance import *  # noqa: F403

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture
def workspace(on_emulator):
    """An empty workspace."""
    return on_emulator


@pytest.fixture
def submit(workspace):
    """Start the job of a file; the emulator was told to use this Python."""
    return workspace.jobs.submit
