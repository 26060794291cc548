"""The client of all these scripts: as for Azure, with nothing of the emulator in it."""

from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential


def connect() -> MLClient:
    return MLClient(
        DefaultAzureCredential(),
        subscription_id="00000000-0000-0000-0000-000000000001",
        resource_group_name="tutorial",
        workspace_name="tutorial",
    )
