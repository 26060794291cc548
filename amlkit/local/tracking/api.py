"""MLflow's REST calls over a run store: a table of path -> function of the JSON body.

Source: "MLflow REST API", 2.x and 3.x; what mlflow clients from 1.26 on send while a job runs.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amlkit.local.tracking.store import RunInfo, RunStore, UnknownRun
from amlkit.records import MetricPoint

Body = Mapping[str, Any]
Pushed = Callable[[str, list[MetricPoint]], None]


class Api:
    """The calls of one server. pushed: told of metrics once they are stored."""

    def __init__(self, store: RunStore, pushed: Pushed, artifact_root: Path) -> None:
        self._store = store
        self._pushed = pushed
        self._artifacts = artifact_root
        self._experiments: dict[str, str] = {"0": "Default"}
        self._models: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
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
            "runs/delete-tag": lambda body: {},
            "runs/log-model": lambda body: {},
            "runs/log-inputs": lambda body: {},
            "runs/outputs": lambda body: {},
            "metrics/get-history": self._history,
            "artifacts/list": self._list_artifacts,
            "traces/search": lambda body: {"traces": []},
        }

    def call(self, method: str, path: str, body: Body) -> dict[str, Any]:
        """Answer one call. Raises: UnknownRun, KeyError, ValueError, LookupError: no such call."""
        if (known := self._calls.get(path)) is not None:
            return known(body)
        if path.startswith("logged-models"):
            return self._logged_models(method, path, body)
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
            raise UnknownRun(f"no experiment has the id {number}")
        return self._experiments[number]

    def _experiment(self, body: Body) -> dict[str, Any]:
        if "experiment_name" in body:
            return {"experiment": self._experiment_json(str(body["experiment_name"]))}
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
        names = list(self._experiments.values())
        return {"experiments": [self._experiment_json(name) for name in names]}

    # Runs.

    def _run(self, run_id: str) -> dict[str, Any]:
        info = self._store.info(run_id)
        latest = [points[-1] for points in self._store.metrics(run_id).values() if points]
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
        names = [self._name(str(each)) for each in body.get("experiment_ids") or ()]
        runs = self._store.runs(names)[: int(body.get("max_results") or 1000)]
        return {"runs": [self._run(info.run_id) for info in runs]}

    # What runs log.

    def _log_metric(self, body: Body) -> dict[str, Any]:
        return self._log(_run_id(body), [_point(body)])

    def _log_batch(self, body: Body) -> dict[str, Any]:
        run_id = _run_id(body)
        points = [_point(each) for each in body.get("metrics") or ()]
        for kind, key in (("param", "params"), ("tag", "tags")):
            values = {str(each["key"]): str(each["value"]) for each in body.get(key) or ()}
            if values:
                self._store.info(run_id)
                self._store.set_values(run_id, kind, values)
        return self._log(run_id, points) if points else {}

    def _log(self, run_id: str, points: list[MetricPoint]) -> dict[str, Any]:
        self._store.info(run_id)
        self._store.log(run_id, points)
        self._pushed(run_id, points)
        return {}

    def _set(self, body: Body, kind: str) -> dict[str, Any]:
        run_id = _run_id(body)
        self._store.info(run_id)
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

    # Logged models, of mlflow 3: kept as long as the job runs; their files are artifacts.

    def _logged_models(self, method: str, path: str, body: Body) -> dict[str, Any]:
        parts = path.split("/")
        with self._lock:
            if len(parts) == 1 and method == "POST":
                return {"model": self._new_model(body)}
            if parts[1] == "search":
                return {"models": list(self._models.values())}
            model = self._models.get(parts[1])
            if model is None:
                raise UnknownRun(f"no logged model has the id {parts[1]}")
            if method == "PATCH" and len(parts) == 2:
                model["info"]["status"] = body.get("status", "LOGGED_MODEL_READY")
            elif parts[2:] == ["tags"]:
                model["info"]["tags"] += list(body.get("tags") or ())
            elif parts[2:] == ["params"]:
                model["data"]["params"] += list(body.get("params") or ())
            return {"model": model}

    def _new_model(self, body: Body) -> dict[str, Any]:
        model_id = f"m-{uuid.uuid4().hex}"
        run_id = str(body.get("source_run_id") or "")
        root = self._store.info(run_id).artifacts if run_id else self._artifacts
        moment = int(time.time() * 1000)
        model: dict[str, Any] = {
            "info": {
                "model_id": model_id,
                "experiment_id": str(body["experiment_id"]),
                "name": body.get("name") or model_id,
                "creation_timestamp_ms": moment,
                "last_updated_timestamp_ms": moment,
                "artifact_uri": (root / "models" / model_id / "artifacts").as_uri(),
                "status": "LOGGED_MODEL_PENDING",
                "source_run_id": run_id,
                "model_type": body.get("model_type") or "",
                "tags": list(body.get("tags") or ()),
            },
            "data": {"params": list(body.get("params") or ()), "metrics": []},
        }
        self._models[model_id] = model
        return model


def _run_id(body: Body) -> str:
    return str(body.get("run_id") or body["run_uuid"])


def _point(plain: Body) -> MetricPoint:
    return MetricPoint(
        str(plain["key"]),
        float(plain["value"]),
        int(plain.get("step") or 0),
        int(plain.get("timestamp") or time.time() * 1000),
    )


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
