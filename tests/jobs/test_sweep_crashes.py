"""Sweeps whose supervisor is killed at any moment: resumed, every trial is there exactly once."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from amlkit.local.locks import is_locked

TRIALS = 24
KILLS = 20

# One line when a trial begins and one when it is done, in a file that all trials append to.
MAIN = """
import json, os, sys, time, urllib.request
def note(what):
    handle = os.open(LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{what} {os.environ['MLFLOW_RUN_ID']} {sys.argv[1]} {os.getpid()}\\n".encode())
note("begun")
time.sleep(0.15)
body = json.dumps({"run_id": os.environ["MLFLOW_RUN_ID"], "key": "score", "timestamp": 1,
                   "value": float(sys.argv[1])}).encode()
urllib.request.urlopen(urllib.request.Request(
    os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric", body,
    {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]}))
note("done")
"""
SWEEP = f"""
type: sweep
trial: {{command: "python main.py ${{{{search_space.x}}}}", code: ./src, environment: azureml:none@latest}}
sampling_algorithm: {{type: random, seed: 5}}
search_space: {{x: {{type: uniform, min_value: 0, max_value: 1}}}}
objective: {{goal: maximize, primary_metric: score}}
limits: {{max_total_trials: {TRIALS}, max_concurrent_trials: 3}}
"""


def lines(ledger):
    return [each.split() for each in ledger.read_text().splitlines()] if ledger.exists() else []


def alive(pid):
    """Whether a process runs: one that has ended and waits to be noticed does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[-1].split()[0]
    except OSError:
        return False
    return state != "Z"


def kill_at(home, ledger, *, steps, seconds):
    """Kill the supervisor some time after the ledger has so many lines, and see that nothing of it
    is left. Moments told in begun and ended trials are as random on a slow machine."""
    folder = next(home.rglob("jobs/s/supervisor.pid")).parent
    pid = int((folder / "supervisor.pid").read_text())
    deadline = time.monotonic() + 30
    while len(lines(ledger)) < steps and alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    time.sleep(seconds)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + 10
    # Its guardian holds the lock until what was left is killed, too.
    while alive(pid) or is_locked(folder / "supervisor.lock"):
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_twenty_kills_at_random_moments_leave_every_trial_done_exactly_once(amlkit, tmp_path):
    ledger = tmp_path / "ledger"
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text(f"LEDGER = {str(ledger)!r}\n{MAIN}")
    (tmp_path / "sweep.yml").write_text(SWEEP)
    moments = random.Random(20)
    started = amlkit("job", "sweep", "sweep.yml", "--name", "s", "--current-python", "-o", "none")
    assert started.returncode == 0, started.stderr
    kept: dict[str, object] = {}
    interrupted, before = 0, 0
    for _ in range(KILLS):
        steps, seconds = before + moments.randrange(5), moments.uniform(0, 0.05)
        kill_at(tmp_path / "home", ledger, steps=steps, seconds=seconds)
        shown = json.loads(amlkit("job", "show", "s").stdout)
        rows = {row["name"]: row for row in json.loads(amlkit("job", "trials", "s").stdout)}
        # Nothing that was finished is lost, or changed by what came after.
        finished = {name: row for name, row in rows.items() if row["status"] == "Completed"}
        for name, row in kept.items():
            assert finished[name] == row | {"rank": finished[name]["rank"]}
        kept = finished
        if shown["status"] == "Completed":
            break
        assert shown["status"] == "Failed"
        assert "died" in shown["error"]
        interrupted += 1
        assert not [pid for *_, pid in lines(ledger) if alive(pid)], "a trial outlived its sweep"
        before = len(lines(ledger))
        resumed = amlkit("job", "resume", "s", "-o", "none")
        assert resumed.returncode == 0, resumed.stderr
    done = amlkit("job", "wait", "s", "-o", "none")
    assert done.returncode == 0, done.stderr
    assert interrupted >= KILLS / 2, "the sweep was over before it could be killed often"

    rows = json.loads(amlkit("job", "trials", "s").stdout)
    assert {row["name"] for row in rows} == {f"s_{n}" for n in range(TRIALS)}
    assert {row["status"] for row in rows} == {"Completed"}
    # Each was begun with the same parameters every time, and its metric is there once.
    for row in rows:
        values = {value for _, name, value, _ in lines(ledger) if name == row["name"]}
        assert values == {str(row["parameters"]["x"])}
        assert row["objective"] == row["parameters"]["x"]
        logged = json.loads(amlkit("job", "metrics", row["name"]).stdout) if row["rank"] < 4 else ()
        assert len(logged) in {0, 1}
    assert not [pid for *_, pid in lines(ledger) if alive(pid)]
