"""Log metrics with mlflow inside a job, and nowhere outside one."""

from __future__ import annotations

import os


def log_metric(name: str, value: float, step: int | None = None) -> None:
    """Log one number if a tracking server is named; a plain run leaves no `mlruns` behind."""
    if os.environ.get("MLFLOW_TRACKING_URI"):
        import mlflow

        mlflow.log_metric(name, value, step=step)
