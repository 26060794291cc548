"""`@pipeline`: what Python builds is what the YAML says, and runs as it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from amlkit import Input, Output, Workspace, load_component, pipeline, specs
from amlkit.errors import InvalidSpec, UsageError
from amlkit.services.pipelines.sources import load_job

ADD = """type: command
name: add
command: echo $(($(cat ${{inputs.file}}/n.txt) + ${{inputs.more}})) > ${{outputs.sum}}/n.txt
environment: {image: ubuntu}
inputs:
  file: {type: uri_folder}
  more: {type: integer, default: 1}
  scale: {type: number, optional: true}
outputs:
  sum: {type: uri_folder}
"""


@pytest.fixture
def add(tmp_path, monkeypatch):
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "add.yml").write_text(ADD)
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "n.txt").write_text("10")
    return load_component("parts/add.yml")


@pytest.fixture
def workspace(add):
    found = Workspace.open()
    yield found
    found.close()


def test_the_dict_is_that_of_the_yaml(add, tmp_path):
    @pipeline(default_compute="cpu", display_name="Sums", continue_on_step_failure=False)
    def sums(start: Input, more: int = 2):
        """Adds
        things up.

        And more.
        """
        first = add(file=start, more=more)
        second = add(file=first.outputs.sum)
        second.compute = "other"
        second.limits = {"timeout": 60}
        return {"total": second.outputs.sum}

    job = sums(start=Input(path="start"))
    written = yaml.safe_load("""
type: pipeline
display_name: Sums
description: Adds things up.
settings: {default_compute: 'azureml:cpu', continue_on_step_failure: false}
inputs:
  start: {type: uri_folder, path: ./start}
  more: 2
outputs:
  total: {type: uri_folder}
jobs:
  first:
    type: command
    component: ./parts/add.yml
    inputs: {file: '${{parent.inputs.start}}', more: '${{parent.inputs.more}}'}
  second:
    type: command
    component: ./parts/add.yml
    compute: azureml:other
    limits: {timeout: 60}
    inputs: {file: '${{parent.jobs.first.outputs.sum}}'}
    outputs: {sum: '${{parent.outputs.total}}'}
""")
    assert job.as_spec() == written
    (tmp_path / "elsewhere").mkdir()
    saved = job.save("elsewhere/sums.yml")
    assert specs.load(saved, kind="job.pipeline").document["jobs"]["first"]["component"] == (
        "../parts/add.yml"
    )


def test_a_pipeline_from_python_runs_and_its_outputs_are_read(add, workspace):
    @pipeline
    def twice(start, more: int):
        once = add(file=start, more=more)
        return {"sum": add(file=once.outputs.sum, more=more).outputs.sum}

    @pipeline(default_compute="cpu")
    def whole(start: Input(), steps=3):
        inner = twice(start=start, more=5)
        last = add(file=inner.outputs.sum, more=steps)
        last.name = "end"
        return {"total": last.outputs.sum}

    job = workspace.jobs.submit(whole(start=Path("start"), steps=7), current_python=True)
    done = workspace.jobs.wait(job.name, timeout_seconds=60)
    total = workspace.jobs.outputs(done.name)["total"]
    assert Path(total, "n.txt").read_text() == "27\n"
    names = {
        each.name.removeprefix(f"{job.name}-") for each in workspace.jobs.list(parent=job.name)
    }
    assert names == {"inner", "end"}


def test_nested_pipelines_are_saved_beside_their_pipeline(add, workspace, tmp_path):
    @pipeline
    def inner(start: Input, more: int):
        return {"sum": add(file=start, more=more).outputs.sum}

    @pipeline(default_compute="cpu")
    def outer(start: Input):
        one = inner(start=start, more=1)
        return {"sum": inner(start=one.outputs.sum, more=2).outputs.sum}

    (tmp_path / "saved").mkdir()
    job = outer(start=Input(path="start"))
    saved = job.save("saved/flow.yml")
    assert {each.name for each in saved.parent.iterdir()} == {
        "flow.yml",
        "flow.one.yml",
        "flow.inner.yml",
    }
    for source in (saved, job):
        done = workspace.jobs.submit(source, current_python=True)
        workspace.jobs.wait(done.name, timeout_seconds=60)
        assert Path(workspace.jobs.outputs(done.name)["sum"], "n.txt").read_text() == "13\n"


def test_registered_components_are_steps_too(add, workspace, tmp_path):
    stored = workspace.components.register("parts/add.yml")
    known = load_component("azureml:add@latest", workspace=workspace)
    unknown = load_component("azureml:add@latest")

    @pipeline(default_compute="cpu")
    def sums(start: Input):
        one = load_component(stored)(file=start)
        two = known(file=one.outputs.sum)
        three = unknown(file=two.outputs.sum, more=5)
        return {"total": three.outputs.sum}

    (tmp_path / "parts" / "add.yml").unlink()
    spec = sums(Input(path="start")).as_spec()
    assert [each["component"] for each in spec["jobs"].values()] == [
        "azureml:add:1",
        "azureml:add@latest",
        "azureml:add@latest",
    ]
    job = workspace.jobs.submit(spec, current_python=True)
    workspace.jobs.wait(job.name, timeout_seconds=60)
    total = workspace.jobs.outputs(job.name)["total"]
    assert Path(total, "n.txt").read_text() == "17\n"
    with pytest.raises(UsageError, match="has no input `fil`"):

        @pipeline
        def wrong():
            known(fil=1)

        wrong()


def test_steps_in_a_loop_get_names_of_their_own_and_choices_plain_values(add):
    @pipeline(default_compute="cpu", non_pipeline_inputs=["count", "extra"])
    def chain(start: Input, count: int, extra: bool = False):
        here = start
        for _ in range(count):
            here = add(file=here).outputs.sum
        if extra:
            BigStep = add(file=here)
            here = BigStep.outputs["sum"]
        return {"end": here}

    spec = chain(Input(path="azureml:d:1"), count=3, extra=True).as_spec()
    assert list(spec["jobs"]) == ["add", "add_1", "add_2", "bigstep"]
    assert "count" not in spec["inputs"]


def test_a_step_becomes_a_sweep(add):
    @pipeline(default_compute="cpu")
    def tuned(start: Input):
        trial = add(file=start, more=1).sweep(
            search_space={
                "more": "choice(1, 2)",
                "scale": {"type": "uniform", "min_value": 0, "max_value": 1},
            },
            primary_metric="m",
            goal="maximize",
            max_total_trials=2,
        )
        return {"best": trial.outputs.sum}

    loaded = load_job(tuned(Input(path="start")))
    step = loaded.document["jobs"]["trial"]
    assert (step["type"], step["trial"]) == ("sweep", "./parts/add.yml")
    assert step["search_space"]["more"] == {"type": "choice", "values": [1, 2]}
    assert "more" not in step["inputs"]


def test_an_output_keeps_what_is_said_of_it(add):
    @pipeline(default_compute="cpu")
    def sums(start: Input):
        one = add(file=start)
        one.outputs.sum = Output(name="sums", version="1")
        two = add(file=one.outputs.sum)
        two.outputs.sum = Output(path="azureml://datastores/workspaceblobstore/paths/x")
        return {"total": two.outputs.sum}

    spec = sums(Input(path="start")).as_spec()
    assert spec["jobs"]["one"]["outputs"]["sum"] == {
        "type": "uri_folder",
        "name": "sums",
        "version": "1",
    }
    assert spec["outputs"]["total"]["path"].endswith("/paths/x")


def _built(body):
    def run(add):
        @pipeline(default_compute="cpu")
        def sums(start: Input, n: int = 1):
            return body(add, start, n)

        return sums(Input(path="start"))

    return run


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (lambda add, start, n: add(fil=start), "has no input `fil`"),
        (lambda add, start, n: add(file=start).outputs.summ, "has no output `summ`"),
        (lambda add, start, n: add(file=start) if n else None, "has no value while"),
        (lambda add, start, n: None, "has no step"),
        (lambda add, start, n: add(file=start), "returned something else than outputs"),
        (lambda add, start, n: {"x": n} if add(file=start) else 0, "returned something else"),
    ],
)
def test_a_mistake_in_python_is_told_in_its_words(add, body, message):
    with pytest.raises(UsageError, match=message):
        _built(body)(add)


def test_a_value_that_yaml_has_not_is_refused(add):
    built = _built(lambda add, start, n: {"s": add(file=add(file=start)).outputs.sum})
    with pytest.raises(UsageError, match="step `add` is not an input"):
        built(add).as_spec()
    with pytest.raises(UsageError, match="a set cannot be an input"):
        _built(lambda add, start, n: {"s": add(file=start, more={1}).outputs.sum})(add).as_spec()
    with pytest.raises(UsageError, match="was called outside of a pipeline"):
        add(file=1)
    with pytest.raises(UsageError, match="is not a job"):
        load_job(3)


def test_problems_are_told_at_their_path_without_a_line_that_nobody_wrote(add):
    @pipeline
    def sums(start: Input):
        add(file=start, more="many")

    with pytest.raises(InvalidSpec) as caught:
        load_job(sums(Input(path="start")))
    told = {str(each) for each in caught.value.problems}
    assert '<pipeline sums>: jobs.add.inputs.more: expected an integer, got "many"' in told
    assert any("has no compute" in each for each in told)


def test_importing_amlkit_stays_light():
    code = "import sys, amlkit; print(len([m for m in sys.modules if m.startswith('amlkit')]), 'yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1 False\n"


AZURE = """
from azure.ai.ml import Input, load_component
from azure.ai.ml.dsl import pipeline
add = load_component("parts/add.yml")

@pipeline()
def inner(start: Input(type="uri_folder"), more: int = 4):
    once = add(file=start, more=more)
    return {"sum": once.outputs.sum}

@pipeline(default_compute="cpu")
def sums(start: Input(type="uri_folder"), more: int = 4):
    first = add(file=start, more=more)
    second = inner(start=first.outputs.sum)
    return {"total": second.outputs.sum}

from amlkit import Workspace
workspace = Workspace.open()
job = workspace.jobs.submit(sums(start=Input(type="uri_folder", path="start")), current_python=True)
workspace.jobs.wait(job.name, timeout_seconds=60)
print(open(workspace.jobs.outputs(job.name)["total"] + "/n.txt").read().strip())
"""


def test_a_pipeline_of_the_azure_sdk_is_accepted(add, tmp_path):
    pytest.importorskip("azure.ai.ml", reason="needs the extra `azure`")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", AZURE],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "AMLKIT_HOME": str(tmp_path / "home")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "18"
