"""`job sweep` with flags: the sweep that is made of a command job, or of a sweep that is changed."""

from __future__ import annotations

import pytest
import yaml

from amlkit import specs
from amlkit.errors import Conflict, InvalidSpec, UsageError
from amlkit.services.submissions import prepare_sweep

COMMAND = """
type: command
command: >-
  python main.py --lr ${{ inputs.lr }} --again ${{inputs.lr}} --name ${{inputs.name}}
code: ./src
environment: {image: x, conda_file: conda.yml}
environment_variables: {BATCH: "${{inputs.batch}}"}
inputs:
  lr: 0.1
  batch: 16
  name: x
  data: {type: uri_folder, path: ./data}
  asset: {type: uri_folder, path: "azureml:digits:1"}
compute: azureml:gpu
limits: {timeout: 60}
outputs: {model: {type: uri_folder}}
"""
SWEEP = """
type: sweep
trial: {command: "echo ${{search_space.x}}", environment: "azureml:e:1"}
sampling_algorithm: {type: random, seed: 1}
search_space: {x: {type: uniform, min_value: 0, max_value: 1}}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 9, max_concurrent_trials: 3}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    for each in ("src", "data"):
        (tmp_path / each).mkdir()
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11]\n", encoding="utf-8")
    (tmp_path / "train.yml").write_text(COMMAND, encoding="utf-8")
    (tmp_path / "sweep.yml").write_text(SWEEP, encoding="utf-8")
    return tmp_path


def of_command(**flags):
    space = {"lr": "loguniform(-6,-1)", "batch": "choice(16,32,64)"}
    given = {"parameters": space, "metric": "accuracy", **flags}
    return prepare_sweep("train.yml", **given).spec.document


def of_sweep(**flags):
    return prepare_sweep("sweep.yml", **flags).spec.document


def test_inputs_that_are_searched_are_bound_to_the_search_space_however_they_are_written(folder):
    made = of_command()
    assert made["trial"]["command"] == (
        "python main.py --lr ${{search_space.lr}} --again ${{search_space.lr}}"
        " --name ${{inputs.name}}"
    )
    assert made["trial"]["environment_variables"] == {"BATCH": "${{search_space.batch}}"}
    assert set(made["inputs"]) == {"name", "data", "asset"}
    assert made["objective"] == {"goal": "maximize", "primary_metric": "accuracy"}
    assert made["limits"]["trial_timeout"] == 60
    assert made["compute"] == "azureml:gpu"
    assert made["outputs"] == {"model": {"type": "uri_folder"}}


def test_every_flag_is_in_the_sweep_that_is_made(folder):
    made = of_command(
        goal="minimize",
        sampling="random",
        max_trials=7,
        concurrency=4,
        early_stop="bandit(slack_factor=0.1, evaluation_interval=2)",
        seed=3,
    )
    assert made["objective"]["goal"] == "minimize"
    assert made["sampling_algorithm"] == {"type": "random", "seed": 3}
    assert made["limits"]["max_total_trials"] == 7
    assert made["limits"]["max_concurrent_trials"] == 4
    policy = {"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 2}
    assert made["early_termination"] == policy


def test_sobol_is_a_rule_of_random_sampling(folder):
    assert of_command(sampling="sobol")["sampling_algorithm"] == {"type": "random", "rule": "sobol"}


def test_flags_change_what_they_name_of_a_sweep_and_nothing_else(folder):
    before = yaml.safe_load(SWEEP)
    assert of_sweep() == before
    assert of_sweep(goal="maximize")["objective"] == {"goal": "maximize", "primary_metric": "loss"}
    assert of_sweep(metric="auc")["objective"] == {"goal": "minimize", "primary_metric": "auc"}
    assert of_sweep(max_trials=2)["limits"] == {"max_total_trials": 2, "max_concurrent_trials": 2}
    assert of_sweep(seed=5)["sampling_algorithm"] == {"type": "random", "seed": 5}
    assert set(of_sweep(parameters={"x": "choice(1,2)"})["search_space"]) == {"x"}


def test_a_saved_sweep_means_the_same_from_another_folder_and_can_be_saved_twice(folder):
    target = folder / "elsewhere" / "tuned.yml"
    target.parent.mkdir()
    made = of_command(save_as=target)
    of_command(save_as=target)
    saved = specs.load(target, kind="job.sweep")
    assert saved.document["trial"]["code"] == "../src"
    assert saved.document["trial"]["environment"]["conda_file"] == "../conda.yml"
    assert saved.document["inputs"]["data"]["path"] == "../data"
    assert saved.document["inputs"]["asset"]["path"] == "azureml:digits:1"
    assert saved.document["search_space"] == made["search_space"]
    with pytest.raises(Conflict):
        of_command(save_as=target, max_trials=3)


def test_a_sweep_saved_beside_its_job_keeps_its_paths(folder):
    of_command(save_as=folder / "tuned.yml")
    assert specs.load(folder / "tuned.yml").document["trial"]["code"] == "./src"


@pytest.mark.parametrize(
    ("flags", "said", "hint"),
    [
        ({"goal": "maximise"}, "--goal", "maximize"),
        ({"sampling": "bayes"}, "--sampling", "bayesian"),
        ({"early_stop": "bandid()"}, "bandid", "bandit"),
        ({"parameters": {"lr": "loguniform(-6)"}}, "max_value", "loguniform(min_value, max_value)"),
        ({"parameters": {"momentum": "uniform(0,1)"}}, "momentum", "${{search_space.momentum}}"),
        ({"sampling": "bayesian", "seed": 1}, "no seed", "--seed"),
        ({"metric": None}, "a search space and a metric", "--metric"),
    ],
)
def test_a_flag_that_means_nothing_is_refused_with_a_way_out(folder, flags, said, hint):
    with pytest.raises(UsageError) as refused:
        of_command(**flags)
    assert said in refused.value.message
    assert hint in str(refused.value.hint)


def test_bayesian_sampling_with_early_termination_runs_here_and_says_that_azure_has_it_not(folder):
    made = prepare_sweep(
        "train.yml",
        parameters={"lr": "loguniform(-6,-1)"},
        metric="accuracy",
        sampling="bayesian",
        early_stop="median_stopping(delay_evaluation=3)",
    ).spec
    assert made.document["sampling_algorithm"] == "bayesian"
    assert made.document["early_termination"] == {"type": "median_stopping", "delay_evaluation": 3}
    assert [each.severity for each in made.warnings] == ["warning"]


def test_what_flags_break_is_told_without_a_line_of_the_file(folder):
    made = prepare_sweep("sweep.yml", concurrency=20).spec
    assert [(each.path, each.line) for each in made.warnings] == [
        ("limits.max_concurrent_trials", 0)
    ]
    with pytest.raises(InvalidSpec) as refused:
        of_sweep(parameters={"x": "uniform(1,0)"})
    assert str(refused.value).startswith("sweep.yml: search_space.x")


def test_a_value_for_an_input_that_nothing_uses_is_told(folder):
    told = of_command_warnings(overrides=["inputs.btach=3"])
    assert told == [
        ("inputs.btach", "the command does not use the input `btach`", "did you mean `batch`?")
    ]
    assert of_command_warnings(overrides=["inputs.name=y"]) == []


def of_command_warnings(**given):
    loaded = specs.load("train.yml", kind="job", **given)
    return [(each.path, each.message, each.hint) for each in loaded.warnings]
