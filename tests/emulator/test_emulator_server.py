"""The emulator as a server: started, trusted, refused, broken on purpose."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from running_emulator import Emulator

from amlkit.config import WorkspaceChoice
from amlkit.emulator import process


def test_starting_twice_says_that_it_runs_already(emulator, amlkit):
    again = amlkit("emulator", "start", "--detach")

    assert again.returncode == 6
    assert f"runs already at {emulator.url}" in again.stderr
    assert "hint:" in again.stderr


def test_without_an_emulator_env_and_stop_say_how_to_start_one(amlkit):
    for verb in ("env", "stop"):
        found = amlkit("emulator", verb)
        assert found.returncode == 3
        assert "emulator start" in found.stderr


def test_env_prints_exports_and_json_with_the_same_values(emulator, amlkit):
    lines = amlkit("emulator", "env").stdout.splitlines()

    assert all(line.startswith("export ") for line in lines)
    assert {line.split()[1].split("=")[0] for line in lines} == set(emulator.environment)


def test_env_keeps_clear_of_a_proxy_and_of_a_real_login(emulator, amlkit):
    four = {"ARM_CLOUD_METADATA_URL", "REQUESTS_CA_BUNDLE", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"}
    busy = {"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "a", "AZURE_TENANT_ID": "t"}
    calm = {"HTTPS_PROXY": "", "https_proxy": "", "ALL_PROXY": ""}

    assert set(json.loads(amlkit("emulator", "env", "-o", "json", env=calm).stdout)) == four
    found = json.loads(amlkit("emulator", "env", "-o", "json", env=busy).stdout)
    assert found["NO_PROXY"] == "a,localhost,127.0.0.1"
    assert found["AZURE_TOKEN_CREDENTIALS"] == "ManagedIdentityCredential"


def test_a_killed_emulator_can_be_started_again_and_still_knows_its_data(
    emulator, amlkit, tmp_path
):
    (tmp_path / "a.csv").write_text("1")
    amlkit("data", "create", "--name", "kept", "--path", tmp_path / "a.csv")
    state = json.loads(next(tmp_path.rglob("emulator/state.json")).read_text())
    os.kill(state["pid"], signal.SIGKILL)
    while amlkit("emulator", "env").returncode == 0:
        pass

    started = amlkit("emulator", "start", "--detach", "-o", "json")

    assert started.returncode == 0, started.stderr
    again = Emulator.of(amlkit)
    assert again.arm("GET", "/data/kept")[1]["properties"]["latestVersion"] == "1"
    old = {"Authorization": f"Bearer {emulator.token}"}
    assert again.arm("GET", "/data/kept", headers=old)[0] == 401


def test_a_port_that_is_taken_is_named(amlkit):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for extra in ((), ("--detach",)):
            found = amlkit("emulator", "start", "--port", port, *extra)
            assert found.returncode == 2
            assert f"port {port} cannot be used" in found.stderr


def test_only_its_user_can_read_the_key_and_no_private_key_is_left(emulator, tmp_path):
    area = next(tmp_path.rglob("emulator/state.json")).parent

    assert stat.S_IMODE((area / "state.json").stat().st_mode) == 0o600
    for file in Path(area).rglob("*"):
        assert not file.is_file() or b"PRIVATE KEY" not in file.read_bytes()


def test_a_token_that_it_did_not_issue_is_refused(emulator):
    for header in ("", "Bearer x", "Bearer a.b.c", "Basic eDp5", f"Bearer {emulator.token}x"):
        status, body, headers = emulator.arm("GET", "/data", headers={"Authorization": header})

        assert (status, body["error"]["code"]) == (401, "AuthenticationFailed"), header
        assert headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_wrong_identity_header_gets_no_token(emulator):
    assert emulator.log_in("something else") is None


def test_what_is_not_there_is_an_error_in_arm_shape(emulator):
    for path in ("/nothing", "/data/absent", "/data/absent/versions/1", "/jobs/no"):
        found, body, _ = emulator.arm("GET", path)

        assert found == 404, path
        assert set(body["error"]) >= {"code", "message", "details", "additionalInfo"}


def test_a_body_that_is_no_resource_is_refused(emulator):
    paths = ("/data/x/versions/1", "/jobs/x", "/environments/x/versions/1", "/datastores/x")
    for raw in (b"{", b"[1]", b"nul", b"\xff\xfe", b"{}", b'{"properties": 3}'):
        for path in paths:
            status, body, _ = emulator.arm("PUT", path, raw=raw)
            assert status == 400, (path, body)
            assert "bug" not in body["error"]["message"]


def test_a_huge_body_is_refused_before_it_is_read(emulator):
    status, body, _ = emulator.arm(
        "PUT", "/data/x/versions/1", raw=b"", headers={"Content-Length": str(10**12)}
    )

    assert (status, body["error"]["code"]) == (413, "RequestBodyTooLarge")


def test_faults_that_were_asked_for_come_and_go(emulator):
    emulator.fault("429:1:GET .*/data")
    emulator.fault("500:1:GET .*/data")

    status, _, headers = emulator.arm("GET", "/data")
    assert (status, headers["Retry-After"]) == (429, "1")
    assert emulator.arm("GET", "/jobs")[0] == 200
    assert emulator.arm("GET", "/data")[0] == 500
    assert emulator.arm("GET", "/data")[0] == 200


def test_a_connection_is_reset_where_that_was_asked_for(emulator):
    emulator.fault("reset:1")

    with pytest.raises(OSError):
        emulator.arm("GET", "/data")
    assert emulator.arm("GET", "/data")[0] == 200


def test_a_fault_that_makes_no_sense_is_refused(amlkit):
    for fault in ("x", "200:1", "429:0", "500:1:("):
        found = amlkit("emulator", "start", "--fault", fault)
        assert found.returncode == 2
        assert "is not a fault" in found.stderr


def test_many_at_once_get_versions_of_their_own(emulator):
    def create(number):
        body = {"properties": {"dataType": "uri_file", "dataUri": f"https://x.test/{number}"}}
        return emulator.arm("PUT", f"/data/many/versions/{number}", body)[0]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(create, range(1, 25))) == {201}
    _, body, _ = emulator.arm("GET", "/data/many/versions")
    assert len(body["value"]) == 24


def test_requests_are_recorded_without_values(emulator):
    body = {"properties": {"dataType": "uri_file", "dataUri": "https://x.test/secret?sig=secret"}}
    emulator.arm("PUT", "/data/a/versions/1", body)

    (request,) = emulator.requests()
    assert (request["method"], request["status"]) == ("PUT", 201)
    assert request["path"].endswith("/data/a/versions/1")
    assert request["query"] == {"api-version": "2099-01-01"}
    assert request["fields"] == ["properties.dataType", "properties.dataUri"]
    assert "secret" not in json.dumps(request)


def test_the_link_beside_a_job_names_the_command_that_shows_it(emulator):
    status, body, _ = emulator.ask("GET", "/runs/calm_owl?wsid=/x&tid=y", headers={})

    assert (status, b"amlkit -w local job show calm_owl" in body) == (200, True)


def test_faults_can_be_asked_for_at_the_start(amlkit):
    faults = ("--fault", "500:1:GET .*/data", "--fault", "failed:1:POST .*/stop")
    assert amlkit("emulator", "start", "--detach", *faults).returncode == 0
    try:
        started = Emulator.of(amlkit)
        assert started.arm("GET", "/data")[0] == 500
        assert started.arm("GET", "/data")[0] == 200
        status, _, headers = started.arm("POST", "/computes/cpu/stop")
        assert status == 202
        where = headers["Azure-AsyncOperation"].removeprefix(started.url)
        assert started.ask("GET", where)[1]["status"] == "Failed"
    finally:
        amlkit("emulator", "stop")


def test_in_the_foreground_it_serves_until_it_is_told_to_stop(amlkit, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        serving = pool.submit(amlkit, "emulator", "start", "-o", "name")
        while amlkit("emulator", "env").returncode:
            assert not serving.done(), serving.result().stderr
        assert amlkit("emulator", "stop").returncode == 0
        done = serving.result(timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "local\n", "")


def test_a_version_that_is_sent_again_changes_its_tags_and_not_its_content(emulator, amlkit):
    def send(uri, **about):
        body = {"properties": {"dataType": "uri_file", "dataUri": uri, **about}}
        return emulator.arm("PUT", "/data/d/versions/1", body)[0]

    assert send("https://x.test/a", tags={"a": "b"}) == 201
    assert send("https://x.test/a", tags={"c": "d"}, description="new") == 200
    assert send("https://x.test/b") == 409

    shown = json.loads(amlkit("data", "show", "d", "-o", "json").stdout)
    assert (shown["tags"], shown["description"]) == ({"c": "d"}, "new")
    assert shown["path"] == "https://x.test/a"


def test_it_ends_when_its_workspace_is_deleted(tmp_path):
    choice = WorkspaceChoice("w", "local", "test", folder=tmp_path / "w")
    running = process.start_detached(choice, 0, (), current_python=True)

    shutil.rmtree(tmp_path / "w")

    _, status = os.waitpid(running.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
