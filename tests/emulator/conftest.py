"""A running emulator, and the unmodified SDK pointed at it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import pytest
from running_emulator import Emulator

from amlkit.config import WorkspaceChoice
from amlkit.emulator import process
from amlkit.emulator.signing import Signer
from amlkit.errors import NotFound
from amlkit.services import Workspace


@pytest.fixture
def emulator(tmp_path):
    """An emulator of the workspace that `amlkit` uses; its jobs run in this Python."""
    pytest.importorskip("cryptography")
    folder = tmp_path / "home" / "workspaces" / "local"
    choice = WorkspaceChoice("local", "local", "test", folder=folder)
    record = tmp_path / "requests.jsonl"
    running = process.start_detached(choice, 0, (), current_python=True, record=record)
    yield Emulator(running.environment(), record)
    with suppress(NotFound):
        process.stop(choice)


@pytest.fixture
def remote(emulator, tmp_path):
    """Run `amlkit ARGUMENTS` on an Azure workspace that the emulator serves, logged in."""
    pytest.importorskip("azure.ai.ml")
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AMLKIT_", "AZURE", "ARM_", "IDENTITY_", "MSI_"))
        and not key.lower().endswith("_proxy")
    }
    clean |= {"AMLKIT_HOME": str(tmp_path / "remote"), "AMLKIT_AZURE_POLL_SECONDS": "0.05"}

    def run(*arguments, stdin="", env=None):
        return subprocess.run(
            [sys.executable, "-m", "amlkit", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            env={**clean, **emulator.environment, **(env or {})},
            cwd=tmp_path,
            timeout=120,
            check=False,
        )

    where = ("--subscription", "s", "-g", "g", "--name", "emu")
    done = run("workspace", "login", "--managed-identity", *where)
    assert done.returncode == 0, done.stderr
    return run


class Credential:
    """A login whose tokens the emulator gives to whoever has its secret."""

    def __init__(self, running):
        self._signer = Signer(running.key)

    def get_token(self, *scopes, **_):
        from azure.core.credentials import AccessToken

        return AccessToken(*self._signer.token(scopes[0].removesuffix("/.default")))


@pytest.fixture
def served(tmp_path):
    """An emulator of an empty workspace, in the folder `w`, that notes what it is asked."""
    choice = WorkspaceChoice("w", "local", "test", folder=tmp_path / "w")
    record = tmp_path / "asked.jsonl"
    running = process.start_detached(choice, 0, (), current_python=True, record=record)
    found = Emulator(running.environment(), record)
    found.credential = Credential(running)
    yield found
    process.stop(choice)


@pytest.fixture
def on_emulator(served, tmp_path, monkeypatch):
    """The services of an Azure ML workspace that an emulator serves, in this process."""
    from amlkit.azure.account import workspace_id
    from amlkit.azure.client import ArmClient
    from amlkit.azure.clouds import from_metadata
    from amlkit.azure.workspace import AzureWorkspace

    for key in ("HTTPS_PROXY", "https_proxy", "AZUREML_CURRENT_CLOUD"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "AzureCloud")  # what the SDK sets goes again
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AMLKIT_AZURE_POLL_SECONDS", "0.01")
    monkeypatch.chdir(tmp_path)
    for key, value in served.environment.items():
        monkeypatch.setenv(key, value)
    choice = WorkspaceChoice(
        "ws", "azure", "test", subscription_id="s", resource_group="rg", workspace_name="ws"
    )
    described = from_metadata(served.environment["ARM_CLOUD_METADATA_URL"], None)
    client = ArmClient(served.credential, described, workspace_id(choice))
    yield Workspace(AzureWorkspace(choice, client), choice)
    client.close()
