"""What the SDK asks, operation by operation: an alarm for new versions of it.

`request_shapes.json` holds what azure-ai-ml 1.35 asked when its requests were recorded in the SDK
itself; a newer SDK that asks otherwise fails here first.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

pytest.importorskip("azure.ai.ml")

import request_shapes

HERE = Path(__file__).parent
TRACES = HERE.parents[1] / ".." / "shared" / "azure-wire" / "traces"
EXPECTED = json.loads((HERE / "request_shapes.json").read_text())


@pytest.mark.slow
def test_the_sdk_asks_what_it_asked_when_it_was_recorded(emulator, tmp_path):
    record = tmp_path / "requests.jsonl"
    done = emulator.python(HERE / "sdk_operations.py", record, tmp_path / "work", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in record.read_text().splitlines()]

    found = {
        name: request_shapes.distinct(map(request_shapes.of_recorded, lines[first:last]))
        for name, (first, last) in json.loads(done.stdout).items()
    }

    changed = [
        f"{name}: {sign} {shape}"
        for name, shapes in found.items()
        for sign, some, others in (
            ("now", shapes, EXPECTED[name]),
            ("before", EXPECTED[name], shapes),
        )
        for shape in some
        if shape not in others
    ]
    assert not changed, "\n".join([f"azure-ai-ml {version('azure-ai-ml')}", *changed])
    assert all(line["status"] < 500 for line in lines)


@pytest.mark.skipif(not TRACES.is_dir(), reason="the recorded traces are not here")
def test_what_is_expected_is_what_was_recorded():
    for name, shapes in EXPECTED.items():
        assert request_shapes.in_file(TRACES / f"{name}.json") == shapes, name


STEP = """
type: command
name: {name}
command: python run.py ${{{{inputs.data}}}} ${{{{outputs.out}}}}
code: ./src
environment: azureml:e:1
inputs: {{data: {{type: uri_folder}}}}
outputs: {{out: {{type: uri_folder}}}}
"""
PIPELINE = """
type: pipeline
settings: {default_compute: azureml:cpu}
inputs: {raw: {type: uri_folder, path: ./raw}}
jobs:
  a: {type: command, component: ./a.yml, inputs: {data: "${{parent.inputs.raw}}"}}
  b: {type: command, component: ./b.yml, inputs: {data: "${{parent.jobs.a.outputs.out}}"}}
  c: {type: command, component: ./c.yml, inputs: {data: "${{parent.jobs.b.outputs.out}}"}}
"""


@pytest.mark.slow
def test_a_pipeline_of_three_steps_is_submitted_in_few_requests(emulator, remote, tmp_path):
    for name in ("src", "raw"):
        (tmp_path / name).mkdir()
    copy = "import shutil, sys; shutil.copytree(*sys.argv[1:], dirs_exist_ok=True)"
    (tmp_path / "src" / "run.py").write_text(copy)
    (tmp_path / "raw" / "a.csv").write_text("1")
    for name in "abc":
        (tmp_path / f"{name}.yml").write_text(STEP.format(name=name))
    (tmp_path / "p.yml").write_text(PIPELINE)
    (tmp_path / "e.yml").write_text("name: e\nversion: '1'\nimage: ubuntu\n")
    assert remote("env", "create", "-f", "e.yml").returncode == 0

    counts = []
    for _ in range(2):
        before = len(emulator.requests())
        done = remote("job", "submit", "p.yml", "-o", "name")
        assert done.returncode == 0, done.stderr
        counts.append(len(emulator.requests()) - before)
        assert remote("job", "wait", done.stdout.strip()).returncode == 0

    # The SDK alone makes 20 the first time.
    assert counts == [15, 11]
