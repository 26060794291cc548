"""Pipelines: three steps that pass a folder, the same again from the cache, and 200 steps."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from run import report, seconds

STEP = """
import pathlib, sys
out, *inputs = sys.argv[1:]
text = "".join((pathlib.Path(each) / "data.txt").read_text() for each in inputs)
pathlib.Path(out).mkdir(parents=True, exist_ok=True)
(pathlib.Path(out) / "data.txt").write_text(text + "x")
"""
AMLKIT = str(Path(sys.executable).parent / "amlkit")


def pipeline(count: int, salt: str) -> str:
    """Return a chain of steps; a salt makes every run a new one."""
    jobs = {}
    for number in range(count):
        given = {"data": f"${{{{parent.jobs.s{number - 1}.outputs.out}}}}"} if number else {}
        bound = " ${{inputs.data}}" if given else ""
        jobs[f"s{number}"] = {
            "type": "command",
            "code": "./src",
            "command": f"python step.py ${{{{outputs.out}}}}{bound} # {salt}",
            "environment": "azureml:none@latest",
            "inputs": given,
            "outputs": {"out": {"type": "uri_folder"}},
        }
    return json.dumps(
        {"type": "pipeline", "settings": {"default_compute": "azureml:x"}, "jobs": jobs}
    )


def submitted(count: int, salt: str, remark: str = "") -> float:
    """Return the seconds that a pipeline takes from submission to its end.

    salt, remark: make the spec, or the code, one that has never been run.
    """
    Path("pipeline.yml").write_text(pipeline(count, salt), encoding="utf-8")
    Path("src/step.py").write_text(f"{STEP}# {remark}\n", encoding="utf-8")
    command = [AMLKIT, "job", "submit", "pipeline.yml", "--current-python", "--wait", "-o", "none"]
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


def bare(salt: str) -> float:
    """Return the seconds of the three processes alone."""
    started = time.perf_counter()
    for number in range(3):
        inputs = [f"bare-{salt}-{number - 1}"] if number else []
        command = [sys.executable, "src/step.py", f"bare-{salt}-{number}", *inputs]
        subprocess.run(command, check=True)
    return time.perf_counter() - started


def main() -> int:
    """Print each figure; return 1 when one is over its limit."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(AMLKIT_HOME=f"{folder}/home", NO_COLOR="1")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.chdir(folder)
        Path("src").mkdir()
        submitted(3, "warm")
        rounds = []
        for n in range(9):
            new_spec, new_code = submitted(3, f"{n}"), submitted(3, f"{n}", remark=f"{n}")
            rounds.append((bare(f"{n}"), new_spec, new_code))
        floor, new_spec, new_code = (statistics.median(each) for each in zip(*rounds, strict=True))
        results = [
            report("3 steps, code changed / the bare processes", new_code, floor, 4.0),
            report("3 steps, spec changed / the bare processes", new_spec, floor, 6.0),
        ]
        command = [AMLKIT, "job", "submit", "pipeline.yml", "--current-python", "--wait"]
        listed = seconds([AMLKIT, "data", "list"])
        results.append(report("3 cached steps / data list", seconds(command), listed, 2.0))
        small, large = submitted(20, "small"), submitted(200, "large")
        results.append(report("a step of 200 / a step of 20", large / 200, small / 20, 1.2))
        return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
