"""Sweeps: small trials against `xargs`, a thousand of them, and the supervisor's memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from run import report
from tuning import suggestion

SWEEP = """
type: sweep
trial: {command: python noop.py, code: ./src, environment: azureml:none@latest}
sampling_algorithm: random
search_space: {x: {type: uniform, min_value: 0, max_value: 1}}
objective: {goal: maximize, primary_metric: none}
limits: {max_total_trials: TRIALS, max_concurrent_trials: 2}
"""
# Logs a poor metric, then waits for the end: the time between the two is the decision's.
LATE = """
import json, os, signal, sys, time, urllib.request
def stopped(*_):
    print((time.time() - logged) * 1000, file=open(sys.argv[2], "a"))
    sys.exit(1)
signal.signal(signal.SIGTERM, stopped)
body = json.dumps({"run_id": os.environ["MLFLOW_RUN_ID"], "key": "score", "timestamp": 1,
                   "value": float(sys.argv[1])}).encode()
request = urllib.request.Request(
    os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric", body,
    {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]})
logged = time.time()
urllib.request.urlopen(request)
if float(sys.argv[1]) < 1:
    time.sleep(30)
"""
BANDIT = """
type: sweep
trial: {command: "python late.py ${{search_space.x}} TIMES", code: ./src,
        environment: azureml:none@latest}
sampling_algorithm: grid
search_space: {x: {type: choice, values: [1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.11, 0.21, 0.31]}}
objective: {goal: maximize, primary_metric: score}
early_termination: {type: bandit, slack_factor: 0.1, evaluation_interval: 1}
limits: {max_total_trials: 9, max_concurrent_trials: 1}
"""
AMLKIT = str(Path(sys.executable).parent / "amlkit")
XARGS = ["bash", "-c", f"cd src && seq 32 | xargs -P2 -n1 {sys.executable} noop.py"]


def timed(command: list[str]) -> float:
    """Return the seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


def sweep(trials: int) -> list[str]:
    """Return the command that runs a sweep of so many trials."""
    file = Path(f"{trials}.yml")
    file.write_text(SWEEP.replace("TRIALS", str(trials)), encoding="utf-8")
    return [AMLKIT, "job", "sweep", str(file), "--current-python", "-o", "name"]


def watched(trials: int) -> tuple[float, float]:
    """Return the seconds of a sweep and the most memory its supervisor had, in MB."""
    command = sweep(trials)
    started = time.perf_counter()
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    place = next(Path(os.environ["AMLKIT_HOME"]).rglob(f"jobs/{name}"))
    status = Path(f"/proc/{(place / 'supervisor.pid').read_text()}/status")
    peak = 0.0
    while memory := _peak(status):
        peak = max(peak, memory)
        time.sleep(0.02)
    return time.perf_counter() - started, peak


def _peak(status: Path) -> float:
    """Return the most memory a process has had, in MB; 0 when it has ended."""
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return 0.0
    return max([0.0, *(int(each.split()[1]) / 1024 for each in lines if "VmHWM" in each)])


def decided(folder: str) -> float:
    """Return the most milliseconds from a poor metric to the TERM that it brings about."""
    times = Path(folder) / "times"
    Path("src/late.py").write_text(LATE, encoding="utf-8")
    Path("bandit.yml").write_text(BANDIT.replace("TIMES", str(times)), encoding="utf-8")
    timed([AMLKIT, "job", "sweep", "bandit.yml", "--current-python", "--wait", "-o", "none"])
    found = [float(each) for each in times.read_text().split()]
    assert len(found) == 8, found
    return max(found)


def within(label: str, figure: float, unit: str, limit: float) -> bool:
    """Print one figure that needs no floor; return whether it is within its limit."""
    held = figure <= limit
    print(f"{'ok  ' if held else 'OVER'} {label:<44} {figure:8.1f} {unit}  limit {limit:g} {unit}")
    return held


def main() -> int:
    """Print each figure; return 1 when one is over its limit."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(AMLKIT_HOME=f"{folder}/home", NO_COLOR="1")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.chdir(folder)
        Path("src").mkdir()
        Path("src/noop.py").write_text("pass\n", encoding="utf-8")
        waiting = [*sweep(32)[:-1], "none", "--wait"]
        timed(waiting)
        rounds = [(timed(XARGS), timed(waiting)) for _ in range(9)]
        floor, took = (statistics.median(each) for each in zip(*rounds, strict=True))
        results = [report("32-trial sweep / xargs -P2", took, floor, 2.5)]
        few, _ = watched(100)
        many, megabytes = watched(1000)
        results.append(report("a trial of 1,000 / a trial of 100", many / 1000, few / 100, 1.2))
        results += [
            within("supervisor of 1,000 trials", megabytes, "MB", 80),
            within("from a poor metric to TERM, slowest of 8", decided(folder), "ms", 100),
            within("a suggestion at 200 finished trials", suggestion(200), "ms", 10),
        ]
        return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
