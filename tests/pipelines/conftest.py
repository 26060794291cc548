"""A pipeline of real processes: every step appends to a file what it is and what it was given."""

from __future__ import annotations

import json

import pytest
import yaml

STEP = """
import pathlib, sys
name, out, *inputs = sys.argv[1:]
print("this is", name)
given = [(pathlib.Path(each) / "data.txt").read_text() if "/" in each else each for each in inputs]
(pathlib.Path(out) / "data.txt").write_text(f"{name}({','.join(given)})")
"""


def step(name, *inputs, code="./src", command=None, **more):
    """Return a command step that writes NAME(its inputs) to its output `out`."""
    given = {f"i{number}": each for number, each in enumerate(inputs)}
    words = " ".join(f"${{{{inputs.{key}}}}}" for key in given)
    return {
        "type": "command",
        "code": code,
        "command": command or f"python step.py {name} ${{{{outputs.out}}}} {words}",
        "environment": "azureml:none@latest",
        "inputs": given,
        "outputs": {"out": {"type": "uri_folder"}},
        **more,
    }


def out(name, port="out"):
    """Return the binding to another step's output."""
    return f"${{{{parent.jobs.{name}.outputs.{port}}}}}"


class Pipelines:
    """Writes pipelines and runs them through the executable, in this Python."""

    def __init__(self, amlkit, folder):
        self.amlkit = amlkit
        self.folder = folder
        (folder / "src").mkdir()
        (folder / "src" / "step.py").write_text(STEP, encoding="utf-8")

    def write(self, jobs, file="pipeline.yml", **more):
        spec = {
            "type": "pipeline",
            "settings": {"default_compute": "azureml:cpu", **more.pop("settings", {})},
            **more,
            "jobs": jobs,
        }
        (self.folder / file).write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")

    def submit(self, name, *options, file="pipeline.yml", **more):
        return self.amlkit(
            "job", "submit", file, "--name", name, "--current-python", *options, **more
        )

    def run(self, name, *options, **more):
        """Submit, wait, and return the job as JSON."""
        done = self.submit(name, "--wait", *options, **more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def show(self, name):
        return json.loads(self.amlkit("job", "show", name).stdout)

    def text(self, job, port="out"):
        """Return what a job wrote to one of its outputs."""
        target = self.folder / f"got-{job.replace('/', '-')}"
        done = self.amlkit("job", "download", job, "--output-name", port, "--download-path", target)
        assert done.returncode == 0, done.stderr
        return (target / "named-outputs" / port / "data.txt").read_text(encoding="utf-8")


@pytest.fixture
def pipelines(amlkit, tmp_path):
    return Pipelines(amlkit, tmp_path)
