"""The suite of every workspace, on Azure: adapter, unmodified SDK, real TLS, the loopback cloud."""

from __future__ import annotations

import pytest

pytest.importorskip("azure.ai.ml")

from workspace_conformance import *  # noqa: F403

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture
def workspace(on_azure):
    """An empty workspace."""
    return on_azure
