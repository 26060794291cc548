"""Register an environment from a conda file, and find it again."""

from pathlib import Path

from azure.ai.ml import MLClient
from azure.ai.ml.entities import Environment
from client import connect


def register(client: MLClient) -> Environment:
    """Register the environment that the tutorial's jobs and components name."""
    return client.environments.create_or_update(
        Environment(
            name="tutorial",
            version="1",
            description="what the tutorial's jobs run in",
            image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04",
            conda_file=Path(__file__).parent / "conda.yml",
            tags={"owner": "tutorial"},
        )
    )


if __name__ == "__main__":
    client = connect()
    made = register(client)
    found = client.environments.get("tutorial", label="latest")
    print("environment:", f"{made.name}:{made.version}", found.tags)
    print("conda:", found.conda_file["dependencies"])
    print("versions:", [each.version for each in client.environments.list(name="tutorial")])
