"""Registered components as steps, from a folder that has none of their files."""

from __future__ import annotations

import json
import shutil

import pytest

FILES = {
    "scale.yml": """type: command
name: scale
code: ./src
command: python scale.py ${{inputs.numbers}} ${{inputs.factor}} ${{outputs.scaled}}
environment: file:./env.yml
additional_includes: [./shared]
inputs:
  numbers: {type: uri_folder}
  factor: {type: integer, default: 2}
outputs:
  scaled: {type: uri_folder}
""",
    "total.yml": """type: parallel
name: total
inputs:
  numbers: {type: uri_folder}
outputs:
  rows: {type: uri_file}
input_data: ${{inputs.numbers}}
mini_batch_size: "2"
max_concurrency_per_instance: 2
task:
  type: run_function
  code: ./batch
  entry_script: total.py
  environment: file:./env.yml
  program_arguments: --plus 100
  append_row_to: ${{outputs.rows}}
""",
    "flow.yml": """type: pipeline
name: flow
inputs:
  numbers: {type: uri_folder}
  factor: {type: integer, default: 3}
outputs:
  rows: {type: uri_file}
jobs:
  scale:
    type: command
    component: ./scale.yml
    inputs: {numbers: '${{parent.inputs.numbers}}', factor: '${{parent.inputs.factor}}'}
  total:
    type: parallel
    component: ./total.yml
    inputs: {numbers: '${{parent.jobs.scale.outputs.scaled}}'}
    outputs: {rows: '${{parent.outputs.rows}}'}
""",
    "env.yml": "image: ubuntu\n",
    "src/scale.py": """import sys
from pathlib import Path
sys.path.insert(0, "shared")
from times import times
for file in Path(sys.argv[1]).iterdir():
    Path(sys.argv[3], file.name).write_text(str(times(int(file.read_text()), int(sys.argv[2]))))
""",
    "shared/times.py": "def times(a, b): return a * b\n",
    "batch/total.py": """import argparse
def init():
    global plus
    parser = argparse.ArgumentParser()
    parser.add_argument("--plus", type=int)
    plus = parser.parse_known_args()[0].plus
def run(mini_batch): return [plus + int(open(file).read()) for file in mini_batch]
""",
}


@pytest.fixture
def registered(tmp_path, amlkit):
    """Components whose project has been deleted, and data in another folder."""
    project = tmp_path / "project"
    for name, text in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    done = amlkit("component", "register", "flow.yml", "scale.yml", "total.yml", cwd=project)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(project)
    other = tmp_path / "other"
    (other / "numbers").mkdir(parents=True)
    for n in range(5):
        (other / "numbers" / f"{n}.txt").write_text(str(n))
    return other


def submit(amlkit, folder, steps, name):
    head = "type: pipeline\nsettings: {default_compute: azureml:local}\njobs:\n"
    (folder / "use.yml").write_text(head + steps)
    arguments = ["job", "submit", "use.yml", "--current-python", "--wait", "--name", name]
    done = amlkit(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr


def rows(amlkit, folder, step, output):
    done = amlkit("job", "download", step, "--output-name", output, "-p", "got", cwd=folder)
    assert done.returncode == 0, done.stderr
    return [
        line
        for file in sorted((folder / "got").rglob("*"))
        if file.is_file()
        for line in file.read_text().split()
    ]


def test_a_pipeline_component_runs_with_all_its_parts(registered, amlkit):
    steps = """  all:
    type: pipeline
    component: azureml:flow@latest
    inputs: {numbers: {type: uri_folder, path: ./numbers}, factor: 10}
"""
    submit(amlkit, registered, steps, "j")
    assert rows(amlkit, registered, "j/all/total", "rows") == ["100", "110", "120", "130", "140"]


def test_command_and_parallel_components_are_steps_of_another_pipeline(registered, amlkit):
    steps = """  twice:
    type: command
    component: azureml:scale:1
    inputs: {numbers: {type: uri_folder, path: ./numbers}}
  sums:
    type: parallel
    component: azureml:total@latest
    inputs: {numbers: '${{parent.jobs.twice.outputs.scaled}}'}
"""
    submit(amlkit, registered, steps, "j")
    assert rows(amlkit, registered, "j/sums", "rows") == ["100", "102", "104", "106", "108"]


def test_a_registered_component_is_swept(registered, amlkit):
    steps = """  tune:
    type: sweep
    trial: azureml:scale@latest
    inputs: {numbers: {type: uri_folder, path: ./numbers}}
    search_space: {factor: {type: choice, values: [2, 3]}}
    sampling_algorithm: grid
    objective: {goal: maximize, primary_metric: m}
    limits: {max_total_trials: 2}
"""
    (registered / "use.yml").write_text(
        "type: pipeline\nsettings: {default_compute: azureml:local}\njobs:\n" + steps
    )
    arguments = ["job", "submit", "use.yml", "--current-python", "--wait", "--name", "j"]
    amlkit(*arguments, cwd=registered)
    trials = json.loads(amlkit("job", "list", "--parent", "j-tune").stdout)
    assert {each["parameters"]["factor"] for each in trials} == {2, 3}
    assert {each["status"] for each in trials} == {"Completed"}
