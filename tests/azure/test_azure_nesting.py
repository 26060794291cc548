"""Pipelines within pipelines, written in place, are read by the SDK all the same."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest

from amlkit import Input, load_component, pipeline
from amlkit.azure.sdk import Sdk

PART = """type: command
name: part
code: ./src
command: echo ${{inputs.data}} > ${{outputs.out}}/x
environment: azureml:e@latest
inputs:
  data: {type: uri_folder}
outputs:
  out: {type: uri_folder}
"""


@pytest.fixture
def sdk():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("azure.ai.ml", reason="needs the extra `azure`")
    reader = Sdk.__new__(Sdk)
    reader.__dict__["client"] = SimpleNamespace()
    return reader


def test_a_pipeline_from_python_with_two_levels_is_read_by_the_sdk(sdk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts" / "src").mkdir(parents=True)
    (tmp_path / "parts" / "part.yml").write_text(PART)
    part = load_component("parts/part.yml")

    @pipeline
    def innermost(data: Input):
        return {"out": part(data=data).outputs.out}

    @pipeline
    def inner(data: Input):
        first = innermost(data=data)
        return {"out": part(data=first.outputs.out).outputs.out}

    @pipeline(default_compute="cpu", description="clothes 👗")
    def outer(data: Input):
        nested = inner(data=data)
        return {"out": nested.outputs.out}

    spec = outer(Input(path="azureml:d:1")).as_spec()
    job = sdk.load("job", spec, tmp_path)
    nested = job.jobs["nested"].component
    assert job.description == "clothes 👗"
    assert nested.type == "pipeline"
    assert list(nested.jobs) == ["first", "part"]
    deep = nested.jobs["first"].component.jobs["part"].component
    assert deep.command.startswith("echo")
    code = nested.jobs["part"].component
    assert (tmp_path / "parts" / "src").samefile(code.base_path / code.code)
    assert isinstance(spec["jobs"]["nested"]["component"], dict)
