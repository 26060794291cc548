"""What a real mlflow client does while a job runs, in a process of its own as a job has."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from amlkit.local.catalogue import JobRow
from amlkit.local.run_store import CatalogueRunStore
from amlkit.local.tracking import TrackingServer
from amlkit.local.workspace import LocalWorkspace

# Another interpreter that has mlflow, to try a version that is not installed beside amlkit.
PYTHON = os.environ.get("AMLKIT_TEST_MLFLOW_PYTHON", sys.executable)

pytestmark = pytest.mark.skipif(
    sys.executable == PYTHON and importlib.util.find_spec("mlflow") is None,
    reason="mlflow is not installed, and AMLKIT_TEST_MLFLOW_PYTHON names no Python that has it",
)

SCRIPT = """
import json, mlflow
from mlflow.tracking import MlflowClient
client = MlflowClient()
with mlflow.start_run() as run:
    for step in range(3):
        mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
    mlflow.log_metric("odd", float("nan"))
    mlflow.log_params({"lr": 0.1})
    mlflow.set_tags({"kept": "1", "gone": "1"})
    mlflow.delete_tag("gone")
    mlflow.log_text("hello", "notes/hello.txt")
    with mlflow.start_run(nested=True) as child:
        mlflow.log_metric("inner", 1)
    experiment = run.info.experiment_id
    found = client.search_runs([experiment], "tags.mlflow.parentRunId = '%s'" % run.info.run_id)
seen = client.get_run(run.info.run_id)
print(json.dumps({
    "run": run.info.run_id,
    "params": seen.data.params,
    "tags": sorted(set(seen.data.tags) & {"kept", "gone"}),
    "history": [m.value for m in client.get_metric_history(run.info.run_id, "loss")],
    "nan": str(seen.data.metrics["odd"]),
    "artifacts": [a.path for a in client.list_artifacts(run.info.run_id)],
    "children": [each.info.run_id == child.info.run_id for each in found],
    "child_status": client.get_run(child.info.run_id).info.status,
    "absent": client.get_experiment_by_name("absent") is None,
}))
"""


def test_a_client_logs_to_the_run_of_its_job_and_reads_it_back(tmp_path):
    workspace = LocalWorkspace.open("local", tmp_path / "ws")
    workspace.job_table.add(JobRow("run1", "command", "run1", "digits"))
    pushed = []
    server = TrackingServer.start(
        CatalogueRunStore(workspace),
        on_metrics=lambda run, points: pushed.extend((run, point.key) for point in points),
        token="token-of-the-job",
        artifact_root=workspace.folder.root / "jobs",
    )
    done = subprocess.run(
        [PYTHON, "-c", SCRIPT],
        env={**os.environ, **server.environment("run1")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    server.close()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "run": "run1",
        "params": {"lr": "0.1"},
        "tags": ["kept"],
        "history": [1.0, 0.5, 1 / 3],
        "nan": "nan",
        "artifacts": ["notes"],
        "children": [True],
        "child_status": "FINISHED",
        "absent": True,
    }
    hello = workspace.folder.job("run1") / "artifacts" / "notes" / "hello.txt"
    assert hello.read_text() == "hello"
    assert [key for run, key in pushed if run == "run1"] == ["loss"] * 3 + ["odd"]
    assert workspace.job_table.get("run1").status == "NotStarted"
    workspace.close()
