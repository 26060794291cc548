"""Unmodified scripts that use the Azure SDK, run against the emulator."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("azure.ai.ml")


def said(done):
    """Return what a script printed, by the word before the colon."""
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    return dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)


def shown(amlkit, *arguments):
    found = amlkit(*arguments, "-o", "json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_data_that_the_sdk_creates_is_data_of_the_workspace(emulator, amlkit, tmp_path):
    found = said(emulator.script("data_assets.py", cwd=tmp_path))

    assert found["data"] == "['points', 'points-folder']"
    assert found["default"] == "workspaceblobstore"
    listed = amlkit("data", "list", "-o", "name").stdout.split()
    assert sorted(listed) == ["points-folder:1", "points:1"]
    folder = shown(amlkit, "data", "show", "points-folder")
    assert (folder["description"], folder["tags"]) == ("all the points", {"made": "by hand"})
    amlkit("data", "download", "points", "--download-path", tmp_path / "out")
    assert next((tmp_path / "out").rglob("points.csv")).read_text().startswith("1,2")
    assert "pictures" in amlkit("datastore", "list", "-o", "name").stdout


@pytest.mark.slow
def test_an_environment_from_a_conda_file_is_one_of_the_workspace(emulator, amlkit, tmp_path):
    found = said(emulator.script("environments.py", cwd=tmp_path))

    assert found["environment"] == "tutorial:1 {'owner': 'tutorial'}"
    assert (found["conda"], found["versions"]) == ("['python=3.11']", "['1']")
    environment = shown(amlkit, "env", "show", "tutorial")
    assert environment["image"] == "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
    assert environment["conda_file"]["channels"] == ["conda-forge"]


def test_a_job_of_the_sdk_runs_here_and_is_streamed_and_downloaded(emulator, amlkit, tmp_path):
    done = emulator.script("command_job.py", tmp_path / "down", cwd=tmp_path)
    found = said(done)

    assert "slope 2.000" in done.stdout
    assert found["status"] == "JobStatus.COMPLETED"
    model = json.loads((tmp_path / "down" / "named-outputs" / "model" / "model.json").read_text())
    assert model["slope"] == pytest.approx(2, abs=0.01)
    assert "slope" in (tmp_path / "down" / "artifacts" / "user_logs" / "std_log.txt").read_text()
    job = shown(amlkit, "job", "show", found["job"])
    assert (job["display_name"], job["experiment_name"]) == ("fit a line", "tutorial")
    assert (job["status"], job["inputs"]["lr"]) == ("Completed", 0.05)


@pytest.mark.slow
def test_components_of_the_sdk_are_components_of_the_workspace(emulator, amlkit, tmp_path):
    found = said(emulator.script("components.py", cwd=tmp_path))

    assert found["component"] == "tutorial_train:1 Fit a line"
    assert found["inputs"] == "['data', 'lr', 'steps'] 0.05"
    assert found["names"] == "['tutorial_shout', 'tutorial_train']"
    component = shown(amlkit, "component", "show", "tutorial_train")
    assert component["inputs"]["lr"] == {"type": "number", "default": 0.05, "min": 0, "max": 1}
    assert component["environment"] == "azureml:tutorial:1"
    assert component["outputs"]["model"]["type"] == "uri_folder"


@pytest.mark.slow
def test_models_are_registered_versioned_archived_and_downloaded(emulator, amlkit, tmp_path):
    found = said(emulator.script("models.py", tmp_path / "down", cwd=tmp_path))

    assert found["versions"] == "['2', '1']"
    assert found["latest"] == "{'stage': 'second'}"
    assert found["after archiving"] == "['2']"
    assert next((tmp_path / "down").rglob("points.csv")).read_text().startswith("1,2")
    assert amlkit("model", "list", "-o", "name").stdout.split() == ["tutorial-model:2"]


@pytest.mark.slow
def test_jobs_are_tagged_canceled_and_archived(emulator, amlkit, tmp_path):
    found = said(emulator.script("manage_jobs.py", cwd=tmp_path))

    assert found["tags"] == "yes to be canceled"
    assert found["status"] == "JobStatus.CANCELED"
    assert (found["listed"], found["restored"]) == ("False", "True")
    job = shown(amlkit, "job", "show", found["job"])
    assert (job["status"], job["tags"], job["archived"]) == ("Canceled", {"reviewed": "yes"}, False)


@pytest.mark.slow
def test_a_sweep_of_the_sdk_tries_what_its_space_holds(emulator, amlkit, tmp_path):
    found = said(emulator.script("sweep_job.py", cwd=tmp_path))

    assert found["status"] == "JobStatus.COMPLETED"
    assert found["trials"] == "4 ['Completed']"
    best, score = found["best"].split()
    trials = shown(amlkit, "job", "trials", found["job"])
    assert min(trials, key=lambda each: each["objective"])["name"] == best
    assert float(score) == min(each["objective"] for each in trials)
    for each in trials:
        given = each["parameters"]
        assert 0.0067 < given["lr"] < 0.1354
        assert 0.9 <= given["decay"] <= 1
        assert given["steps"] in {10, 20}


@pytest.mark.slow
def test_a_pipeline_of_the_sdk_trains_evaluates_and_registers(emulator, amlkit, tmp_path):
    found = said(emulator.script("pipeline_job.py", tmp_path / "down", cwd=tmp_path))

    assert found["status"] == "JobStatus.COMPLETED"
    names = ("judged", "passed", "trained")
    assert found["steps"] == str([(name, "Completed") for name in names])
    assert (found["models"], found["model"]) == ("['line', 'passed-on']", "line:1")
    downloaded = json.loads(next((tmp_path / "down").rglob("model.json")).read_text())
    amlkit("model", "download", "line", "--download-path", tmp_path / "model")
    registered = json.loads(next((tmp_path / "model").rglob("model.json")).read_text())
    assert registered == downloaded
    assert registered["slope"] == pytest.approx(2, abs=0.01)


@pytest.mark.slow
def test_a_pipeline_of_the_sdk_nests_sweeps_and_runs_in_parallel(emulator, amlkit, tmp_path):
    found = said(emulator.script("pipeline_steps.py", tmp_path / "down", cwd=tmp_path))

    assert found["status"] == "JobStatus.COMPLETED"
    outputs = tmp_path / "down" / "named-outputs"
    assert json.loads(next((outputs / "report").rglob("report.json")).read_text())["good"]
    assert json.loads(next((outputs / "best").rglob("model.json")).read_text())["loss"] < 1
    counted = [each for each in (outputs / "counts").rglob("*") if each.is_file()]
    assert [each.read_text().strip() for each in counted] == ["points.csv 3"]
    steps = shown(amlkit, "job", "show", found["job"])["jobs"]
    assert {each["status"] for each in steps.values()} == {"Completed"}
    assert len(steps) == 3


@pytest.mark.slow
def test_a_schedule_is_kept_and_its_job_can_be_started(emulator, amlkit, tmp_path):
    found = said(emulator.script("schedule.py", cwd=tmp_path))

    assert found["schedule"] == "nightly 0 3 * * * True"
    assert found["status"] == "JobStatus.COMPLETED"
    assert (found["enabled"], found["schedules"]) == ("False", "[]")
    assert len(shown(amlkit, "job", "list")) == 1


@pytest.mark.slow
def test_everything_of_the_workspace_is_listed_whoever_made_it(emulator, amlkit, tmp_path):
    (tmp_path / "job.yml").write_text("command: echo hello there\nenvironment: {image: x}\n")
    (tmp_path / "a.csv").write_text("1")
    assert amlkit("data", "create", "--name", "own", "--path", "a.csv").returncode == 0
    job = amlkit("job", "submit", "job.yml", "--current-python", "--wait", "-o", "name")
    name = job.stdout.strip()

    found = said(emulator.script("list_everything.py", cwd=tmp_path))

    assert (found["workspace"], found["workspaces"]) == ("tutorial", "['local']")
    assert (found["data"], found["jobs"]) == ("['own']", f"['{name}']")
    assert "workspaceblobstore" in found["datastores"]


def test_jobs_that_the_sdk_did_not_send_can_be_read_and_streamed(emulator, amlkit, tmp_path):
    (tmp_path / "job.yml").write_text("command: echo hello there\nenvironment: {image: x}\n")
    job = amlkit("job", "submit", "job.yml", "--current-python", "--wait", "-o", "name")
    name = job.stdout.strip()

    done = emulator.sdk(
        f"client.jobs.stream({name!r})\njob = client.jobs.get({name!r})\n"
        "print('job:', job.status, job.command)",
        cwd=tmp_path,
    )

    assert "hello there" in done.stdout.splitlines()
    assert said(done)["job"] == "JobStatus.COMPLETED echo hello there"


SWEEP = """
trial: {command: "echo ${{search_space.lr}} ${{search_space.k}}", environment: {image: x}}
search_space:
  lr: {max_value: 1, type: uniform, min_value: 0}
  k: {type: choice, values: [1, 2]}
sampling_algorithm: {type: random, seed: 3}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 1, max_concurrent_trials: 1, timeout: 100}
early_termination: {type: bandit, slack_factor: 0.1, evaluation_interval: 2}
"""


@pytest.mark.slow
def test_a_sweep_that_the_sdk_did_not_send_is_shown_as_it_is(emulator, amlkit, tmp_path):
    (tmp_path / "sweep.yml").write_text(f"type: sweep{SWEEP}")
    sent = amlkit("job", "submit", "sweep.yml", "--current-python", "-o", "name").stdout.strip()

    done = emulator.sdk(
        f"job = client.jobs.get({sent!r})\n"
        "lr, k, stop = job.search_space['lr'], job.search_space['k'], job.early_termination\n"
        "print('space:', lr.min_value, lr.max_value, k.values)\n"
        "print('stop:', stop.type, stop.slack_factor, stop.evaluation_interval)\n"
        "print('rest:', job.sampling_algorithm.seed, job.limits.timeout, job.objective.goal)",
        cwd=tmp_path,
    )

    found = said(done)
    assert found["space"] == "0 1 [1, 2]"
    assert found["stop"] == "bandit 0.1 2"
    assert found["rest"] == "3 100 minimize"


def test_a_job_that_fails_raises_in_the_stream_and_says_why(emulator, tmp_path):
    done = emulator.sdk(
        "from azure.ai.ml import command\n"
        "from azure.ai.ml.entities import Environment\n"
        "client.environments.create_or_update(Environment(name='x', image='ubuntu'))\n"
        "job = command(command='echo before; exit 3', environment='x@latest')\n"
        "job = client.jobs.create_or_update(job)\n"
        "try:\n    client.jobs.stream(job.name)\n"
        "except Exception as error:\n    print('raised:', type(error).__name__, error)\n"
        "print('status:', client.jobs.get(job.name).status)\n",
        cwd=tmp_path,
    )

    assert "before" in done.stdout.splitlines()
    found = said(done)
    assert found["raised"].startswith("JobException")
    assert "exit code 3" in done.stdout
    assert found["status"] == "JobStatus.FAILED"
