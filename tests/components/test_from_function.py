"""`amlkit component from-function`: the generated component is checked, run and registered."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml

TRAIN = '''"""Trains."""
from __future__ import annotations
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Optional
import helper

if TYPE_CHECKING:
    from amlkit import Input as In, Output

def train(
    data: In,
    labels: In(type="uri_file", description="One a line."),
    model: Output,
    report: Output(type="uri_file"),
    epochs: int,
    rate: float = 1e-3,
    shuffle: bool = True,
    solver: Literal["adam", "sgd"] = "adam",
    note: Optional[str] = None,
    extra: "In | None" = None,
    *,
    seed: int = 7,
):
    """Trains a model
    on digits.

    More words.
    """
    found = {key: value for key, value in locals().items()}
    Path(model, "model.json").write_text(json.dumps(found))
    Path(report).write_text(helper.NAME)
'''


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src" / "train.py").write_text(TRAIN)
    (root / "src" / "helper.py").write_text("NAME = 'helper'\n")
    (root / "data").mkdir()
    (root / "labels.txt").write_text("1\n")
    return root


@pytest.fixture
def generate(amlkit, project):
    def run(*arguments, code=0):
        done = amlkit("component", "from-function", *arguments, cwd=project)
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ([], "src"),
        (["-O", "components"], "components"),
        (["-O", "src/components"], "src/components"),
        (["-O", "."], "."),
    ],
)
def test_the_component_validates_and_the_entry_runs_by_hand(
    generate, amlkit, project, tmp_path, arguments, place
):
    made = json.loads(generate("src/train.py:train", *arguments))
    assert amlkit("validate", made["path"], cwd=project).returncode == 0
    out = tmp_path / "out" / "deep"
    places = ["--model", out, "--report", out / "sub" / "r.txt"]
    given = ["--data", "data", "--labels", "labels.txt", "--epochs", "32.0", "--shuffle", "False"]
    subprocess.run([sys.executable, made["entry"], *places, *given], cwd=project, check=True)
    found = json.loads((out / "model.json").read_text())
    assert (found["epochs"], found["rate"], found["shuffle"]) == (32, 0.001, False)
    assert (found["solver"], found["note"], found["extra"], found["seed"]) == (
        "adam",
        None,
        None,
        7,
    )
    assert (out / "sub" / "r.txt").read_text() == "helper"


@pytest.mark.parametrize("arguments", [[], ["-O", "components"], ["-O", "src/parts"], ["-O", "."]])
def test_the_component_runs_as_a_step_of_a_pipeline(generate, amlkit, project, arguments):
    path = json.loads(generate("src/train.py:train", *arguments))["path"]
    (project / "flow.yml").write_text(
        "type: pipeline\nsettings: {default_compute: azureml:local}\njobs:\n  train:\n"
        f"    type: command\n    component: ./{path}\n    inputs:\n"
        "      data: {type: uri_folder, path: ./data}\n"
        "      labels: {type: uri_file, path: ./labels.txt}\n"
        '      epochs: 3\n      note: it\'s "quoted"\n      solver: sgd\n'
    )
    done = amlkit(
        "job", "submit", "flow.yml", "--current-python", "--stream", "--name", "f", cwd=project
    )
    assert done.returncode == 0, done.stdout + done.stderr
    got = amlkit("job", "download", "f-train", "-p", "got", "--output-name", "model", cwd=project)
    assert got.returncode == 0, got.stderr
    (written,) = (project / "got").rglob("model.json")
    found = json.loads(written.read_text())
    assert (found["epochs"], found["note"], found["solver"]) == (3, 'it\'s "quoted"', "sgd")


def test_inputs_and_outputs_have_the_types_of_the_function(generate, project):
    generate("src/train.py:train")
    spec = yaml.safe_load((project / "src" / "train.yml").read_text())
    assert spec["inputs"] == {
        "data": {"type": "uri_folder"},
        "labels": {"type": "uri_file", "description": "One a line."},
        "epochs": {"type": "integer"},
        "rate": {"type": "number", "optional": True, "default": 0.001},
        "shuffle": {"type": "boolean", "optional": True, "default": True},
        "solver": {"type": "string", "enum": ["adam", "sgd"], "optional": True, "default": "adam"},
        "note": {"type": "string", "optional": True},
        "extra": {"type": "uri_folder", "optional": True},
        "seed": {"type": "integer", "optional": True, "default": 7},
    }
    assert spec["outputs"] == {"model": {"type": "uri_folder"}, "report": {"type": "uri_file"}}
    assert spec["description"] == "Trains a model on digits."
    assert "$[[--rate=${{inputs.rate}}]]" in spec["command"]


def test_what_is_generated_can_be_registered_and_made_again(generate, amlkit, project):
    path = generate("src/train.py:train", "-O", "parts", "-o", "name").strip()
    done = amlkit("component", "register", path, "-o", "name", cwd=project)
    assert (done.stdout, done.stderr) == ("train:1\n", "")
    generate("src/train.py:train", "-O", "parts")
    assert amlkit("component", "register", path, "-o", "name", cwd=project).stdout == "train:1\n"
    (project / "src" / "helper.py").write_text("NAME = 'other'\n")
    assert amlkit("component", "register", path, "-o", "name", cwd=project).stdout == "train:2\n"


def test_the_conda_file_of_the_project_is_found(generate, project):
    (project / "src" / "environment.yml").write_text("dependencies: [python=3.11]\n")
    generate("src/train.py:train", "-O", "parts")
    spec = yaml.safe_load((project / "parts" / "train.yml").read_text())
    assert spec["environment"]["conda_file"] == "../src/environment.yml"
    generate("src/train.py:train", "-O", "parts", "--environment", "azureml:e@latest")
    spec = yaml.safe_load((project / "parts" / "train.yml").read_text())
    assert spec["environment"] == "azureml:e@latest"


def test_a_dry_run_writes_nothing(generate, project):
    planned = json.loads(generate("src/train.py:train", "--dry-run"))
    assert planned["spec"]["name"] == "train"
    assert sorted(each.name for each in (project / "src").iterdir()) == ["helper.py", "train.py"]


def test_files_of_others_are_not_replaced(generate, project):
    (project / "src" / "train.yml").write_text("type: command\n")
    assert "was not written by this command" in generate("src/train.py:train", code=6)
    assert not (project / "src" / "train_entry.py").exists()
    generate("src/train.py:train", "--force")


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ("data", "f.py:1:7: data: `data` has no type"),
        ("a: int, *rest", "f.py:1:16: rest: a step has no open list of inputs"),
        ("a: int, **rest", "f.py:1:17: rest: a step has no open list"),
        ("a: list[int]", "f.py:1:10: a: `list[int]` cannot be the type of an input"),
        ("a: 'in t'", "f.py:1:10: a: `in t` is not a type"),
        ("a: int = 1.5", "f.py:1:16: a: `1.5` is not of type integer"),
        ("a: int = True", "f.py:1:16: a: `True` is not of type integer"),
        ("a: int = f()", "f.py:1:16: a: `f()` is not a plain value"),
        ("a: Output = 'x'", "f.py:1:19: a: an output has no default"),
        ("a: Output(type='integer')", "f.py:1:10: a: an output is a file or a folder"),
        ("a: Input(type='uri_foldr')", "did you mean `uri_folder`?"),
        ("a: Input(tpe='uri_folder')", "did you mean `type`?"),
        ("a: Literal['x'] = 'y'", "`y` is none of `x`"),
    ],
)
def test_what_a_step_cannot_take_is_told_at_its_place(generate, project, parameters, told):
    (project / "f.py").write_text(f"def f({parameters}): pass\n")
    assert told in generate("f.py:f", code=2)


def test_every_parameter_is_told_at_once(generate, project):
    (project / "f.py").write_text("def f(a, b: int,\n      c): pass\n")
    told = generate("f.py:f", code=2)
    assert "f.py:1:7: a:" in told
    assert "f.py:2:7: c:" in told


@pytest.mark.parametrize(
    ("text", "source", "code", "told"),
    [
        ("def trian(a: int): pass\n", "f.py:train", 3, "did you mean `trian`?"),
        ("x = 1\n", "f.py:train", 3, "functions there: none"),
        ("def f(:\n", "f.py:f", 2, "f.py:1:7: this is not Python"),
        ("async def f(a: int): pass\n", "f.py:f", 2, "an async function"),
        ("@command_component()\ndef f(a: int): pass\n", "f.py:f", 2, "f.py:1:2: f: `@command_comp"),
        ("def F(a: int): pass\n", "f.py:F", 2, "add --name"),
        ("", "f.py", 2, "names no function"),
        ("", "g.py:f", 3, "`g.py` does not exist"),
    ],
)
def test_what_is_no_function_is_refused(generate, project, text, source, code, told):
    (project / "f.py").write_text(text)
    assert told in generate(source, code=code)


def test_a_function_without_parameters_is_a_component_too(generate, amlkit, project):
    (project / "f.py").write_text("def f(): print('ran')\n")
    made = json.loads(generate("f.py:f"))
    assert amlkit("validate", made["path"], cwd=project).returncode == 0
    done = subprocess.run(
        [sys.executable, made["entry"]], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout == "ran\n"
