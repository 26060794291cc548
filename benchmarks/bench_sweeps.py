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

SWEEP = """
type: sweep
trial: {command: python noop.py, code: ./src, environment: azureml:none@latest}
sampling_algorithm: random
search_space: {x: {type: uniform, min_value: 0, max_value: 1}}
objective: {goal: maximize, primary_metric: none}
limits: {max_total_trials: TRIALS, max_concurrent_trials: 2}
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
        within = megabytes <= 80
        label = "supervisor of 1,000 trials"
        print(f"{'ok  ' if within else 'OVER'} {label:<44} {megabytes:8.1f} MB  limit 80 MB")
        return 0 if all([*results, within]) else 1


if __name__ == "__main__":
    sys.exit(main())
