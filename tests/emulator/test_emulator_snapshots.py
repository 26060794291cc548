"""What changed in a code folder since the last job that was submitted from it to Azure ML."""

from __future__ import annotations

import pytest

pytest.importorskip("azure.ai.ml")
pytest.importorskip("cryptography")

from amlkit.errors import NotFound
from amlkit.services import snapshots

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture
def job(on_emulator, tmp_path):
    on_emulator.environments.register("e", {"dependencies": ["python"]}, image="ubuntu")
    source = tmp_path / "src"
    (source / "deep").mkdir(parents=True)
    (source / "train.py").write_text("print(1)")
    (source / "deep" / "old.py").write_text("old")
    (source / "same.py").write_text("same")
    (source / "junk.log").write_text("junk")
    (source / ".amlignore").write_text("*.log\n")
    (tmp_path / "train.yml").write_text(
        "type: command\ncommand: python train.py\ncode: ./src\nenvironment: azureml:e:1\n"
    )
    return tmp_path / "train.yml"


def test_what_changed_since_the_last_job_from_a_folder_is_listed(
    on_emulator, served, job, tmp_path
):
    backend = on_emulator.backend
    with pytest.raises(NotFound, match="on this machine yet"):
        snapshots.changed(backend, job)
    first = on_emulator.jobs.submit(job)
    assert snapshots.changed(backend, job) == ([], [first.name])
    source = job.parent / "src"
    (source / "train.py").write_text("print(2)")
    (source / "deep" / "old.py").unlink()
    (source / "new.py").write_text("new")
    (source / "junk.log").write_text("other junk")
    before = len(served.requests())
    changes, jobs = snapshots.changed(backend, job)
    assert [(each.change, each.path) for each in changes] == [
        ("removed", "deep/old.py"),
        ("added", "new.py"),
        ("changed", "train.py"),
    ]
    assert jobs == [first.name]
    assert len(served.requests()) == before
    second = on_emulator.jobs.submit(job)
    assert snapshots.changed(backend, source) == ([], [second.name])
    notes = "".join(each.read_text() for each in (tmp_path / "home" / "submitted").iterdir())
    assert "print" not in notes


def test_a_job_that_is_refused_is_not_the_last_one(on_emulator, served, job):
    first = on_emulator.jobs.submit(job)
    (job.parent / "src" / "train.py").write_text("print(2)")
    served.fault("403:9:PUT .*/jobs/")
    with pytest.raises(Exception, match=r"403|fault"):
        on_emulator.jobs.submit(job)
    changes, jobs = snapshots.changed(on_emulator.backend, job)
    assert ([each.path for each in changes], jobs) == (["train.py"], [first.name])
