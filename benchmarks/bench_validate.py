"""Validating: a 300-line pipeline, and 500 files in one call."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from run import report, seconds

AMLKIT = str(Path(sys.executable).parent / "amlkit")
FILES = 500
STEP = """  step_{n}:
    type: command
    command: python step.py ${{{{inputs.data}}}} ${{{{outputs.out}}}}
    code: ./src
    environment: azureml:base@latest
    inputs:
      data: {bound}
    outputs:
      out: {{type: uri_folder}}
"""
JOB = """type: command
command: python train.py --lr ${{inputs.lr}} --out ${{outputs.model}}
code: ./src
environment: azureml:base@latest
compute: azureml:cpu
inputs: {lr: 0.1}
outputs: {model: {type: uri_folder}}
"""


def pipeline(lines: int) -> str:
    """Return a pipeline of about so many lines."""
    text = "type: pipeline\nsettings: {default_compute: azureml:cpu}\njobs:\n"
    for number in range(lines // 9):
        bound = f"${{{{parent.jobs.step_{number - 1}.outputs.out}}}}" if number else "text"
        text += STEP.format(n=number, bound=bound)
    return text


def main() -> int:
    """Print each figure; return 1 when one is over its limit."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(AMLKIT_HOME=f"{folder}/home", NO_COLOR="1")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.chdir(folder)
        Path("src").mkdir()
        Path("pipeline.yml").write_text(pipeline(300), encoding="utf-8")
        names = [f"job-{number}.yml" for number in range(FILES)]
        for number, name in enumerate(names):
            Path(name).write_text(JOB + f"description: number {number}\n", encoding="utf-8")
        listed = seconds([AMLKIT, "data", "list"])
        took = seconds([AMLKIT, "validate", "pipeline.yml"])
        results = [report("validate 300 lines / data list", took, listed, 3.0)]
        one = seconds([AMLKIT, "validate", names[0]], 5)
        many = seconds([AMLKIT, "validate", *names], 5)
        rate = FILES / (many - one)
        within = rate >= 300
        print(
            f"{'ok  ' if within else 'OVER'} 500 files after start-up: {rate:.0f} files/s (>= 300)"
        )
        return 0 if all([*results, within]) else 1


if __name__ == "__main__":
    sys.exit(main())
