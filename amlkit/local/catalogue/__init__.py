"""The catalogue: one SQLite file that says what a workspace holds. All SQL is in this folder."""

from amlkit.local.catalogue.assets import AssetTable
from amlkit.local.catalogue.database import Database
from amlkit.local.catalogue.jobs import JobRow, JobTable
from amlkit.local.catalogue.metrics import MetricTable

__all__ = ["AssetTable", "Database", "JobRow", "JobTable", "MetricTable"]
