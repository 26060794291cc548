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


class Credential:
    """A login whose tokens the cloud has given."""

    def __init__(self, cloud):
        self._cloud = cloud

    def get_token(self, *scopes, **_):
        from azure.core.credentials import AccessToken

        return AccessToken(self._cloud.token(scopes[0].removesuffix("/.default")), 4102444800)


@pytest.fixture
def on_azure(cloud, tmp_path, monkeypatch):
    """The services of an Azure ML workspace on the cloud, in this process."""
    from loopback_azure import SUBSCRIPTION

    from amlkit.azure.account import workspace_id
    from amlkit.azure.client import ArmClient
    from amlkit.azure.clouds import from_metadata
    from amlkit.azure.workspace import AzureWorkspace
    from amlkit.config import WorkspaceChoice
    from amlkit.services import Workspace

    for key in ("HTTPS_PROXY", "https_proxy", "AZUREML_CURRENT_CLOUD", "ARM_CLOUD_METADATA_URL"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "AzureCloud")  # what the SDK sets goes again
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AMLKIT_AZURE_POLL_SECONDS", "0.01")
    for key, value in cloud.environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.chdir(tmp_path)
    choice = WorkspaceChoice(
        "ws",
        "azure",
        "test",
        subscription_id=SUBSCRIPTION,
        resource_group="rg",
        workspace_name="ws",
    )
    described = from_metadata(cloud.environment["ARM_CLOUD_METADATA_URL"], None)
    client = ArmClient(Credential(cloud), described, workspace_id(choice))
    yield Workspace(AzureWorkspace(choice, client), choice)
    client.close()
