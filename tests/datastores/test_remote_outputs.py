"""Outputs in Azure storage: written here, sent when the command has ended well."""

from __future__ import annotations

import json
import os
import signal

import azurite
import gate
import pytest
import yaml

WRITE = "mkdir -p ${{outputs.out}}/deep && echo one > ${{outputs.out}}/a.txt"
WRITE += " && echo two > ${{outputs.out}}/deep/b.txt"
BLOB = "azureml://datastores/images/paths"


@pytest.fixture
def submit(blob, tmp_path):
    """Submit a command with one output and wait for it."""

    def run(command, *arguments, env=None, **output):
        spec = {
            "command": command,
            "environment": "azureml:any@latest",
            "outputs": {"out": {"type": "uri_folder", **output}},
        }
        (tmp_path / "job.yml").write_text(yaml.safe_dump(spec))
        more = arguments or ("--wait",)
        return blob("job", "submit", "job.yml", "--current-python", *more, env=env)

    return run


def shown(run, job):
    return json.loads(run("job", "show", job).stdout)


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_an_output_in_a_container_is_there_when_the_job_is_completed(submit, blob, storage, mode):
    path = f"{BLOB}/runs/${{{{name}}}}/${{{{output_name}}}}/"
    done = submit(WRITE, "--name", "j1", "--wait", path=path, mode=mode)
    assert done.returncode == 0, done.stderr
    assert storage.names() == ["runs/j1/out/a.txt", "runs/j1/out/deep/b.txt"]
    assert shown(blob, "j1")["outputs"]["out"]["path"] == f"{BLOB}/runs/j1/out/"
    log = blob("job", "logs", "j1").stdout
    assert f"sending to {BLOB}/runs/j1/out/" in log
    assert "sent 2 files" in log


def test_a_file_goes_to_its_own_name(submit, storage):
    done = submit(
        "echo fit > ${{outputs.out}}", type="uri_file", path=f"{BLOB}/models/${{{{name}}}}.txt"
    )
    assert done.returncode == 0, done.stderr
    (name,) = storage.names()
    assert name == f"models/{json.loads(done.stdout)['name']}.txt"


def test_what_is_there_is_replaced_or_left_and_not_sent_twice(submit, storage):
    storage.put("runs/a.txt", b"other")
    storage.put("runs/kept.txt", b"kept")
    assert submit(WRITE, path=f"{BLOB}/runs").returncode == 0
    assert storage.names() == ["runs/a.txt", "runs/deep/b.txt", "runs/kept.txt"]
    before = len(storage.requests("PUT"))
    assert before >= 4
    done = submit(WRITE, "--stream", path=f"{BLOB}/runs")
    assert "sent 0 files, 0.0 MB; 2 were there already" in done.stdout
    assert len(storage.requests("PUT")) == before


def test_direct_gives_the_address_and_sends_nothing(submit, blob, storage):
    done = submit(
        "echo got ${{outputs.out}}", "--name", "j1", "--stream", mode="direct",
        path=f"{BLOB}/runs/${{{{name}}}}",
    )  # fmt: skip
    assert f"got {BLOB}/runs/j1" in done.stdout
    assert storage.names() == []
    refused = blob("job", "download", "j1", "--output-name", "out")
    assert (refused.returncode, f"to `{BLOB}/runs/j1` by itself" in refused.stderr) == (3, True)


def test_a_named_output_is_an_asset_at_its_address_that_the_next_job_reads(
    submit, blob, storage, tmp_path
):
    done = submit(WRITE, "--name", "j1", "--wait", path=f"{BLOB}/made/", name="made", version="7")
    assert done.returncode == 0, done.stderr
    asset = json.loads(blob("data", "show", "made:7").stdout)
    assert asset["path"] == f"{BLOB}/made/"
    assert [each["job"] for each in asset["lineage"]] == ["j1"]
    for reads in ("azureml:made@latest", f"{BLOB}/made", "azureml://jobs/j1/outputs/out"):
        spec = {
            "command": "cat ${{inputs.data}}/a.txt ${{inputs.data}}/deep/b.txt",
            "environment": "azureml:any@latest",
            "inputs": {"data": {"type": "uri_folder", "path": reads}},
        }
        (tmp_path / "next.yml").write_text(yaml.safe_dump(spec))
        read = blob("job", "submit", "next.yml", "--current-python", "--stream")
        assert "one\ntwo\n" in read.stdout, read.stderr


def test_addresses_of_a_container_go_the_way_of_its_datastore(blob, storage, tmp_path):
    account = f"{storage.container}@{azurite.ACCOUNT}"
    outputs = {
        "a": {"path": f"wasbs://{account}.blob.core.windows.net/a", "type": "custom_model",
              "name": "fit"},
        "b": {"path": f"abfss://{account}.dfs.core.windows.net/${{{{name}}}}/b.txt",
              "type": "uri_file", "name": "b"},
    }  # fmt: skip
    spec = {
        "command": "echo a > ${{outputs.a}}/a.txt && echo b > ${{outputs.b}}",
        "environment": "azureml:any@latest",
        "outputs": outputs,
    }
    (tmp_path / "job.yml").write_text(yaml.safe_dump(spec))
    done = blob("job", "submit", "job.yml", "--current-python", "--name", "j1", "--wait")
    assert done.returncode == 0, done.stderr
    assert storage.names() == ["a/a.txt", "j1/b.txt"]
    assert blob("model", "download", "fit", "-p", "model").returncode == 0
    assert (tmp_path / "model" / "a" / "a.txt").read_text() == "a\n"
    assert blob("data", "download", "b", "-p", "data").returncode == 0
    assert (tmp_path / "data" / "b.txt").read_text() == "b\n"


@pytest.mark.parametrize("kept_in", ["keyring", "file"])
def test_a_key_that_is_kept_is_there_when_the_job_has_ended(
    amlkit, storage, tmp_path, keyring_env, kept_in
):
    env = keyring_env if kept_in == "keyring" else {"AMLKIT_SECRETS_PASSPHRASE": "open, please"}
    create = ("datastore", "create", "--name", "images", *storage.flags, "--account-key-stdin")
    assert amlkit(*create, stdin=azurite.KEY, env=env).returncode == 0
    (tmp_path / "job.yml").write_text(
        f"command: {WRITE} && ! env | grep PASSPHRASE\nenvironment: azureml:any@latest\n"
        f"outputs:\n  out:\n    path: {BLOB}/made\n"
    )
    submit = ("job", "submit", "job.yml", "--current-python")
    assert amlkit(*submit).returncode == (4 if kept_in == "file" else 1)
    assert amlkit(*submit, "--wait", env=env).returncode == 0
    assert storage.names() == ["made/a.txt", "made/deep/b.txt"]


@pytest.mark.parametrize("store", ["workspaceblobstore", "here"])
def test_an_output_of_a_folder_is_written_there(amlkit, tmp_path, store):
    (tmp_path / "here").mkdir()
    create = ("datastore", "create", "--name", "here", "--path", "here")
    assert amlkit(*create).returncode == 0
    (tmp_path / "job.yml").write_text(
        "command: echo one > ${{outputs.out}}\nenvironment: azureml:any@latest\n"
        "outputs:\n  out:\n    type: uri_file\n    name: made\n"
        f"    path: azureml://datastores/{store}/paths/runs/${{{{name}}}}/${{{{output_name}}}}.txt\n"
    )
    submit = ("job", "submit", "job.yml", "--current-python", "--name", "j1", "--wait")
    assert amlkit(*submit).returncode == 0
    assert amlkit("datastore", "ls", store, "runs", "-o", "name").stdout == "runs/j1/out.txt\n"
    shown = json.loads(amlkit("data", "show", "made").stdout)
    assert [each["job"] for each in shown["lineage"]] == ["j1"]


# What can be known is known before the job is made.


@pytest.mark.parametrize("arguments", [("--dry-run",), ()])
def test_storage_that_does_not_open_is_said_before_the_job_is_made(
    submit, blob, storage, arguments
):
    gone = submit(WRITE, *arguments, path=f"{BLOB}/x", env={"STORAGE_KEY": ""})
    assert (gone.returncode, "STORAGE_KEY" in gone.stderr) == (4, True), gone.stderr
    wrong = submit(WRITE, *arguments, path=f"{BLOB}/x", env={"STORAGE_KEY": "d3Jvbmc="})
    assert (wrong.returncode, "refuses the credentials" in wrong.stderr) == (4, True)
    with storage.client as client:
        client.delete_container()
    missing = submit(WRITE, *arguments, path=f"{BLOB}/x")
    assert (missing.returncode, "there is no container" in missing.stderr) == (3, True)
    unknown = submit(WRITE, *arguments, path="azureml://datastores/imagse/paths/x")
    assert (unknown.returncode, "did you mean `images`" in unknown.stderr) == (3, True)
    for each in (gone, wrong, missing, unknown):
        assert "output `out`" in each.stderr
        assert azurite.KEY not in each.stderr
    assert json.loads(blob("job", "list").stdout) == []


LONG = "azureml://subscriptions/1/resourcegroups/2/workspaces/3/datastores/images/paths/x"
NO_PLACE = "is not a place that jobs here can write to"


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        (f"{BLOB}/${{{{run}}}}/x", 2, "means nothing in the path of an output"),
        (f"{BLOB}/../x", 2, "leads out of datastore"),
        ("s3://bucket/x", 1, NO_PLACE),
        ("https://acme.blob.core.windows.net/c/x", 1, NO_PLACE),
        (LONG, 1, NO_PLACE),
        ("https://acme.blob.core.windows.net/c/x?sv=1&sig=c2VjcmV0", 2, "has a signature"),
        ("wasbs://c@acme.blob.core.windows.net/x?sv=1&sig=c2VjcmV0", 2, "has a signature"),
    ],
)
def test_an_address_that_is_no_place_for_an_output_is_refused(submit, path, code, said):
    refused = submit(WRITE, "--dry-run", path=path)
    assert (refused.returncode, said in refused.stderr) == (code, True), refused.stderr
    assert "c2VjcmV0" not in refused.stderr
    assert "output `out`" in refused.stderr


def test_the_key_is_nowhere_that_a_job_or_a_reader_could_see_it(submit, blob, tmp_path):
    done = submit(f"env > ${{{{outputs.out}}}}/env && {WRITE}", "--name", "j1", "--wait",
                  path=f"{BLOB}/x")  # fmt: skip
    assert done.returncode == 0, done.stderr
    (seen,) = (tmp_path / "home").rglob("out/env")
    assert "AZUREML_RUN_ID=j1" in seen.read_text()
    assert "STORAGE_KEY" not in seen.read_text()
    key = azurite.KEY.encode()
    files = [each for each in (tmp_path / "home").rglob("*") if each.is_file()]
    assert len(files) > 5
    assert [each for each in files if key in each.read_bytes()] == []


def test_what_may_be_read_but_not_written_fails_with_the_reason_and_the_way_out(
    amlkit, storage, tmp_path
):
    env = {"READER": storage.sas(hours=1, write=False)}
    create = ("datastore", "create", "--name", "images", *storage.flags, "--sas-token-env")
    assert amlkit(*create, "READER", env=env).returncode == 0
    (tmp_path / "job.yml").write_text(
        f"command: {WRITE}\nenvironment: azureml:any@latest\noutputs:\n  out:\n"
        f"    path: {BLOB}/made\n    name: made\n"
    )
    failed = amlkit(
        "job", "submit", "job.yml", "--current-python", "--name", "j1", "--wait", env=env
    )
    assert failed.returncode == 1
    job = shown(amlkit, "j1")
    assert job["status"] == "Failed"
    assert "output `out` was not sent" in job["error"]
    assert "refuses the credentials" in job["error"]
    command = job["error"].partition("its files are kept: amlkit ")[2].split()
    assert amlkit("data", "show", "made").returncode == 3
    writer = {"READER": storage.sas(hours=1)}
    assert amlkit(*command, env=writer).returncode == 0
    assert storage.names() == ["made/a.txt", "made/deep/b.txt"]
    # What was sent by hand is not sent again, and the job may go on under its name.
    lost = amlkit("job", "retry", "j1", env={"READER": ""})
    assert (lost.returncode, "READER" in lost.stderr) == (4, True), lost.stderr
    assert amlkit("job", "retry", "j1", env=writer).returncode == 0
    assert amlkit("job", "wait", "j1").returncode == 0
    assert json.loads(amlkit("data", "show", "made").stdout)["path"] == f"{BLOB}/made"


# Stopped while it sends.


def held_spec(kind):
    step = {
        "type": "command",
        "command": WRITE,
        "environment": "azureml:any@latest",
        "outputs": {"out": {"path": f"{BLOB}/made"}},
    }
    if kind == "command":
        return step
    return {
        "type": "pipeline",
        "settings": {"default_compute": "serverless"},
        "jobs": {"make": step},
    }


@pytest.fixture(params=["command"])
def held(request, amlkit, storage, tmp_path):
    """Submit a job whose upload is held at a gate; yield the gate when the upload is there."""
    host, _, port = storage.endpoint.rpartition(":")
    with gate.before(host, int(port)) as found:
        flags = [found.endpoint if each == storage.endpoint else each for each in storage.flags]
        create = ("datastore", "create", "--name", "images", *flags, "--account-key-env")
        assert amlkit(*create, "STORAGE_KEY", env=storage.env).returncode == 0
        (tmp_path / "job.yml").write_text(yaml.safe_dump(held_spec(request.param)))
        submit = ("job", "submit", "job.yml", "--current-python", "--name", "j1")
        done = amlkit(*submit, env=storage.env)
        assert done.returncode == 0, done.stderr
        assert found.reached.wait(60)
        found.job = {"command": "j1", "pipeline": "j1-make"}[request.param]
        yield found


@pytest.mark.parametrize("held", ["command", "pipeline"], indirect=True)
def test_a_job_is_finalizing_while_it_sends_and_can_be_canceled(amlkit, storage, held):
    assert shown(amlkit, held.job)["status"] == "Finalizing"
    assert amlkit("job", "cancel", "j1").returncode == 0
    assert amlkit("job", "wait", "j1", "--timeout", "60").returncode == 5
    assert shown(amlkit, held.job)["status"] == "Canceled"
    assert storage.names() == []
    held.open()
    assert amlkit("job", "resume", "j1", env=storage.env).returncode == 0
    assert amlkit("job", "wait", "j1").returncode == 0
    assert storage.names() == ["made/a.txt", "made/deep/b.txt"]


def test_a_supervisor_that_is_killed_while_it_sends_leaves_a_failed_job(
    amlkit, storage, held, tmp_path
):
    folder = tmp_path / "home" / "workspaces" / "local" / "jobs" / "j1"
    os.kill(int((folder / "supervisor.pid").read_text()), signal.SIGKILL)
    assert amlkit("job", "wait", "j1", "--timeout", "60").returncode == 1
    job = shown(amlkit, "j1")
    assert (job["status"], "supervisor died" in job["error"]) == ("Failed", True)
    held.open()
    assert amlkit("job", "resume", "j1", env=storage.env).returncode == 0
    assert amlkit("job", "wait", "j1").returncode == 0
    assert storage.names() == ["made/a.txt", "made/deep/b.txt"]
