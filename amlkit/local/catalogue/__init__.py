"""The catalogue: one SQLite file that says what a workspace holds. All SQL is in this folder."""

from amlkit.local.catalogue.assets import ADDRESS_MARK, AssetTable
from amlkit.local.catalogue.database import Database
from amlkit.local.catalogue.jobs import JobRow, JobTable
from amlkit.local.catalogue.metrics import MetricTable

__all__ = ["ADDRESS_MARK", "AssetTable", "Database", "JobRow", "JobTable", "MetricTable"]
