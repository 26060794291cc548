"""The suite of every workspace: adapter, unmodified SDK, HTTPS, emulator, embedded workspace."""

from __future__ import annotations

import pytest

pytest.importorskip("azure.ai.ml")
pytest.importorskip("cryptography")

from workspace_conformance import *  # noqa: F403

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture
def workspace(on_emulator):
    """An empty workspace."""
    return on_emulator


def test_a_compute_that_is_not_there_is_not_found(workspace):
    """Otherwise than on Azure: the clusters that scripts name need not be made first."""
    assert workspace.computes.show("nothing").name == "nothing"
