"""What runs logged: metrics, and params and tags as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from amlkit.local.catalogue.database import Database
from amlkit.records import MetricPoint


class MetricTable:
    """Metrics, params and tags of every run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def log(self, job: str, points: Sequence[MetricPoint]) -> None:
        """Append points in the order given, all or none."""
        with self._database.transaction():
            self._database.many(
                "insert into metrics(job, key, value, step, timestamp_ms) values(?,?,?,?,?)",
                [
                    (job, each.key, _stored(each.value), each.step, each.timestamp_ms)
                    for each in points
                ],
            )

    def all(self, job: str) -> dict[str, list[MetricPoint]]:
        """Return every point of a run by metric, in the order of logging."""
        found: dict[str, list[MetricPoint]] = {}
        for row in self._database.rows("select * from metrics where job = ? order by id", job):
            point = MetricPoint(row["key"], _read(row["value"]), row["step"], row["timestamp_ms"])
            found.setdefault(point.key, []).append(point)
        return found

    def latest(self, jobs: Sequence[str]) -> dict[str, dict[str, float]]:
        """Return the last value of each metric of each run: highest step, then latest logged."""
        found: dict[str, dict[str, float]] = {}
        for start in range(0, len(jobs), 500):
            chunk = jobs[start : start + 500]
            marks = ",".join("?" * len(chunk))
            for row in self._database.rows(
                f"select job, key, value from metrics where job in ({marks})"  # noqa: S608
                " order by step, id",
                *chunk,
            ):
                found.setdefault(row["job"], {})[row["key"]] = _read(row["value"])
        return found

    def set_values(self, job: str, kind: str, values: Mapping[str, str]) -> None:
        """Set params (`kind` is `param`) or tags (`tag`)."""
        with self._database.transaction():
            self._database.many(
                "insert or replace into run_values values(?,?,?,?)",
                [(job, kind, key, value) for key, value in values.items()],
            )

    def values(self, job: str, kind: str) -> dict[str, str]:
        """Return params or tags of a run."""
        rows = self._database.rows(
            "select key, value from run_values where job = ? and kind = ? order by key", job, kind
        )
        return {row["key"]: row["value"] for row in rows}

    def remove_value(self, job: str, kind: str, key: str) -> bool:
        """Forget a param or tag; return whether there was one."""
        removed = self._database.execute(
            "delete from run_values where job = ? and kind = ? and key = ?", job, kind, key
        )
        return removed > 0

    def clear(self, job: str) -> None:
        """Forget what a run logged, before it is run again."""
        with self._database.transaction():
            self._database.execute("delete from metrics where job = ?", job)
            self._database.execute("delete from run_values where job = ?", job)


def _stored(value: float) -> float | str:
    # SQLite turns NaN into null and would lose the difference between the infinities in JSON.
    return value if math.isfinite(value) else str(value)


def _read(value: float | str | None) -> float:
    return float("nan") if value is None else float(value)
