"""Pipelines: steps, their components in files of their own, and what flows between them."""

from __future__ import annotations

import pytest

from amlkit import specs
from amlkit.errors import InvalidSpec

COMPONENT = """type: command
name: train
command: train ${{inputs.data}} ${{inputs.rate}} $[[${{inputs.seed}}]] ${{outputs.model}}
environment: azureml:e@latest
inputs:
  data: {type: uri_folder}
  rate: {type: number, min: 0, max: 1}
  seed: {type: integer, optional: true}
outputs:
  model: {type: uri_folder}
"""
PIPELINE = """type: pipeline
settings: {default_compute: azureml:c}
inputs:
  digits: {type: uri_folder, path: azureml:digits@latest}
  rate: 0.1
outputs:
  model: {type: uri_folder}
jobs:
  train:
    component: ./train.yml
    inputs: {data: '${{parent.inputs.digits}}', rate: '${{parent.inputs.rate}}'}
    outputs: {model: '${{parent.outputs.model}}'}
  again:
    type: command
    component: file:./train.yml
    inputs: {data: '${{parent.jobs.train.outputs.model}}', rate: 0.5}
"""


@pytest.fixture
def problems(tmp_path):
    def found(pipeline: str, component: str = COMPONENT, **more: object) -> set[tuple[str, str]]:
        (tmp_path / "train.yml").write_text(component)
        (tmp_path / "pipeline.yml").write_text(pipeline)
        try:
            loaded = specs.load(tmp_path / "pipeline.yml", **more)
        except InvalidSpec as error:
            return {(each.path, each.code) for each in error.problems}
        return {(each.path, each.code) for each in loaded.warnings}

    return found


def test_a_good_pipeline_has_no_problem(problems):
    assert problems(PIPELINE) == set()


@pytest.mark.parametrize(
    ("written", "instead", "path", "code"),
    [
        ("parent.inputs.rate}", "parent.inputs.rat}", "jobs.train.inputs.rate", "undefined-name"),
        (
            "jobs.train.outputs.model",
            "jobs.trian.outputs.model",
            "jobs.again.inputs.data",
            "undefined-name",
        ),
        (
            "jobs.train.outputs.model",
            "jobs.train.outputs.modle",
            "jobs.again.inputs.data",
            "undefined-name",
        ),
        ("jobs.train.outputs.model", "jobs.again.outputs.model", "jobs.again.inputs.data", "cycle"),
        ("parent.inputs.digits", "parent.jobs.again.outputs.model", "jobs.train", "cycle"),
        ("parent.inputs.digits", "inputs.digits", "jobs.train.inputs.data", "scope"),
        ("rate: 0.5", "rate: 7", "jobs.again.inputs.rate", "type-mismatch"),
        ("rate: 0.5", "rate: fast", "jobs.again.inputs.rate", "type-mismatch"),
        ("rate: 0.5", "rate: 0.5, sede: 1", "jobs.again.inputs.sede", "unknown-input"),
        (", rate: 0.5", "", "jobs.again.inputs.rate", "missing-input"),
        ("rate: 0.5", "rate: ", "jobs.again.inputs.rate", "empty"),
        (
            "'${{parent.inputs.rate}}'",
            "'${{parent.inputs.digits}}'",
            "jobs.train.inputs.rate",
            "type-mismatch",
        ),
        ("file:./train.yml", "./nothing.yml", "jobs.again.component", "missing-component"),
        ("  again:", "  Again:", "jobs.Again", "name"),
        ("type: command", "type: comand", "jobs.again.type", "unknown-word"),
        ("settings: {default_compute: azureml:c}", "", "jobs.train", "compute"),
        ("azureml:c}", "local}", "settings.default_compute", "reference"),
    ],
)
def test_what_cannot_work_is_told_at_its_place(problems, written, instead, path, code):
    assert written in PIPELINE
    assert (path, code) in problems(PIPELINE.replace(written, instead))


def test_lenient_makes_warnings_of_what_azure_tolerates(problems, tmp_path):
    text = PIPELINE.replace("rate: 0.5", "rate: 7, zzz: 1").replace(
        "  again:\n", "  again:\n    cmpute: x\n"
    )
    found = problems(text, lenient=True)
    assert {code for _, code in found} == {"type-mismatch", "unknown-input", "unknown-field"}
    assert {
        each.severity for each in specs.load(tmp_path / "pipeline.yml", lenient=True).warnings
    } == {"warning"}


def test_a_mistyped_setting_is_an_error_and_lenient_a_warning(problems, tmp_path):
    text = PIPELINE.replace("{default_compute", "{default_datestore: x, default_compute")
    assert problems(text) == {("settings.default_datestore", "unknown-field")}
    warned = specs.load(tmp_path / "pipeline.yml", lenient=True).warnings
    assert [(each.line, each.hint) for each in warned] == [(2, "did you mean `default_datastore`?")]


def test_problems_of_a_component_are_told_in_its_own_file_once(tmp_path, problems):
    problems(PIPELINE, COMPONENT.replace("inputs.rate", "inputs.rte"))
    with pytest.raises(InvalidSpec) as caught:
        specs.load(tmp_path / "pipeline.yml")
    assert [
        (each.file.rsplit("/", 1)[-1], each.line, each.path) for each in caught.value.problems
    ] == [("train.yml", 3, "command")]


def test_a_component_that_contains_itself_is_refused_not_followed(tmp_path):
    (tmp_path / "loop.yml").write_text(
        "type: pipeline\nname: loop\nversion: 1\njobs:\n  a: {type: pipeline, component: ./loop.yml}\n"
    )
    with pytest.raises(InvalidSpec) as caught:
        specs.load(tmp_path / "loop.yml", kind="component")
    assert {each.code for each in caught.value.problems} == {"cycle"}


def test_an_inline_component_and_an_inline_command_are_checked(problems):
    step = (
        "jobs:\n  a: {type: command, environment: 'azureml:e@latest', command: 'x ${{inputs.y}}'}\n"
    )
    inner = "jobs:\n  a:\n    component: {type: command, environment: 'azureml:e@latest', command: 'x ${{inputs.y}}'}\n"
    head = "type: pipeline\ncompute: azureml:c\n"
    assert problems(head + step) == {("jobs.a.command", "undefined-name")}
    assert problems(head + inner) == {("jobs.a.component.command", "undefined-name")}


def test_the_search_space_of_a_sweep_step_gives_inputs_and_is_checked(problems):
    step = """type: pipeline
compute: azureml:c
jobs:
  tune:
    type: sweep
    trial: ./train.yml
    inputs: {data: {type: uri_folder, path: azureml:d:1}}
    search_space: {rate: {type: uniform, min_value: LOW, max_value: 1}}
    objective: {goal: maximize, primary_metric: m}
    limits: {max_total_trials: 2}
"""
    assert problems(step.replace("LOW", "0")) == set()
    assert problems(step.replace("LOW", "2")) == {("jobs.tune.search_space.rate", "range")}


def test_odd_steps_get_problems_and_never_anything_else(problems):
    head = "type: pipeline\ncompute: azureml:c\njobs:\n  a: "
    for odd in ("3", "[]", "{inputs: x}", "{type: []}", "{component: 3}", "{component: {}}", "{}"):
        assert problems(head + odd + "\n"), odd
