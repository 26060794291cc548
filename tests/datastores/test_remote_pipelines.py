"""Steps and trials whose outputs are in Azure storage, and when their earlier runs stand."""

from __future__ import annotations

import json

import pytest
import yaml

BLOB = "azureml://datastores/images/paths"
LOG = (
    'python -c "import json, os, urllib.request as u; u.urlopen(u.Request('
    "os.environ['MLFLOW_TRACKING_URI'] + '/api/2.0/mlflow/runs/log-metric', json.dumps(dict("
    "run_id=os.environ['MLFLOW_RUN_ID'], key='score', value=${{search_space.x}}, timestamp=1,"
    " step=0)).encode(), {'Content-Type': 'application/json',"
    " 'Authorization': 'Bearer ' + os.environ['MLFLOW_TRACKING_TOKEN']}))\""
)


@pytest.fixture
def pipeline(blob, tmp_path):
    """Run a pipeline of two steps on a container."""
    return of_two_steps(blob, tmp_path)


def of_two_steps(amlkit, tmp_path):
    """Return what runs a pipeline, the first step with these fields of its output, to its log."""

    def run(name, settings=None, **output):
        steps = {
            "make": {
                "type": "command",
                "command": "echo made > ${{outputs.out}}/a.txt",
                "environment": "azureml:any@latest",
                "outputs": {"out": {"type": "uri_folder", **output}},
            },
            "read": {
                "type": "command",
                "command": "cat ${{inputs.data}}/a.txt",
                "environment": "azureml:any@latest",
                "inputs": {"data": "${{parent.jobs.make.outputs.out}}"},
            },
        }
        spec = {
            "type": "pipeline",
            "display_name": "p",
            "settings": {"default_compute": "serverless", **(settings or {})},
            "jobs": steps,
        }
        (tmp_path / "pipeline.yml").write_text(yaml.safe_dump(spec))
        submit = ("job", "submit", "pipeline.yml", "--current-python", "--name", name, "--wait")
        done = amlkit(*submit)
        assert done.returncode == 0, done.stderr
        assert amlkit("job", "logs", f"{name}-read").stdout.strip() == "made"
        return amlkit("job", "logs", name).stdout

    return run


def test_a_step_stands_for_the_next_run_as_long_as_storage_has_what_it_sent(pipeline, storage):
    where = {"path": f"{BLOB}/made/${{{{name}}}}"}
    pipeline("p1", **where)
    assert storage.names() == ["made/p1-make/a.txt"]
    # What others put beside it says nothing about it.
    storage.put("made/p1-make/other.txt", b"other")
    again = pipeline("p2", **where)
    assert "make: reused" in again
    assert "read: reused" in again
    storage.put("made/p1-make/a.txt", b"changed")
    changed = pipeline("p3", **where)
    said = f"output `out` of `p1-make` was deleted or changed, here or in `{BLOB}/made/p1-make`"
    assert f"make: started ({said})" in changed
    with storage.client as client:
        client.delete_blob("made/p3-make/a.txt")
    assert "make: started" in pipeline("p4", **where)
    assert storage.names()[-1] == "made/p4-make/a.txt"


def test_a_step_on_a_file_share_stands_until_somebody_changes_its_file(share, shares, tmp_path):
    run = of_two_steps(share, tmp_path)
    # A share does not tell upper case from lower: the name that was there stays.
    (tmp_path / "A.TXT").write_text("before")
    upload = ("datastore", "upload", "images", "--path", "A.TXT", "--target", "made")
    assert share(*upload).returncode == 0
    assert "make: started" in run("p1", path=f"{BLOB}/made")
    (name,) = shares.shares["images"].names()
    assert shares.shares["images"].file(name).content == b"made\n"
    assert "make: reused" in run("p2", path=f"{BLOB}/made")
    assert share(*upload).returncode == 0
    assert "make: started (output `out` of" in run("p3", path=f"{BLOB}/made")


def test_the_default_datastore_of_a_pipeline_gets_the_outputs_of_its_steps(pipeline, storage, blob):
    pipeline("p1", settings={"default_datastore": "azureml:images"})
    assert storage.names() == ["azureml/p1-make/out/a.txt"]
    shown = json.loads(blob("job", "show", "p1-make").stdout)
    assert shown["outputs"]["out"]["path"] == f"{BLOB}/azureml/p1-make/out/"
    pipeline("p2", settings={"default_datastore": "azureml:another"})
    assert len(storage.names()) == 1


def test_what_a_step_writes_to_storage_by_itself_is_fetched_for_the_next(blob, storage, tmp_path):
    storage.put("made/a.txt", b"by itself\n")
    spec = {
        "type": "pipeline",
        "settings": {"default_compute": "serverless"},
        "jobs": {
            "make": {
                "type": "command",
                "command": "echo ${{outputs.out}}",
                "environment": "azureml:any@latest",
                "outputs": {"out": {"mode": "direct", "path": f"{BLOB}/made"}},
            },
            "read": {
                "type": "command",
                "command": "cat ${{inputs.data}}/a.txt",
                "environment": "azureml:any@latest",
                "inputs": {"data": "${{parent.jobs.make.outputs.out}}"},
            },
        },
    }
    (tmp_path / "p.yml").write_text(yaml.safe_dump(spec))
    submit = ("job", "submit", "p.yml", "--current-python", "--wait", "--name")
    for name, reused in (("p1", False), ("p2", True)):
        assert blob(*submit, name).returncode == 0
        assert ("read: reused" in blob("job", "logs", name).stdout) is reused
        assert blob("job", "logs", f"{name}-read").stdout == "by itself\n"
    storage.put("made/a.txt", b"another\n")
    assert blob(*submit, "p3").returncode == 0
    assert blob("job", "logs", "p3-read").stdout == "another\n"


def test_each_trial_of_a_sweep_sends_its_own_and_the_best_is_the_sweep_s(blob, storage, tmp_path):
    spec = {
        "type": "sweep",
        "sampling_algorithm": "grid",
        "search_space": {"x": {"type": "choice", "values": [1, 2, 3]}},
        "objective": {"primary_metric": "score", "goal": "maximize"},
        "limits": {"max_total_trials": 3, "max_concurrent_trials": 3},
        "outputs": {"model": {"type": "uri_file", "path": f"{BLOB}/models/${{{{name}}}}.txt"}},
        "trial": {
            "command": f"{LOG} && echo ${{{{search_space.x}}}} > ${{{{outputs.model}}}}",
            "environment": "azureml:any@latest",
        },
    }
    (tmp_path / "sweep.yml").write_text(yaml.safe_dump(spec))
    done = blob("job", "submit", "sweep.yml", "--current-python", "--name", "s", "--wait")
    assert done.returncode == 0, done.stderr
    assert storage.names() == [f"models/s_{number}.txt" for number in range(3)]
    shown = json.loads(blob("job", "show", "s").stdout)
    best = shown["best_trial"]["name"]
    assert shown["outputs"]["model"]["path"] == f"{BLOB}/models/{best}.txt"
    assert blob("job", "download", "s", "--output-name", "model", "-p", "got").returncode == 0
    (got,) = [each for each in (tmp_path / "got").rglob("*") if each.is_file()]
    assert got.read_text() == "3\n"
