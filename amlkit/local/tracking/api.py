"""MLflow's REST calls over a run store: a table of path -> function of the JSON body.

Source: "MLflow REST API", 2.x and 3.x; what mlflow clients from 1.26 on send while a job runs.
"""

from __future__ import annotations

import hashlib
import math
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amlkit.local.tracking import search
from amlkit.local.tracking.models import LoggedModels
from amlkit.local.tracking.store import RunInfo, RunStore, UnknownRun
from amlkit.records import MetricPoint

Body = Mapping[str, Any]
Pushed = Callable[[str, list[MetricPoint]], None]
_LOCATION = "mlflow.artifactLocation"


class Api:
    """The calls of one server. pushed: told of metrics once they are stored."""

    def __init__(self, store: RunStore, pushed: Pushed, artifact_root: Path) -> None:
        self._store = store
        self._pushed = pushed
        self._artifacts = artifact_root
        self._experiments: dict[str, str] = {"0": "Default"}
        # A dot first: no job is called so.
        self._loose = artifact_root / ".without-run"
        self._models = LoggedModels(store, self._loose)
        self._calls: dict[str, Callable[[Body], dict[str, Any]]] = {
            "experiments/get": self._experiment,
            "experiments/get-by-name": self._experiment,
            "experiments/create": self._create_experiment,
            "experiments/search": self._search_experiments,
            "experiments/list": self._search_experiments,
            "runs/create": self._create_run,
            "runs/get": lambda body: {"run": self._run(_run_id(body))},
            "runs/update": self._update_run,
            "runs/search": self._search_runs,
            "runs/log-metric": self._log_metric,
            "runs/log-batch": self._log_batch,
            "runs/log-parameter": lambda body: self._set(body, "param"),
            "runs/set-tag": lambda body: self._set(body, "tag"),
            "runs/delete-tag": self._delete_tag,
            "runs/log-model": lambda body: {},
            "runs/log-inputs": lambda body: {},
            "runs/outputs": lambda body: {},
            "metrics/get-history": self._history,
            "artifacts/list": self._list_artifacts,
            "traces/search": lambda body: {"traces": []},
            # MLflow's pages ask for registered models too; amlkit keeps them as its own assets.
            "registered-models/search": lambda body: {"registered_models": []},
            "model-versions/search": lambda body: {"model_versions": []},
        }

    def call(self, method: str, path: str, body: Body) -> dict[str, Any]:
        """Answer one call. Raises: UnknownRun, KeyError, ValueError, LookupError: no such call."""
        if (known := self._calls.get(path)) is not None:
            return known(body)
        if path.startswith("logged-models"):
            return self._models.call(method, path, body)
        if path == "traces" or path.startswith("traces/"):
            return self._trace(method, path, body)
        raise LookupError(path)

    # Experiments: an experiment is a name; its id is made of it.

    def experiment_id(self, name: str) -> str:
        """Return the stable numeric id of an experiment's name."""
        if name == "Default":
            return "0"
        number = str(int(hashlib.sha256(name.encode()).hexdigest()[:12], 16))
        self._experiments[number] = name
        return number

    def _name(self, number: str) -> str:
        if number not in self._experiments:
            self._find_experiments()
        if number not in self._experiments:
            raise UnknownRun(f"no experiment has the id {number}")
        return self._experiments[number]

    def _find_experiments(self) -> None:
        for name in self._store.experiments():
            self.experiment_id(name)

    def _experiment(self, body: Body) -> dict[str, Any]:
        if "experiment_name" in body:
            name = str(body["experiment_name"])
            # Clients create what they are told does not exist: they must be told the truth.
            if name not in self._experiments.values() and not self._store.runs([name]):
                raise UnknownRun(f"no experiment is called {name}")
            return {"experiment": self._experiment_json(name)}
        return {"experiment": self._experiment_json(self._name(str(body["experiment_id"])))}

    def _experiment_json(self, name: str) -> dict[str, Any]:
        return {
            "experiment_id": self.experiment_id(name),
            "name": name,
            "artifact_location": self._artifacts.as_uri(),
            "lifecycle_stage": "active",
        }

    def _create_experiment(self, body: Body) -> dict[str, Any]:
        return {"experiment_id": self.experiment_id(str(body["name"]))}

    def _search_experiments(self, body: Body) -> dict[str, Any]:
        self._find_experiments()
        names = list(self._experiments.values())
        return {"experiments": [self._experiment_json(name) for name in names]}

    # Runs.

    def _run(self, run_id: str) -> dict[str, Any]:
        info = self._store.info(run_id)
        latest = [_latest(points) for points in self._store.metrics(run_id).values() if points]
        return {
            "info": self._info_json(info),
            "data": {
                "metrics": [_metric(point) for point in latest],
                "params": _pairs(self._store.values(run_id, "param")),
                "tags": _pairs({"mlflow.runName": info.name, **self._store.values(run_id, "tag")}),
            },
            "inputs": {},
        }

    def _info_json(self, info: RunInfo) -> dict[str, Any]:
        shown = {
            "run_id": info.run_id,
            "run_uuid": info.run_id,
            "run_name": info.name,
            "experiment_id": self.experiment_id(info.experiment),
            "user_id": "",
            "status": info.status,
            "start_time": info.start_ms,
            "artifact_uri": info.artifacts.as_uri(),
            "lifecycle_stage": "active",
        }
        return shown if info.end_ms is None else {**shown, "end_time": info.end_ms}

    def _create_run(self, body: Body) -> dict[str, Any]:
        tags = {str(tag["key"]): str(tag["value"]) for tag in body.get("tags") or ()}
        experiment = self._name(str(body.get("experiment_id", "0")))
        name = body.get("run_name") or tags.get("mlflow.runName")
        info = self._store.create(experiment, str(name) if name else None, tags)
        return {"run": self._run(info.run_id)}

    def _update_run(self, body: Body) -> dict[str, Any]:
        run_id = _run_id(body)
        end = body.get("end_time")
        self._store.finish(
            run_id, body.get("status"), body.get("run_name"), int(end) if end else None
        )
        return {"run_info": self._info_json(self._store.info(run_id))}

    def _search_runs(self, body: Body) -> dict[str, Any]:
        if body.get("run_view_type") == "DELETED_ONLY":
            return {"runs": []}
        names = [self._name(str(each)) for each in body.get("experiment_ids") or ()]
        infos = sorted(self._store.runs(names), key=lambda info: info.start_ms, reverse=True)
        runs = {info.run_id: self._run(info.run_id) for info in infos}
        orders = [str(each) for each in body.get("order_by") or ()]
        records = [(run_id, _record(run)) for run_id, run in runs.items()]
        found = search.select(records, str(body.get("filter") or ""), orders)
        start = int(body.get("page_token") or 0)
        end = start + max(1, int(body.get("max_results") or 1000))
        more = {"next_page_token": str(end)} if end < len(found) else {}
        return {"runs": [runs[each] for each in found[start:end]], **more}

    # What runs log.

    def _log_metric(self, body: Body) -> dict[str, Any]:
        return self._log(_run_id(body), [body])

    def _log_batch(self, body: Body) -> dict[str, Any]:
        run_id = _run_id(body)
        self._store.require(run_id)
        metrics = list(body.get("metrics") or ())
        points = [_point(each) for each in metrics]
        for kind, key in (("param", "params"), ("tag", "tags")):
            values = {str(each["key"]): str(each["value"]) for each in body.get(key) or ()}
            if values:
                self._store.set_values(run_id, kind, values)
        return self._log(run_id, metrics) if points else {}

    def _log(self, run_id: str, metrics: Sequence[Body]) -> dict[str, Any]:
        self._store.require(run_id)
        points = [_point(each) for each in metrics]
        self._store.log(run_id, points)
        for plain, point in zip(metrics, points, strict=True):
            if plain.get("model_id"):
                self._models.measured(plain, run_id, _metric(point))
        self._pushed(run_id, points)
        return {}

    def _delete_tag(self, body: Body) -> dict[str, Any]:
        run_id, key = _run_id(body), str(body["key"])
        self._store.require(run_id)
        if not self._store.remove_value(run_id, "tag", key):
            raise UnknownRun(f"the run {run_id} has no tag {key}")
        return {}

    def _set(self, body: Body, kind: str) -> dict[str, Any]:
        run_id = _run_id(body)
        self._store.require(run_id)
        self._store.set_values(run_id, kind, {str(body["key"]): str(body["value"])})
        return {}

    def _history(self, body: Body) -> dict[str, Any]:
        run_id = _run_id(body)
        self._store.info(run_id)
        points = self._store.metrics(run_id).get(str(body["metric_key"]), ())
        return {"metrics": [_metric(point) for point in points]}

    def _list_artifacts(self, body: Body) -> dict[str, Any]:
        root = self._store.info(_run_id(body)).artifacts
        folder = (root / str(body.get("path") or "")).resolve()
        if not folder.is_relative_to(root.resolve()):
            raise ValueError("the path leads out of the run's artifacts")
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        files = [
            {
                "path": each.relative_to(root.resolve()).as_posix(),
                "is_dir": each.is_dir(),
                **({} if each.is_dir() else {"file_size": each.stat().st_size}),
            }
            for each in found
        ]
        return {"root_uri": root.as_uri(), "files": files}

    # Traces: what a client uploads of one is an artifact of its run; they cannot be searched.

    def _trace(self, method: str, path: str, body: Body) -> dict[str, Any]:
        parts = path.split("/")[1:]
        if method == "POST" and not parts and "trace" in body:
            info = dict(body["trace"]["trace_info"])
            tags = dict(info.get("tags") or {})
            place = self._trace_place(str(info["trace_id"]), info.get("trace_metadata") or {})
            return {"trace": {"trace_info": {**info, "tags": {**tags, _LOCATION: place}}}}
        if method == "POST" and not parts:
            return {"trace_info": self._trace_v2(f"tr-{uuid.uuid4().hex}", body)}
        if method == "PATCH" and len(parts) == 1:
            return {"trace_info": self._trace_v2(parts[0], body)}
        if method in {"PATCH", "DELETE"} and parts[1:] == ["tags"]:
            return {}
        raise LookupError(path)

    def _trace_v2(self, trace_id: str, body: Body) -> dict[str, Any]:
        metadata = list(body.get("request_metadata") or ())
        place = self._trace_place(trace_id, {each["key"]: each["value"] for each in metadata})
        return {
            "request_id": trace_id,
            "experiment_id": str(body.get("experiment_id") or "0"),
            "timestamp_ms": int(body.get("timestamp_ms") or 0),
            "status": body.get("status") or "IN_PROGRESS",
            "request_metadata": metadata,
            "tags": [*(body.get("tags") or ()), {"key": _LOCATION, "value": place}],
        }

    def _trace_place(self, trace_id: str, metadata: Mapping[str, Any]) -> str:
        if re.fullmatch(r"[\w-]{1,100}", trace_id) is None:
            raise ValueError(f"`{trace_id}` is not the id of a trace")
        run_id = str(metadata.get("mlflow.sourceRun") or "")
        root = self._store.info(run_id).artifacts if run_id else self._loose
        return (root / "traces" / trace_id / "artifacts").as_uri()


def _run_id(body: Body) -> str:
    return str(body.get("run_id") or body["run_uuid"])


def _point(plain: Body) -> MetricPoint:
    return MetricPoint(
        str(plain["key"]),
        float(plain["value"]),
        int(plain.get("step") or 0),
        int(plain.get("timestamp") or time.time() * 1000),
    )


def _latest(points: Sequence[MetricPoint]) -> MetricPoint:
    # The highest step, then the latest logged: what `job show` says too.
    return max(enumerate(points), key=lambda each: (each[1].step, each[0]))[1]


def _record(run: Body) -> search.Record:
    data = run["data"]
    return {
        "attribute": run["info"],
        "metric": {each["key"]: float(each["value"]) for each in data["metrics"]},
        "param": {each["key"]: each["value"] for each in data["params"]},
        "tag": {each["key"]: each["value"] for each in data["tags"]},
    }


def _metric(point: MetricPoint) -> dict[str, Any]:
    # Protobuf's JSON, which clients parse, writes the numbers that JSON lacks as words.
    value: float | str = point.value
    if math.isnan(point.value):
        value = "NaN"
    elif math.isinf(point.value):
        value = "Infinity" if point.value > 0 else "-Infinity"
    return {
        "key": point.key,
        "value": value,
        "timestamp": point.timestamp_ms,
        "step": point.step,
    }


def _pairs(values: Mapping[str, str]) -> Sequence[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
