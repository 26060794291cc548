"""An Azure ML workspace that keeps the workspace protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.azure.account import AzureAccount
from amlkit.azure.client import ArmClient
from amlkit.azure.datastores import AzureDatastores
from amlkit.azure.sdk import Sdk
from amlkit.config import WorkspaceChoice
from amlkit.errors import NotSupported
from amlkit.file_records import CodeSince
from amlkit.records import JSON
from amlkit.workspace import ServedRuns

if TYPE_CHECKING:
    from amlkit.azure.assets import AzureAssets
    from amlkit.azure.computes import AzureComputes
    from amlkit.azure.environments import AzureEnvironments
    from amlkit.azure.jobs import AzureJobs


class AzureWorkspace:
    """An Azure ML workspace, opened. Nothing is sent before something is asked for."""

    kind = "azure"

    def __init__(self, choice: WorkspaceChoice, client: ArmClient) -> None:
        self.name = choice.name
        self.choice = choice
        self.client = client

    @classmethod
    def open(cls, choice: WorkspaceChoice) -> AzureWorkspace:
        """Open a workspace with its remembered login. Raises: NotLoggedIn."""
        return cls(choice, AzureAccount(choice).client())

    @cached_property
    def sdk(self) -> Sdk:
        """The SDK, not imported yet."""
        choice = self.choice
        return Sdk(
            self.client.credential,
            self.client.cloud,
            choice.subscription_id,
            choice.resource_group,
            choice.workspace_name,
        )

    @cached_property
    def assets(self) -> AzureAssets:
        """Versioned assets."""
        from amlkit.azure.assets import AzureAssets

        return AzureAssets(self.client, self.datastores, self.sdk)

    @cached_property
    def datastores(self) -> AzureDatastores:
        """Datastores."""
        return AzureDatastores(self.client, self.sdk)

    @cached_property
    def computes(self) -> AzureComputes:
        """Computes."""
        from amlkit.azure.computes import AzureComputes

        return AzureComputes(self.client, self.sdk)

    @cached_property
    def environments(self) -> AzureEnvironments:
        """Environments, which Azure builds by itself."""
        from amlkit.azure.environments import AzureEnvironments

        return AzureEnvironments()

    @cached_property
    def jobs(self) -> AzureJobs:
        """Jobs."""
        from amlkit.azure.jobs import AzureJobs

        return AzureJobs(self.client, self.datastores, self.sdk)

    def serve_runs(self) -> AbstractContextManager[ServedRuns]:
        """Raises: NotSupported: Azure ML serves them itself."""
        raise NotSupported(
            f"the runs of `{self.name}` are on Azure ML, which has a page for them",
            hint="open https://ml.azure.com, or take another one: amlkit -w local mlflow ui",
        )

    def code_since(self, folder: Path, includes: Sequence[Path] = ()) -> CodeSince:
        """Return the files of a code folder as the last job from here had them, and now.

        Raises: NotFound: no job was submitted from it on this machine.
        """
        from amlkit.azure import submitted

        return submitted.since(self.client.workspace_id, folder, includes)

    def describe(self) -> Mapping[str, JSON]:
        """Return what Azure says of the workspace."""
        found = self.client.workspace
        return {
            "id": str(found.get("id")),
            "location": str(found.get("location")),
            "tracking_uri": str(found["properties"].get("mlFlowTrackingUri")),
        }

    def close(self) -> None:
        """Close its connections."""
        self.client.close()
