"""`amlkit model` through the real executable."""

from __future__ import annotations

import json

import pytest

JOB = """type: command
command: >-
  python -c "import json,os,urllib.request as u;
  b=json.dumps(dict(run_id=os.environ['MLFLOW_RUN_ID'],key='accuracy',value=0.8)).encode();
  u.urlopen(u.Request(os.environ['MLFLOW_TRACKING_URI']+'/api/2.0/mlflow/runs/log-metric',b,
  {'Authorization':'Bearer '+os.environ['MLFLOW_TRACKING_TOKEN']}));
  open('${{outputs.model}}/weights.txt','w').write('42')"
environment: azureml:none@latest
outputs: {model: {type: custom_model}}
"""


@pytest.fixture
def job(amlkit, tmp_path):
    (tmp_path / "job.yml").write_text(JOB)
    done = amlkit(
        "job", "submit", "job.yml", "--current-python", "--name", "j", "--wait", "-o", "none"
    )
    assert done.returncode == 0, done.stderr + amlkit("job", "logs", "j").stdout
    return "j"


def test_a_job_output_is_registered_and_comes_back_whole(amlkit, job, tmp_path):
    done = amlkit(
        "model",
        "register",
        "--name",
        "digits",
        "--job",
        job,
        "--output",
        "model",
        "--if",
        "metrics.accuracy > 0.7",
        "-o",
        "name",
    )
    assert (done.returncode, done.stdout) == (0, "digits:1\n"), done.stderr
    shown = json.loads(amlkit("model", "show", "digits").stdout)
    assert shown["properties"]["azureml.job_name"] == job
    assert amlkit("model", "download", "digits:1", "-p", "here").returncode == 0
    assert next((tmp_path / "here").rglob("weights.txt")).read_text() == "42"


def test_a_model_that_is_not_good_enough_is_not_registered(amlkit, job):
    done = amlkit(
        "model",
        "register",
        "-n",
        "digits",
        "--job",
        job,
        "--output",
        "model",
        "--if",
        "metrics.accuracy > 0.9",
    )
    assert done.returncode == 1
    assert "does not meet `metrics.accuracy > 0.9`" in done.stderr
    assert json.loads(amlkit("model", "list").stdout) == []


@pytest.mark.parametrize(
    ("condition", "code", "said"),
    [
        ("accuracy > 0.9", 2, "cannot be read"),
        ("metrics.acuracy > 0.9", 3, "did you mean `accuracy`"),
    ],
)
def test_a_gate_that_cannot_be_told_refuses(amlkit, job, condition, code, said):
    done = amlkit(
        "model", "register", "-n", "d", "--job", job, "--output", "model", "--if", condition
    )
    assert done.returncode == code
    assert said in done.stderr


def test_an_unknown_output_lists_those_there_are(amlkit, job):
    done = amlkit("model", "register", "-n", "d", "--job", job, "--output", "modle")
    assert done.returncode == 3
    assert "`model`" in done.stderr


def test_a_dry_run_registers_nothing(amlkit, job):
    done = amlkit("model", "register", "-n", "d", "--job", job, "--output", "model", "--dry-run")
    assert json.loads(done.stdout)["dry_run"] is True
    assert json.loads(amlkit("model", "list").stdout) == []


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('{"accuracy": 0.97, "labels": {"0": {}}, "ok": true}', 0, ""),
        ('{"accuracy": 0.5}', 1, "does not meet `metrics.accuracy > 0.9`"),
        ('{"accuracy": NaN}', 1, "does not meet"),
        ('{"acuracy": 0.97}', 3, "did you mean `acuracy`?"),
        ('{"accuracy": "high"}', 3, "has no metric `accuracy`"),
        ("[1]", 2, "has no metrics"),
        ("{", 2, "is not JSON"),
        (None, 3, "does not exist"),
    ],
)
def test_a_path_is_judged_by_the_metrics_of_a_file(amlkit, tmp_path, text, code, said):
    (tmp_path / "model.txt").write_text("42")
    if text is not None:
        (tmp_path / "metrics.json").write_text(text)
    options = ["--path", "model.txt", "--metrics", "metrics.json", "--if", "metrics.accuracy > 0.9"]
    done = amlkit("model", "register", "-n", "d", *options)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert len(json.loads(amlkit("model", "list").stdout)) == (code == 0)
