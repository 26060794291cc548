"""What MLflow's own server reads a workspace's runs through: entry points of this package.

`amlkit mlflow ui` starts MLflow's server in a process of its own, which finds these classes by the
scheme `amlkit://`. Only MLflow imports this module.
"""

from __future__ import annotations

import os

from mlflow.store.model_registry.rest_store import RestStore as RegistryRestStore
from mlflow.store.tracking.rest_store import RestStore
from mlflow.utils.rest_utils import MlflowHostCreds

TOKEN = "AMLKIT_RUNS_TOKEN"  # noqa: S105  the variable's name
"""Environment variable that holds the token: command lines can be read by others."""


class Runs(RestStore):  # type: ignore[misc]
    """Runs of a workspace, `amlkit://127.0.0.1:PORT`."""

    def __init__(self, store_uri: str, artifact_uri: str | None = None) -> None:
        super().__init__(lambda: _credentials(store_uri))

    def _search_datasets(self, experiment_ids: list[str]) -> list[object]:
        """Return no logged datasets: they are not kept. MLflow's pages ask on every view."""
        return []


class Models(RegistryRestStore):  # type: ignore[misc]
    """Registered models: none; amlkit shows its own with `amlkit model list`."""

    def __init__(self, store_uri: str, tracking_uri: str | None = None) -> None:
        super().__init__(lambda: _credentials(store_uri))


def _credentials(store_uri: str) -> MlflowHostCreds:
    address = store_uri.partition("://")[2].rstrip("/")
    return MlflowHostCreds(f"http://{address}", token=os.environ[TOKEN])
