"""`amlkit mlflow ui`: what MLflow's own server is given of a workspace, and what it takes to start it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from uv import find_uv_bin

from amlkit.config import WorkspaceChoice
from amlkit.errors import Conflict, NotSupported
from amlkit.local.catalogue import JobRow
from amlkit.local.workspace import LocalWorkspace
from amlkit.records import MetricPoint, Status
from amlkit.services import mlflow_ui

ROOT = Path(__file__).parents[3]

CLIENT = """
import json, sys
from mlflow.tracking import MlflowClient
client = MlflowClient(tracking_uri=sys.argv[1], registry_uri=sys.argv[1])
[experiment] = [each for each in client.search_experiments() if each.name == "digits"]
runs = client.search_runs([experiment.experiment_id], order_by=["metrics.score DESC"])
print(json.dumps({
    "runs": [each.info.run_id for each in runs],
    "params": runs[0].data.params,
    "parent": runs[0].data.tags.get("mlflow.parentRunId"),
    "note": runs[1].data.tags.get("mlflow.note.content"),
    "statuses": [each.info.status for each in runs],
    "curve": [each.value for each in client.get_metric_history("s_0", "score")],
    "models": list(client.search_registered_models()),
    "by_id": client.get_experiment(experiment.experiment_id).name,
}))
"""


@pytest.fixture
def workspace(tmp_path):
    opened = LocalWorkspace.open("local", tmp_path / "ws")
    table = opened.job_table
    table.add(JobRow("s", "sweep", "s", "digits"))
    for number in range(2):
        row = JobRow(f"s_{number}", "command", f"s_{number}", "digits", parent="s", root="s",
                     position=number, parameters={"lr": 0.5 + number, "opt": "adam"})  # fmt: skip
        table.add(row)
    points = [MetricPoint("score", value, step, 1) for step, value in enumerate([0.1, 0.9])]
    opened.metric_table.log("s_0", points)
    opened.metric_table.log("s_1", points[:1])
    table.advance("s_0", Status.COMPLETED)
    table.advance("s_1", Status.CANCELED, error="bandit: worse")
    yield opened
    opened.close()


def test_mlflow_reads_experiments_trials_parameters_and_curves_through_its_entry_point(workspace):
    with workspace.serve_runs() as served:
        env = {**os.environ, "AMLKIT_RUNS_TOKEN": served.token, "MLFLOW_DISABLE_TELEMETRY": "true"}
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, served.url.replace("http", "amlkit", 1)],
            env=env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "runs": ["s_0", "s_1", "s"],
        "params": {"lr": "0.5", "opt": "adam"},
        "parent": "s",
        "note": "bandit: worse",
        "statuses": ["FINISHED", "KILLED", "RUNNING"],
        "curve": [0.1, 0.9],
        "models": [],
        "by_id": "digits",
    }


def test_runs_are_served_to_those_with_the_token_only(workspace):
    with workspace.serve_runs() as served:
        ask = Request(f"{served.url}/api/2.0/mlflow/runs/get?run_id=s_0")
        with pytest.raises(HTTPError) as refused, urlopen(ask):
            pass
        assert refused.value.code == 401
        refused.value.close()
        ask.add_header("Authorization", f"Bearer {served.token}")
        with urlopen(ask) as answer:
            assert json.load(answer)["run"]["info"]["run_name"] == "s_0"


def has_pages():
    try:
        return bool(metadata.version("mlflow"))
    except metadata.PackageNotFoundError:
        return False


@pytest.mark.skipif(has_pages(), reason="MLflow's pages are installed here")
def test_without_mlflow_the_extra_is_named(amlkit):
    refused = amlkit("mlflow", "ui")
    assert refused.returncode == NotSupported.exit_code
    assert "pip install 'amlkit[mlflow]'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_port_that_is_taken_is_a_conflict(monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda name: "3.0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Conflict) as refused:
            mlflow_ui.check(taken.getsockname()[1])
    assert "--port" in str(refused.value.hint)


def test_an_azure_workspace_has_pages_of_its_own():
    from amlkit.azure.workspace import AzureWorkspace

    choice = WorkspaceChoice("prod", "azure", "test")
    with pytest.raises(NotSupported, match="Azure ML"):
        AzureWorkspace(choice, None).serve_runs()


@pytest.mark.keras
def test_mlflow_serves_its_pages_and_leaves_nothing_behind(tmp_path):
    uv = str(find_uv_bin())
    subprocess.run(
        [uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True
    )
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [uv, "pip", "install", "--quiet", "--python", python, f"{ROOT}[mlflow]"]
    subprocess.run(install, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "AMLKIT_HOME": str(tmp_path / "home")}
    process = subprocess.Popen(
        [python, "-m", "amlkit", "mlflow", "ui", "--port", str(port)],
        cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    address = process.stdout.readline().strip()
    assert address == f"http://127.0.0.1:{port}"
    with urlopen(address) as page:
        assert b"MLflow" in page.read()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    process.stdout.close()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
