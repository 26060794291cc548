"""What a supervisor started does not outlive it, whatever it was doing when it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amlkit.local.locks import is_locked, lock
from amlkit.local.processes import MARK, Guardian

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

STARTS = """
import os, subprocess, sys
from pathlib import Path
from amlkit.local.processes import Guardian
guardian = Guardian((int(sys.argv[1]),))
process = guardian.start(["sleep", "600"], folder=Path("/"), environment=dict(os.environ),
                         log=open("/dev/null", "ab"))
print(process.pid, flush=True)
sys.stdin.read()
"""


def gone(pid):
    """Wait until a process that is nobody's child here runs no more."""
    deadline = time.monotonic() + 20
    stat = Path(f"/proc/{pid}/stat")
    while stat.exists():
        if stat.read_text().rsplit(")", 1)[-1].split()[0] == "Z":
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_what_a_killed_process_started_is_killed_before_its_lock_is_let_go(tmp_path):
    held = lock(tmp_path / "lock")
    owner = subprocess.Popen(
        [sys.executable, "-c", STARTS, str(held.fd)],
        pass_fds=(held.fd,), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    started = int(owner.stdout.readline())
    held.release()
    assert is_locked(tmp_path / "lock")
    owner.kill()
    owner.wait()
    lock(tmp_path / "lock").release()
    assert gone(started)
    owner.stdin.close()
    owner.stdout.close()


def test_a_process_that_nobody_could_tell_of_any_more_is_found_by_its_mark(tmp_path):
    guardian = Guardian()
    told = []

    def lose(sign, group, mark):
        told.append(sign)
        if sign == "?":  # Whoever starts it is killed before it can say more.
            Guardian._tell(guardian, sign, group, mark)

    guardian._tell = lose
    with (tmp_path / "log").open("ab") as log:
        process = guardian.start(
            ["sleep", "600"], folder=tmp_path, environment=dict(os.environ), log=log
        )
        other = subprocess.Popen(["sleep", "600"], env={**os.environ, MARK: "somebody else's"})
    guardian.close()
    assert process.wait(20) == -signal.SIGKILL
    assert told == ["?", "+"]
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_process_that_has_ended_and_one_that_never_started_are_not_looked_for(tmp_path):
    guardian = Guardian()
    with (tmp_path / "log").open("ab") as log:
        given = {"folder": tmp_path, "environment": dict(os.environ), "log": log}
        with pytest.raises(FileNotFoundError):
            guardian.start(["no-such-program"], **given)
        process = guardian.start(["sleep", "600"], **given)
    guardian.forget(process.pid)
    guardian.close()
    assert process.poll() is None
    process.kill()
    process.wait()
