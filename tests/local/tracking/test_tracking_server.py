"""The tracking server over real HTTP and a real catalogue."""

from __future__ import annotations

import http.client
import json
import socket
import threading

import pytest

from amlkit.local.catalogue import JobRow
from amlkit.local.run_store import CatalogueRunStore
from amlkit.local.tracking import TrackingServer
from amlkit.local.workspace import LocalWorkspace

TOKEN = "token-of-the-job"


@pytest.fixture
def workspace(tmp_path):
    found = LocalWorkspace.open("local", tmp_path / "ws")
    found.job_table.add(JobRow("run1", "command", "run1", "digits"))
    yield found
    found.close()


@pytest.fixture
def pushed():
    return []


@pytest.fixture
def server(workspace, pushed, tmp_path):
    running = TrackingServer.start(
        CatalogueRunStore(workspace),
        on_metrics=lambda run, points: pushed.append((run, points)),
        token=TOKEN,
        artifact_root=tmp_path,
    )
    yield running
    running.close()


def call(server, path, body=None, *, token=TOKEN, raw=None, method=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = raw if raw is not None else None if body is None else json.dumps(body).encode()
    connection.request(
        method or ("GET" if data is None else "POST"), f"/api/2.0/mlflow/{path}", data, headers
    )
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


def metric(value, key="accuracy", step=0, run="run1"):
    return {"run_id": run, "key": key, "value": value, "timestamp": 5, "step": step}


def test_a_metric_is_stored_and_pushed(server, workspace, pushed):
    assert call(server, "runs/log-metric", metric(0.5))[0] == 200
    assert workspace.metric_table.latest(["run1"]) == {"run1": {"accuracy": 0.5}}
    assert [(run, points[0].value) for run, points in pushed] == [("run1", 0.5)]


@pytest.mark.parametrize("token", [None, "wrong", "ä"])
def test_a_request_without_the_token_is_refused(server, pushed, token):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request("POST", "/api/2.0/mlflow/runs/log-metric", b"{}", headers)
    assert connection.getresponse().status == 401
    connection.close()
    assert pushed == []


def test_nan_and_infinity_come_back_as_mlflow_writes_them(server):
    for step, value in enumerate(["NaN", "Infinity", "-Infinity"]):
        call(server, "runs/log-metric", metric(value, step=step))
    status, found = call(server, "metrics/get-history?run_id=run1&metric_key=accuracy")
    assert status == 200
    assert [each["value"] for each in found["metrics"]] == ["NaN", "Infinity", "-Infinity"]


def test_a_batch_of_1000_metrics_is_one_push(server, pushed):
    batch = {
        "run_id": "run1",
        "metrics": [metric(n, step=n) for n in range(1000)],
        "params": [{"key": "lr", "value": "0.1"}],
        "tags": [{"key": "a", "value": "b"}],
    }
    assert call(server, "runs/log-batch", batch)[0] == 200
    assert len(pushed) == 1
    _, found = call(server, "runs/get?run_id=run1")
    data = found["run"]["data"]
    assert data["params"] == [{"key": "lr", "value": "0.1"}]
    assert {"key": "a", "value": "b"} in data["tags"]


def test_eight_clients_at_once_lose_nothing(server, workspace):
    def log(number):
        for step in range(25):
            call(server, "runs/log-metric", metric(step, key=f"m{number}", step=step))

    threads = [threading.Thread(target=log, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logged = workspace.metric_table.all("run1")
    assert {key: len(points) for key, points in logged.items()} == {f"m{n}": 25 for n in range(8)}


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"{not json", 400),
        (b"[1]", 400),
        (b'{"run_id": "run1"}', 400),
        (b'{"run_id":"run1","key":"a","value":1,"timestamp":Infinity}', 400),
        (b'{"run_id":"nobody","key":"a","value":1}', 404),
    ],
)
def test_bad_requests_get_mlflows_error_and_push_nothing(server, pushed, raw, status):
    found, answer = call(server, "runs/log-metric", raw=raw)
    assert found == status
    assert answer["error_code"]
    assert pushed == []


def test_an_unknown_call_is_named(server):
    status, answer = call(server, "runs/frobnicate", {})
    assert (status, answer["error_code"]) == (404, "ENDPOINT_NOT_FOUND")


def test_a_negative_chunk_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(
            b"POST /api/2.0/mlflow/runs/log-metric HTTP/1.1\r\n"
            b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n-1\r\n"
        )
        assert b"400" in client.recv(100)


def test_a_client_cannot_end_the_job_itself(server, workspace):
    call(server, "runs/update", {"run_id": "run1", "status": "FINISHED", "end_time": 5})
    assert workspace.job_table.get("run1").status == "NotStarted"


def test_a_nested_run_has_artifacts_of_its_own(server):
    _, experiment = call(server, "experiments/get-by-name?experiment_name=digits")
    body = {
        "experiment_id": experiment["experiment"]["experiment_id"],
        "tags": [{"key": "mlflow.parentRunId", "value": "run1"}],
    }
    runs = [call(server, "runs/create", body)[1]["run"]["info"] for _ in range(2)]
    assert runs[0]["artifact_uri"] != runs[1]["artifact_uri"]


def test_a_closed_server_takes_no_more_calls(server):
    server.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=2)
