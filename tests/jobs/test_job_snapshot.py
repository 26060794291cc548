"""`amlkit job snapshot ls|diff|why`: what a job uploads, what has changed since, and by which rule."""

from __future__ import annotations

import json
import sys

import pytest

KEY = "AccountKey=" + "k3y" * 29 + "=="


@pytest.fixture
def job(tmp_path):
    (tmp_path / "src" / "data").mkdir(parents=True)
    (tmp_path / "src" / "train.py").write_text("print(1)\n")
    (tmp_path / "src" / "data" / "raw.csv").write_text("1\n")
    (tmp_path / "src" / "data" / "keep.csv").write_text("1\n")
    (tmp_path / "src" / ".amlignore").write_text("# data\ndata/*\n!keep.csv\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "shared.py").write_text("")
    job = tmp_path / "job.yml"
    job.write_text(
        f"command: {sys.executable} train.py\ncode: ./src\nenvironment: azureml:none@latest\n"
    )
    return job


def test_ls_names_what_would_be_uploaded_and_what_is_left_out_by_which_rule(amlkit, job):
    files = json.loads(amlkit("job", "snapshot", "ls", job, "--ignored").stdout)
    assert {each["path"]: each["left_out_by"] for each in files} == {
        ".amlignore": None,
        "data/keep.csv": None,
        "train.py": None,
        "data/raw.csv": ".amlignore:2: data/*",
    }
    listed = amlkit("job", "snapshot", "ls", "src", "-o", "name").stdout.split()
    assert listed == [".amlignore", "data/keep.csv", "train.py"]
    assert amlkit("job", "snapshot", "ls", "nowhere").returncode == 3


def test_ls_warns_of_what_would_be_refused(amlkit, job, tmp_path):
    (tmp_path / "src" / "settings.py").write_text(f"import os\nX = '{KEY}'\n")
    done = amlkit("job", "snapshot", "ls", job, "-o", "none")
    assert done.returncode == 0
    assert "would be refused: src/settings.py:2: storage account key" in done.stderr


def test_diff_tells_what_has_changed_since_the_last_run(amlkit, job, tmp_path):
    done = amlkit("job", "snapshot", "diff", job)
    assert (done.returncode, "no job was run from" in done.stderr) == (3, True)
    run = ("job", "submit", job, "--current-python", "--wait", "-o", "none")
    assert amlkit(*run).returncode == 0
    assert json.loads(amlkit("job", "snapshot", "diff", job).stdout) == []
    (tmp_path / "src" / "train.py").write_text("print(22)\n")
    (tmp_path / "src" / "data" / "keep.csv").unlink()
    (tmp_path / "src" / "data" / "ignored.csv").write_text("x")
    (tmp_path / "src" / "more.py").write_text("")
    found = amlkit("job", "snapshot", "diff", job, "-o", "tsv").stdout.splitlines()
    assert found[-3:] == [
        "removed\tdata/keep.csv\t2\t",
        "added\tmore.py\t\t0",
        "changed\ttrain.py\t9\t10",
    ]


@pytest.mark.parametrize(
    ("file", "included", "rule", "decided_at"),
    [
        ("data/raw.csv", False, ".amlignore:2: data/*", "data/raw.csv"),
        ("src/data/raw.csv", False, ".amlignore:2: data/*", "data/raw.csv"),
        ("data/keep.csv", True, ".amlignore:3: !keep.csv", "data/keep.csv"),
        ("train.py", True, None, "train.py"),
        (".venv/bin/python", False, "always left out", ".venv"),
    ],
)
def test_why_names_the_rule_that_decides(amlkit, job, tmp_path, file, included, rule, decided_at):
    (tmp_path / "src" / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "src" / ".venv" / "bin" / "python").touch()
    found = json.loads(amlkit("job", "snapshot", "why", job, file).stdout)
    assert (found["included"], found["rule"], found["decided_at"]) == (included, rule, decided_at)


def test_why_of_the_current_folder_and_of_a_file_that_is_not_there(amlkit, job, tmp_path):
    done = amlkit("job", "snapshot", "why", "data/raw.csv", cwd=tmp_path / "src")
    assert json.loads(done.stdout)["included"] is False
    done = amlkit("job", "snapshot", "why", job, "data/none.csv")
    assert (done.returncode, "none.csv` is not in" in done.stderr) == (3, True)


def test_the_steps_of_a_pipeline_are_looked_at_where_their_files_are(amlkit, job, tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "score.yml").write_text(
        "type: command\nname: score\ncommand: python score.py\ncode: ./score\n"
        "additional_includes: [../lib]\nenvironment: azureml:none@latest\n"
    )
    (tmp_path / "parts" / "score").mkdir()
    (tmp_path / "parts" / "score" / "score.py").write_text("")
    pipeline = tmp_path / "pipeline.yml"
    pipeline.write_text(
        "type: pipeline\nsettings: {default_compute: azureml:cpu}\njobs:\n"
        "  score: {type: command, component: ./parts/score.yml}\n"
        "  train: {type: command, command: python train.py, code: ./lib,"
        " environment: 'azureml:none@latest'}\n"
    )
    names = amlkit("job", "snapshot", "ls", pipeline, "-o", "name").stdout.split()
    assert names == ["lib/shared.py", "score.py", "shared.py"]
    found = json.loads(amlkit("job", "snapshot", "why", pipeline, "lib/shared.py").stdout)
    assert (found["included"], found["path"]) == (True, "lib/shared.py")
