"""A spec that has passed is not checked again; whatever it was checked against has to be as it was."""

from __future__ import annotations

import subprocess
import sys

import pytest

from amlkit import specs
from amlkit.errors import InvalidSpec

JOB = "type: pipeline\nsettings: {default_compute: azureml:c}\njobs:\n  a: {component: ./c.yml}\n"
COMPONENT = "type: command\nname: c\ncommand: echo\nenvironment: azureml:e:1\n"


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    (tmp_path / "job.yml").write_text(JOB, encoding="utf-8")
    (tmp_path / "c.yml").write_text(COMPONENT, encoding="utf-8")
    return tmp_path / "job.yml"


def load(job, **more):
    return specs.load(job, kind="job", again=True, **more)


def test_the_second_time_the_word_of_the_first_is_taken(job):
    first, second = load(job), load(job)
    assert first.recheck is None
    assert second.recheck is not None
    assert second.document == first.document
    assert second.kind == first.kind == "job.pipeline"
    assert second.model == first.model


def test_a_changed_component_file_is_checked(job):
    load(job)
    job.with_name("c.yml").write_text(COMPONENT + "commandd: x\n", encoding="utf-8")
    with pytest.raises(InvalidSpec):
        load(job)


def test_a_deleted_component_file_is_missed(job):
    load(job)
    job.with_name("c.yml").unlink()
    with pytest.raises(InvalidSpec):
        load(job)


def test_overrides_are_checked_each_for_itself(job):
    load(job)
    with pytest.raises(InvalidSpec):
        load(job, overrides=["settings.force_rerun=[1]"])
    assert load(job, overrides=["description=x"]).document["description"] == "x"


def test_a_spec_that_failed_is_checked_again(job):
    job.write_text(JOB + "nonsense: 1\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InvalidSpec):
            load(job)


def test_a_damaged_note_is_no_note(job, tmp_path):
    load(job)
    for note in (tmp_path / "home" / "cache" / "specs").iterdir():
        note.write_text("{", encoding="utf-8")
    assert load(job).recheck is None


def test_a_spec_that_has_passed_needs_no_pydantic(job):
    load(job)
    script = (
        "import sys; from amlkit import specs\n"
        f"specs.load({str(job)!r}, kind='job', again=True)\n"
        "sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_missing_folder_is_told_with_its_place(amlkit, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "job.yml").write_text(
        "type: command\ncommand: exit\ncode: ./src\nenvironment: azureml:e:1\n", encoding="utf-8"
    )
    options = ("--current-python", "--dry-run")
    assert amlkit("job", "submit", "job.yml", *options).returncode == 0
    (tmp_path / "src").rmdir()
    done = amlkit("job", "submit", "job.yml", *options)
    assert done.returncode == 2
    assert "job.yml:3:7: code: " in done.stderr
