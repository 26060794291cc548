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
from amlkit.records import Status

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


def test_a_removed_tag_is_gone_and_a_missing_one_is_named(server):
    call(server, "runs/set-tag", {"run_id": "run1", "key": "a", "value": "b"})
    assert call(server, "runs/delete-tag", {"run_id": "run1", "key": "a"})[0] == 200
    _, found = call(server, "runs/get?run_id=run1")
    assert "a" not in [each["key"] for each in found["run"]["data"]["tags"]]
    status, answer = call(server, "runs/delete-tag", {"run_id": "run1", "key": "a"})
    assert (status, answer["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_the_latest_metric_is_that_of_the_highest_step_as_in_the_catalogue(server, workspace):
    call(server, "runs/log-metric", metric(1.0, step=5))
    call(server, "runs/log-metric", metric(2.0, step=3))
    _, found = call(server, "runs/get?run_id=run1")
    shown = {each["key"]: each["value"] for each in found["run"]["data"]["metrics"]}
    assert shown == workspace.metric_table.latest(["run1"])["run1"] == {"accuracy": 1.0}


def test_a_run_that_has_ended_is_no_longer_shown_as_running(server, workspace):
    call(server, "runs/log-metric", metric(1.0))
    workspace.job_table.advance("run1", Status.COMPLETED)
    _, found = call(server, "runs/get?run_id=run1")
    assert found["run"]["info"]["status"] == "FINISHED"
    assert found["run"]["info"]["end_time"] > 0


def test_an_experiment_that_nobody_made_does_not_exist(server):
    status, answer = call(server, "experiments/get-by-name?experiment_name=absent")
    assert (status, answer["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    call(server, "experiments/create", {"name": "absent"})
    assert call(server, "experiments/get-by-name?experiment_name=absent")[0] == 200


def test_the_users_own_proxy_exceptions_stay(server, monkeypatch):
    monkeypatch.setenv("no_proxy", "intranet.example")
    assert server.environment("run1")["no_proxy"] == "intranet.example,127.0.0.1,localhost"


def test_a_trace_is_given_a_place_among_the_artifacts_of_its_run(server):
    info = {"trace_id": "tr-1", "trace_metadata": {"mlflow.sourceRun": "run1"}}
    status, found = call(server, "traces", {"trace": {"trace_info": info}})
    place = found["trace"]["trace_info"]["tags"]["mlflow.artifactLocation"]
    assert (status, place.split("/jobs/")[1]) == (200, "run1/artifacts/traces/tr-1/artifacts")
    info["trace_id"] = "../../escape"
    assert call(server, "traces", {"trace": {"trace_info": info}})[0] == 400


def search(server, **body):
    _, found = call(server, "experiments/get-by-name?experiment_name=digits")
    number = found["experiment"]["experiment_id"]
    return call(server, "runs/search", {"experiment_ids": [number], **body})


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", {"run1", "run2"}),
        ("metrics.accuracy > 0.5", {"run2"}),
        ("metrics.absent > 0", set()),
        ("params.lr = '0.1' and tags.`who is` != 'x and y'", {"run1"}),
        ("tags.`who is` LIKE 'y%'", {"run1"}),
        ("attributes.run_id IN ('run2', 'other')", {"run2"}),
        ("run_id not in ('run2')", {"run1"}),
        ("status = 'RUNNING' AND start_time > 0", {"run1", "run2"}),
    ],
)
def test_a_filter_keeps_the_runs_that_it_describes(server, workspace, text, kept):
    workspace.job_table.add(JobRow("run2", "command", "run2", "digits"))
    call(server, "runs/log-metric", metric(0.4))
    call(server, "runs/log-metric", metric(0.9, run="run2"))
    workspace.metric_table.set_values("run1", "param", {"lr": "0.1"})
    workspace.metric_table.set_values("run1", "tag", {"who is": "yours"})
    status, found = search(server, filter=text)
    assert status == 200
    assert {run["info"]["run_id"] for run in found.get("runs", ())} == kept


@pytest.mark.parametrize(
    "text",
    ["params.lr", "metrics.a LIKE 'x'", "dataset.name = 'd'", "metrics.a > b", "a = 'b' and"],
)
def test_a_filter_that_is_not_understood_is_refused(server, text):
    status, answer = search(server, filter=text)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_runs_are_ordered_and_handed_out_in_pages(server, workspace):
    for number in (2, 3):
        workspace.job_table.add(JobRow(f"run{number}", "command", "x", "digits"))
        call(server, "runs/log-metric", metric(number, run=f"run{number}"))
    order = ["metrics.accuracy DESC"]
    _, first = search(server, order_by=order, max_results=2)
    assert [run["info"]["run_id"] for run in first["runs"]] == ["run3", "run2"]
    _, rest = search(server, order_by=order, max_results=2, page_token=first["next_page_token"])
    # A run that never logged the metric comes last.
    assert [run["info"]["run_id"] for run in rest["runs"]] == ["run1"]
    assert "next_page_token" not in rest


def test_a_logged_model_keeps_what_is_said_of_it_and_can_be_removed(server):
    body = {"experiment_id": "0", "name": "m", "source_run_id": "run1"}
    model = call(server, "logged-models", body)[1]["model"]["info"]["model_id"]
    call(server, "runs/log-metric", metric(0.7) | {"model_id": model})
    for value in "bc":
        tags = {"tags": [{"key": "a", "value": value}]}
        call(server, f"logged-models/{model}/tags", tags, method="PATCH")
    _, found = call(server, f"logged-models/{model}")
    assert found["model"]["info"]["tags"] == [{"key": "a", "value": "c"}]
    assert [each["value"] for each in found["model"]["data"]["metrics"]] == [0.7]
    query = {"experiment_ids": ["0"], "filter": "name = 'other'"}
    assert call(server, "logged-models/search", query)[1] == {"models": []}
    call(server, f"logged-models/{model}", method="DELETE")
    assert call(server, f"logged-models/{model}")[0] == 404
