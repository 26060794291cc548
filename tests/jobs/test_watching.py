"""What a watcher of a job is told: when it ends, when it goes on, when there is nothing to stop."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture
def submit(amlkit, tmp_path):
    """Submit a job that runs a shell command; its log begins with `started`."""

    def submitted(command, *options):
        (tmp_path / "job.yml").write_text(
            f"command: echo started; {command}\nenvironment: azureml:none@latest\n",
            encoding="utf-8",
        )
        return amlkit("job", "submit", "job.yml", "--current-python", "-n", "j", *options)

    return submitted


@pytest.fixture
def started(tmp_path):
    """Start the executable and leave it running."""
    env = {key: each for key, each in os.environ.items() if not key.startswith("AMLKIT_")}
    env["AMLKIT_HOME"] = str(tmp_path / "home")

    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "amlkit", *arguments],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def test_a_reader_that_goes_away_leaves_the_job_running_and_is_told(amlkit, started, tmp_path):
    gate = tmp_path / "gate"
    (tmp_path / "job.yml").write_text(
        f"command: while test ! -e {gate}; do echo line; sleep 0.05; done\n"
        "environment: azureml:none@latest\n",
        encoding="utf-8",
    )
    with started("job", "submit", "job.yml", "--current-python", "-n", "j", "--stream") as watcher:
        assert watcher.stdout.readline() == "line\n"
        watcher.stdout.close()
        told = watcher.stderr.read()
    assert watcher.returncode == 141
    assert "job `j` goes on" in told
    assert "Traceback" not in told
    gate.touch()
    done = amlkit("job", "wait", "j")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "Completed")


def until_open(process, name):
    """Return when a process has a file open whose path has `name` in it."""
    place = Path(f"/proc/{process.pid}/fd")
    if not place.is_dir():
        process.kill()
        process.communicate()
        pytest.skip("open files are seen in /proc only")
    while process.poll() is None:
        for each in place.iterdir():
            with contextlib.suppress(OSError):
                if name in str(each.readlink()):
                    return
        time.sleep(0.005)


@pytest.mark.parametrize("verb", ["wait", "stream"])
def test_ctrl_c_leaves_the_job_running_and_says_so(amlkit, submit, started, tmp_path, verb):
    gate = tmp_path / "gate"
    assert submit(f"until test -e {gate}; do sleep 0.05; done").returncode == 0
    if verb == "stream":
        watcher = started("job", "stream", "j")
        assert watcher.stdout.readline() == "started\n"
    else:
        watcher = started("job", "wait", "j")
        # Nothing is printed while it waits: the catalogue, once open, says that it does.
        until_open(watcher, "catalogue")
    watcher.send_signal(signal.SIGINT)
    _, told = watcher.communicate(timeout=60)
    assert watcher.returncode == 130
    assert "job `j` goes on" in told
    assert amlkit("job", "show", "j", "--query", "status", "-o", "tsv").stdout == "Running\n"
    gate.touch()
    assert amlkit("job", "wait", "j", "-o", "none").returncode == 0


def test_waiting_for_a_job_that_fails_prints_it_too(amlkit, submit):
    assert submit("exit 3").returncode == 0
    done = amlkit("job", "wait", "j", "--query", "status", "-o", "tsv")
    assert (done.returncode, done.stdout) == (1, "Failed\n")
    assert "job `j` failed" in done.stderr


def test_what_has_ended_by_itself_cannot_be_canceled(amlkit, submit):
    assert submit("true", "--wait").returncode == 0
    done = amlkit("job", "cancel", "j")
    assert (done.returncode, done.stdout) == (6, "")
    assert "job `j` is Completed" in done.stderr


def test_what_is_canceled_can_be_canceled_again(amlkit, submit):
    assert submit("sleep 60").returncode == 0
    assert amlkit("job", "cancel", "j").returncode == 0
    done = amlkit("job", "wait", "j", "--query", "status", "-o", "tsv")
    assert (done.returncode, done.stdout) == (5, "Canceled\n")
    assert amlkit("job", "cancel", "j").returncode == 0


def test_a_secret_is_told_with_the_path_that_one_would_type(amlkit, tmp_path):
    (tmp_path / "src").mkdir()
    key = "AccountKey=" + "a" * 86 + "=="
    (tmp_path / "src" / "conf.py").write_text(f'C = "AccountName=x;{key}"\n')
    (tmp_path / "job.yml").write_text(
        "command: echo\ncode: ./src\nenvironment: azureml:none@latest\n"
    )
    submit = ("job", "submit", "job.yml", "--current-python")
    for each in (submit, (*submit, "--dry-run")):
        done = amlkit(*each)
        assert done.returncode == 1
        assert f"{Path('src', 'conf.py')}:1: storage account key" in done.stderr
    assert amlkit(*submit, "--dry-run", "--allow-secrets").returncode == 0


def test_a_dry_run_cancels_and_archives_nothing(amlkit, tmp_path):
    (tmp_path / "job.yml").write_text("command: sleep 100\nenvironment: azureml:none@latest\n")
    amlkit("job", "submit", "job.yml", "--current-python", "--name", "j")
    for verb in ("cancel", "archive", "restore"):
        planned = json.loads(amlkit("job", verb, "j", "--dry-run").stdout)
        assert (planned["action"], planned["spec"]["name"]) == (f"{verb} job", "j")
    assert amlkit("job", "list", "-o", "name").stdout == "j\n"
    assert amlkit("job", "show", "j", "--query", "status", "-o", "tsv").stdout != "Canceled\n"
    assert amlkit("job", "cancel", "j").returncode == 0
    assert amlkit("job", "wait", "j").returncode == 5
    assert amlkit("job", "archive", "nobody", "--dry-run").returncode == 3
