"""The emulator's process: who is stopped, who is not, and what happens when a start hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from filelock import FileLock

from amlkit.config import WorkspaceChoice
from amlkit.emulator import process, state
from amlkit.emulator.state import Area
from amlkit.errors import AmlkitError, NotFound


@pytest.fixture
def choice(tmp_path):
    return WorkspaceChoice("w", "local", "test", folder=tmp_path / "w")


@pytest.fixture
def bystander():
    """A process that has nothing to do with the emulator, and ends when its stdin does."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as other:
        yield other
        assert other.stdin is not None
        other.stdin.write(b"\n")
        other.stdin.close()
        assert other.wait(30) == 0


def left_behind(area, pid):
    """Write what an emulator leaves that was killed, whose number another process has now."""
    area.root.mkdir(parents=True)
    known = {"name": "w", "url": "https://localhost:1", "pid": pid, "key": "old", "started": "1"}
    (area.root / "state.json").write_text(json.dumps(known))


def test_stop_does_not_end_a_process_that_has_the_number_of_a_killed_emulator(choice, bystander):
    area = Area(choice.folder)
    left_behind(area, bystander.pid)
    with FileLock(area.root / "emulator.lock"):  # the next one is starting
        with pytest.raises(NotFound):
            process.stop(choice)
        with pytest.raises(NotFound):
            area.running()


def test_a_start_forgets_the_key_of_an_emulator_that_was_killed(choice):
    area = Area(choice.folder)
    left_behind(area, os.getpid())

    with area.lock():
        assert not (area.root / "state.json").exists()


def test_looking_whether_one_runs_does_not_keep_another_from_starting(choice, monkeypatch):
    area = Area(choice.folder)
    area.root.mkdir(parents=True)
    look = FileLock(area.root / "emulator.lock")
    look.acquire()

    class Starting(FileLock):
        """The look ends as soon as somebody has found the lock taken."""

        def _acquire(self):
            super()._acquire()
            look.release()

    monkeypatch.setattr(state, "FileLock", Starting)

    area.lock().release()


def test_a_start_that_hangs_is_given_up(choice, tmp_path, monkeypatch):
    pytest.importorskip("cryptography")
    monkeypatch.setattr(process, "START_SECONDS", 0.5)
    os.mkfifo(tmp_path / "nobody-reads")

    with pytest.raises(AmlkitError, match="did not start within"):
        process.start_detached(choice, 0, (), current_python=True, record=tmp_path / "nobody-reads")

    assert not Area(choice.folder).locked()


def test_a_start_frees_what_uploads_left_more_than_a_day_ago(choice):
    pytest.importorskip("cryptography")
    area = Area(choice.folder)
    old, young = (
        [area.root / "blocks" / age / "block", area.root / "uploads" / f"mlcode-{age}" / "a" / "f"]
        for age in ("old", "young")
    )
    for file in (*old, *young):
        file.parent.mkdir(parents=True)
        file.write_text("x")
    for above in (each for file in old for each in (file, *file.parents)):
        if area.root in above.parents and above.parent != area.root:
            os.utime(above, (1, 1))
    os.utime(area.root / "uploads" / "mlcode-young", (1, 1))

    process.start_detached(choice, 0, (), current_python=True)
    process.stop(choice)

    assert all(file.exists() for file in young)
    assert [each.name for each in area.root.glob("blocks/*")] == ["young"]
    assert [each.name for each in area.root.glob("uploads/*")] == ["mlcode-young"]
