"""The logged models of mlflow 3: kept as long as the server lives; their files are artifacts."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlkit.local.tracking import search
from amlkit.local.tracking.store import RunStore, UnknownRun

Body = Mapping[str, Any]


class LoggedModels:
    """Models by id. loose: where the files of a model go that belongs to no run."""

    def __init__(self, store: RunStore, loose: Path) -> None:
        self._store = store
        self._loose = loose
        self._models: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def call(self, method: str, path: str, body: Body) -> dict[str, Any]:
        """Answer `logged-models...`. Raises: UnknownRun, KeyError, ValueError, LookupError."""
        parts = path.split("/")[1:]
        with self._lock:
            if not parts and method == "POST":
                return {"model": self._create(body)}
            if parts == ["search"]:
                return {"models": self._search(body)}
            if not parts or parts[0] not in self._models:
                raise UnknownRun(f"no logged model has the id {'/'.join(parts)}")
            return self._one(method, parts[0], parts[1:], body)

    def measured(self, point: Body, run_id: str, shown: Mapping[str, Any]) -> None:
        """Note a metric that a client logged of a model: the last one of each key."""
        with self._lock:
            model = self._models.get(str(point.get("model_id") or ""))
            if model is not None:
                others = [each for each in model["data"]["metrics"] if each["key"] != shown["key"]]
                of_model = {"model_id": model["info"]["model_id"], "run_id": run_id}
                model["data"]["metrics"] = [*others, {**shown, **of_model}]

    def _one(self, method: str, model_id: str, rest: list[str], body: Body) -> dict[str, Any]:
        model = self._models[model_id]
        if method == "DELETE" and not rest:
            del self._models[model_id]
            return {}
        if method == "DELETE" and rest[:1] == ["tags"]:
            tags = model["info"]["tags"]
            model["info"]["tags"] = [tag for tag in tags if tag["key"] != "/".join(rest[1:])]
        elif method == "PATCH" and not rest:
            model["info"]["status"] = body.get("status", "LOGGED_MODEL_READY")
        elif rest == ["tags"]:
            model["info"]["tags"] = _merged(model["info"]["tags"], body.get("tags"))
        elif rest == ["params"]:
            model["data"]["params"] = _merged(model["data"]["params"], body.get("params"))
        elif method != "GET" or rest:
            raise LookupError(f"logged-models/{model_id}")
        return {"model": model}

    def _search(self, body: Body) -> list[dict[str, Any]]:
        wanted = {str(each) for each in body.get("experiment_ids") or ()}
        orders = [
            f"{each['field_name']} {'asc' if each.get('ascending', True) else 'desc'}"
            for each in body.get("order_by") or ()
        ]
        records = [
            (model_id, _record(model))
            for model_id, model in self._models.items()
            if model["info"]["experiment_id"] in wanted
        ]
        found = search.select(records, str(body.get("filter") or ""), orders)
        return [self._models[each] for each in found[: int(body.get("max_results") or 1000)]]

    def _create(self, body: Body) -> dict[str, Any]:
        model_id = f"m-{uuid.uuid4().hex}"
        run_id = str(body.get("source_run_id") or "")
        root = self._store.info(run_id).artifacts if run_id else self._loose
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


def _merged(pairs: list[dict[str, str]], more: Any) -> list[dict[str, str]]:
    values = {str(each["key"]): str(each["value"]) for each in (*pairs, *(more or ()))}
    return [{"key": key, "value": value} for key, value in values.items()]


def _record(model: dict[str, Any]) -> search.Record:
    return {
        "attribute": {**model["info"], "tags": None},
        "metric": {each["key"]: float(each["value"]) for each in model["data"]["metrics"]},
        "param": {each["key"]: each["value"] for each in model["data"]["params"]},
        "tag": {each["key"]: each["value"] for each in model["info"]["tags"]},
    }
