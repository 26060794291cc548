"""What jobs do the same in every workspace that runs them on this machine.

Imported by a test module with two fixtures: `workspace`, the services of an empty workspace, and
`submit`, which starts a spec file's job in this Python, with nothing installed.
"""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from amlkit.errors import Canceled, Conflict, JobFailed, NotFound

ENVIRONMENT = "environment: {image: ubuntu, conda_file: {dependencies: [python]}}"
TRAIN = """
import os, pathlib, sys
import mlflow

data, lr, target = sys.argv[1:]
rows = [line for file in sorted(pathlib.Path(data).rglob("*.csv")) for line in file.open()]
print("rows", len(rows), "lr", lr)
for step in range(3):
    mlflow.log_metric("loss", float(lr) * (3 - step), step=step)
pathlib.Path(target).mkdir(parents=True, exist_ok=True)
(pathlib.Path(target) / "model.txt").write_text(lr)
pathlib.Path("outputs").mkdir(exist_ok=True)
pathlib.Path("outputs/note.txt").write_text(os.environ["AZUREML_RUN_ID"])
"""
COMMAND = f"""
display_name: fit
experiment_name: conformance
description: fits
tags: {{who: me}}
code: src
command: >-
  python train.py ${{{{inputs.data}}}} ${{{{inputs.lr}}}} ${{{{outputs.model}}}}
{ENVIRONMENT}
inputs:
  data: {{type: uri_folder, path: azureml:digits@latest}}
  lr: 0.5
outputs:
  model: {{type: uri_folder}}
"""
SWEEP = f"""
type: sweep
experiment_name: conformance
trial:
  code: src
  command: >-
    python train.py ${{{{inputs.data}}}} ${{{{search_space.lr}}}} ${{{{outputs.model}}}}
  {ENVIRONMENT}
inputs:
  data: {{type: uri_folder, path: azureml:digits@latest}}
outputs:
  model: {{type: uri_folder}}
search_space:
  lr: {{type: choice, values: [0.5, 0.25, 1]}}
sampling_algorithm: grid
objective: {{goal: minimize, primary_metric: loss}}
limits: {{max_total_trials: 3, max_concurrent_trials: 2}}
"""
PIPELINE = f"""
type: pipeline
settings: {{default_compute: azureml:cpu}}
experiment_name: conformance
inputs: {{word: hello}}
outputs:
  loud: {{type: uri_folder}}
jobs:
  say:
    type: command
    command: echo ${{{{inputs.word}}}} > ${{{{outputs.said}}}}/word.txt
    {ENVIRONMENT}
    inputs: {{word: "${{{{parent.inputs.word}}}}"}}
    outputs: {{said: {{type: uri_folder}}}}
  shout:
    type: command
    command: tr a-z A-Z < ${{{{inputs.said}}}}/word.txt > ${{{{outputs.loud}}}}/word.txt
    {ENVIRONMENT}
    inputs: {{said: "${{{{parent.jobs.say.outputs.said}}}}"}}
    outputs: {{loud: "${{{{parent.outputs.loud}}}}"}}
"""


@pytest.fixture
def spec(tmp_path, workspace):
    """Write a spec beside a code folder, where its data is registered."""
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "train.py").write_text(TRAIN)
    (folder / "data").mkdir()
    (folder / "data" / "a.csv").write_text("1,2\n3,4\n")

    def write(text):
        if "digits" in text:
            workspace.data.create(name="digits", path=folder / "data")
        (folder / "job.yml").write_text(text)
        return folder / "job.yml"

    return write


def command(text):
    return f"command: {text}\nexperiment_name: conformance\n{ENVIRONMENT}\n"


def test_a_job_reads_data_logs_metrics_and_leaves_outputs(workspace, submit, spec, tmp_path):
    jobs = workspace.jobs
    job = jobs.wait(submit(spec(COMMAND)).name, timeout_seconds=60)

    assert (job.status, job.type, job.error) == ("Completed", "command", None)
    assert (job.display_name, job.experiment_name) == ("fit", "conformance")
    assert (job.description, dict(job.tags)) == ("fits", {"who": "me"})
    assert float(job.inputs["lr"]) == 0.5
    assert job.metrics == {"loss": 0.5}
    assert job.created_at <= job.started_at <= job.ended_at
    assert b"rows 2 lr 0.5" in b"".join(jobs.log(job.name))
    points = jobs.metrics(job.name, "loss")
    assert [(each.step, each.value) for each in points] == [(0, 1.5), (1, 1.0), (2, 0.5)]
    model = jobs.download(job.name, tmp_path / "down", output="model")
    assert (model / "model.txt").read_text() == "0.5"
    default = jobs.download(job.name, tmp_path / "down", output="default")
    assert (default / "note.txt").read_text() == job.name
    made = workspace.models.register(name="m", job=job.name, output="model")
    assert made.reference == "m:1"


def test_a_job_that_fails_says_how_and_keeps_its_log(workspace, submit, spec):
    name = submit(spec(command("echo before; exit 3"))).name

    with pytest.raises(JobFailed):
        workspace.jobs.wait(name, timeout_seconds=60)
    job = workspace.jobs.show(name)
    assert (job.status, "exit code 3" in job.error) == ("Failed", True)
    ((failed, log),) = workspace.jobs.failed_logs(name)
    assert (failed.name, b"before" in log) == (name, True)


def test_a_job_can_be_canceled_while_it_runs(workspace, submit, spec):
    name = submit(spec(command("sleep 300"))).name
    workspace.jobs.cancel(name)

    with pytest.raises(Canceled):
        workspace.jobs.wait(name, timeout_seconds=60)
    assert workspace.jobs.cancel(name).status == "Canceled"


def test_a_log_that_is_followed_ends_with_the_job(workspace, submit, spec):
    name = submit(spec(command("for i in 1 2 3; do echo line $i; sleep 0.1; done"))).name

    lines = b"".join(workspace.jobs.log(name, follow=True)).split(b"\n")
    assert [line for line in lines if line.startswith(b"line")] == [b"line 1", b"line 2", b"line 3"]
    assert workspace.jobs.show(name).status.final


def test_jobs_are_found_by_what_they_are(workspace, submit, spec):
    jobs = workspace.jobs
    names = [submit(spec(command(f"exit {code}"))).name for code in (0, 3)]
    for name in names:
        with pytest.raises(JobFailed) if name == names[1] else nullcontext():
            jobs.wait(name, timeout_seconds=60)
    jobs.tag(names[0], {"stage": "one"})

    assert [each.name for each in jobs.list()] == names[::-1]
    assert [each.name for each in jobs.list(status="failed")] == names[1:]
    assert [each.name for each in jobs.list(tags={"stage": "one"})] == names[:1]
    assert list(jobs.list(experiment="other")) == []
    jobs.archive(names[0])
    assert [each.name for each in jobs.list()] == names[1:]
    assert len(jobs.list(archived=True)) == 2
    jobs.archive(names[0], archived=False)
    assert len(jobs.list()) == 2


def test_a_name_is_taken_once_and_what_is_not_there_is_named(workspace, submit, spec):
    submit(spec("name: mine\n" + command("exit 0")))
    with pytest.raises(Conflict):
        submit(spec("name: mine\n" + command("exit 0")))
    absent = "inputs: {data: {type: uri_folder, path: azureml:absent@latest}}\n"
    with pytest.raises(NotFound, match="absent"):
        submit(spec(command("echo ${{inputs.data}}") + absent))
    assert [each.name for each in workspace.jobs.list()] == ["mine"]


def test_a_sweep_tries_its_space_and_ranks_what_came_of_it(workspace, submit, spec, tmp_path):
    jobs = workspace.jobs
    sweep = jobs.wait(submit(spec(SWEEP)).name, timeout_seconds=60)

    assert (sweep.status, sweep.type) == ("Completed", "sweep")
    trials = jobs.trials(sweep.name)
    assert [(each.rank, each.objective) for each in trials] == [(1, 0.25), (2, 0.5), (3, 1.0)]
    assert [float(each.parameters["lr"]) for each in trials] == [0.25, 0.5, 1.0]
    best = jobs.best(sweep.name)
    assert (best.name, best.metrics["loss"]) == (trials[0].name, 0.25)
    assert best.parent == sweep.name
    model = jobs.download(sweep.name, tmp_path / "down", output="model")
    assert (model / "model.txt").read_text() == "0.25"


def test_a_pipeline_hands_on_what_its_steps_make(workspace, submit, spec, tmp_path):
    jobs = workspace.jobs
    job = jobs.wait(submit(spec(PIPELINE)).name, timeout_seconds=60)

    assert (job.status, job.type) == ("Completed", "pipeline")
    assert {name: each["status"] for name, each in job.jobs.items()} == {
        "say": "Completed",
        "shout": "Completed",
    }
    steps = jobs.list(parent=job.name)
    assert sorted(each.display_name for each in steps) == ["say", "shout"]
    assert {each.parent for each in steps} == {job.name}
    loud = jobs.download(job.name, tmp_path / "down", output="loud")
    assert (loud / "word.txt").read_text() == "HELLO\n"


def test_a_pipeline_with_a_step_that_fails_shows_which(workspace, submit, spec):
    broken = PIPELINE.replace("tr a-z A-Z <", "cat nothing;")
    name = submit(spec(broken)).name

    with pytest.raises(JobFailed):
        workspace.jobs.wait(name, timeout_seconds=60)
    ((failed, log),) = workspace.jobs.failed_logs(name)
    assert failed.display_name == "shout"
    assert b"nothing" in log
