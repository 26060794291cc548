"""What runs logged: metrics and parameters, over the MLflow REST API of the workspace.

Source: MLflow, "REST API"; Azure ML serves it below the workspace's tracking URI.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from amlkit.azure.client import ArmClient
from amlkit.errors import NotFound
from amlkit.records import MetricPoint

PAGE = 25_000


class Tracking:
    """The workspace's MLflow server."""

    def __init__(self, client: ArmClient) -> None:
        self._client = client

    @cached_property
    def _base(self) -> str:
        uri = str(self._client.workspace["properties"]["mlFlowTrackingUri"])
        return f"{uri.replace('azureml://', 'https://', 1).rstrip('/')}/api/2.0/mlflow"

    def _get(self, path: str, subject: str, query: Mapping[str, str]) -> dict[str, Any]:
        response = self._client.request("GET", f"{self._base}/{path}", subject, query=query)
        found: dict[str, Any] = response.json()
        return found

    def latest(self, name: str) -> tuple[dict[str, float], dict[str, str]]:
        """Return the last value of each metric, and the parameters; nothing for an unknown run."""
        try:
            run = self._get("runs/get", f"metrics of `{name}`", {"run_id": name})["run"]
        except NotFound:
            return {}, {}
        data = run.get("data") or {}
        metrics = {str(each["key"]): float(each["value"]) for each in data.get("metrics") or ()}
        params = {str(each["key"]): str(each["value"]) for each in data.get("params") or ()}
        return metrics, params

    def all(self, name: str) -> Mapping[str, Sequence[MetricPoint]]:
        """Return every logged value, by metric, in the order of logging."""
        metrics, _ = self.latest(name)
        return {key: self._history(name, key) for key in sorted(metrics)}

    def _history(self, name: str, key: str) -> Sequence[MetricPoint]:
        points: list[MetricPoint] = []
        query = {"run_id": name, "metric_key": key, "max_results": str(PAGE)}
        while True:
            page = self._get("metrics/get-history", f"metric `{key}` of `{name}`", query)
            points += [
                MetricPoint(
                    key, float(each["value"]), int(each.get("step") or 0), int(each["timestamp"])
                )
                for each in page.get("metrics") or ()
            ]
            token = page.get("next_page_token")
            if not token:
                return points
            query = {**query, "page_token": str(token)}
