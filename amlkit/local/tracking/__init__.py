"""The tracking server: MLflow's REST API on loopback, inside the supervisor of a job."""

from amlkit.local.tracking.server import TrackingServer
from amlkit.local.tracking.store import RunStore, UnknownRun

__all__ = ["RunStore", "TrackingServer", "UnknownRun"]
