"""`amlkit component register|list|show|archive`, through the real executable."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from amlkit import Workspace
from amlkit.records import AssetDraft, AssetKind

TRAIN = """type: command
name: train
description: Trains.
code: ./src
command: python train.py --rate ${{inputs.rate}} --data ${{inputs.data}} --out ${{outputs.model}}
environment:
  image: ubuntu
  conda_file: conda.yml
inputs:
  rate: {type: number, default: 0.1}
  data: {type: uri_folder}
outputs:
  model: {type: uri_folder}
"""
SCORE = """type: parallel
name: score
inputs:
  images: {type: uri_folder}
outputs:
  rows: {type: uri_file}
input_data: ${{inputs.images}}
mini_batch_size: "2"
task:
  type: run_function
  code: ./src
  entry_script: score.py
  environment: file:./env.yml
  append_row_to: ${{outputs.rows}}
"""
FLOW = """type: pipeline
name: flow
inputs:
  digits: {type: uri_folder}
outputs:
  model: {type: uri_folder}
jobs:
  train:
    type: command
    component: ./train.yml
    inputs: {data: '${{parent.inputs.digits}}'}
    outputs: {model: '${{parent.outputs.model}}'}
  tune:
    type: sweep
    trial: ./train.yml
    inputs: {data: '${{parent.inputs.digits}}'}
    search_space: {rate: {type: uniform, min_value: 0, max_value: 1}}
    objective: {goal: maximize, primary_metric: m}
    limits: {max_total_trials: 2}
  score:
    type: parallel
    component: ./score.yml
    inputs: {images: {type: uri_folder, path: ./images}}
"""
OUTER = """type: pipeline
name: outer
inputs:
  digits: {type: uri_folder}
jobs:
  inner:
    type: pipeline
    component: ./flow.yml
    inputs: {digits: '${{parent.inputs.digits}}'}
"""


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "images").mkdir()
    (root / "images" / "0.txt").write_text("0")
    for name, text in {
        "train.yml": TRAIN,
        "score.yml": SCORE,
        "flow.yml": FLOW,
        "outer.yml": OUTER,
        "conda.yml": "dependencies: [python=3.11, {pip: [numpy]}]\n",
        "env.yml": "name: e\nimage: ubuntu\nconda_file: conda.yml\n",
        "src/train.py": "print('train')\n",
        "src/score.py": "def run(batch): return batch\n",
        "src/.gitignore": "*.tmp\n",
    }.items():
        (root / name).write_text(text)
    return root


@pytest.fixture
def register(amlkit, project):
    def run(*arguments, code=0, **more):
        done = amlkit("component", "register", *arguments, cwd=project, **more)
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


def shown(amlkit, reference):
    done = amlkit("component", "show", reference)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_version_is_made_only_when_something_changed(register, project):
    assert register("train.yml", "-o", "name") == "train:1\n"
    assert register("train.yml", "-o", "name") == "train:1\n"
    (project / "src" / "ignored.tmp").write_text("left out of the snapshot")
    assert register("train.yml", "-o", "name") == "train:1\n"
    (project / "src" / "train.py").write_text("print('other')\n")
    assert register("train.yml", "-o", "name") == "train:2\n"
    (project / "conda.yml").write_text("dependencies: [python=3.12]\n")
    assert register("train.yml", "-o", "name") == "train:3\n"
    assert register("train.yml", "--always", "-o", "name") == "train:4\n"


def test_an_explicit_version_keeps_its_content(register, project):
    assert register("train.yml", "--version", "7", "-o", "name") == "train:7\n"
    assert register("train.yml", "--version", "7", "-o", "name") == "train:7\n"
    (project / "src" / "train.py").write_text("print('other')\n")
    assert "`train:7` exists with other content" in register("train.yml", "--version", 7, code=6)


def test_what_is_shown_as_yaml_can_be_registered_again(register, amlkit):
    register("train.yml", "score.yml", "outer.yml")
    for name in ("train", "score", "outer"):
        text = amlkit("component", "show", name, "-o", "yaml").stdout
        done = amlkit("component", "register", "-", "-o", "name", stdin=text)
        assert (done.stdout, done.stderr) == (f"{name}:1\n", "")
        renamed = amlkit(
            "component", "register", "-", "-n", f"{name}_copy", "-o", "name", stdin=text
        )
        assert renamed.stdout == f"{name}_copy:1\n"


def test_a_pipeline_takes_its_inner_components_and_files_along(register, amlkit, project):
    assert register("outer.yml", "-o", "name") == "outer:1\n"
    shutil.rmtree(project)
    assert shown(amlkit, "outer")["jobs"]["inner"]["component"] == "azureml:flow:1"
    inner = shown(amlkit, "flow:1")
    train, tune, score = (inner["jobs"][each] for each in ("train", "tune", "score"))
    assert train["component"]["code"] == tune["trial"]["code"] == "azureml:train:1"
    assert train["component"]["environment"]["conda_file"]["dependencies"][0] == "python=3.11"
    assert score["component"]["task"]["code"] == "azureml:score:1"
    assert score["component"]["task"]["environment"]["image"] == "ubuntu"
    reference = score["inputs"]["images"]["path"].removeprefix("azureml:")
    assert amlkit("data", "show", reference).returncode == 0
    for name in ("outer", "flow"):
        assert str(project) not in amlkit("component", "show", name, "-o", "yaml").stdout


def test_components_that_share_a_name_keep_their_own_code(register, project):
    """Two pipelines whose inner components are both `train` must not undo each other."""
    assert register("flow.yml", "-o", "name") == "flow:1\n"
    (project / "src" / "train.py").write_text("print('other')\n")
    assert register("flow.yml", "-n", "second", "-o", "name") == "second:1\n"
    (project / "src" / "train.py").write_text("print('train')\n")
    assert register("flow.yml", "-o", "name") == "flow:1\n"


def test_pipelines_whose_nested_ones_share_a_name_keep_their_own(register, project):
    assert register("outer.yml", "-o", "name") == "outer:1\n"
    text = (project / "flow.yml").read_text()
    (project / "flow.yml").write_text(text.replace("max_value: 1", "max_value: 2"))
    assert register("outer.yml", "-n", "other", "-o", "name") == "other:1\n"
    (project / "flow.yml").write_text(text)
    assert register("outer.yml", "-o", "name") == "outer:1\n"


def test_nothing_is_registered_when_one_of_the_files_is_wrong(register, amlkit, project):
    (project / "bad.yml").write_text(TRAIN.replace("command: python", "comand: python"))
    assert "bad.yml" in register("train.yml", "bad.yml", code=2)
    assert json.loads(amlkit("component", "list").stdout) == []


def test_a_dry_run_shows_the_whole_spec_and_stores_nothing(register, amlkit):
    (planned,) = json.loads(register("flow.yml", "--dry-run", "--version", "3"))
    assert planned["action"] == "register flow.yml"
    assert planned["spec"]["version"] == "3"
    assert planned["spec"]["jobs"]["train"]["component"]["name"] == "train"
    assert json.loads(amlkit("component", "list").stdout) == []


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_spark_component_is_refused_in_one_line(register, project, more):
    (project / "spark.yml").write_text(
        "type: spark\nname: s\ncode: ./src\nentry: {file: train.py}\nargs: x\n"
    )
    assert "`s` is a spark component" in register("spark.yml", *more, code=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nameless.yml"], "nameless.yml:1:1: name: `name` is missing"),
        (["train.yml", "--name", "My-Train"], "`My-Train` cannot be the name of a component"),
        (["train.yml", "score.yml", "--name", "x"], "--name and --version go with one file"),
    ],
)
def test_what_has_no_good_name_is_refused(register, project, arguments, message):
    (project / "nameless.yml").write_text(TRAIN.replace("name: train\n", ""))
    assert message in register(*arguments, code=2)


def test_a_secret_in_the_code_is_refused_with_its_place(register, project):
    (project / "src" / "keys.py").write_text(f"AccountKey={'A' * 86}==\n")
    assert "keys.py:1" in register("train.yml", code=1)
    assert register("train.yml", "--allow-secrets", "-o", "name") == "train:1\n"


def test_includes_lie_beside_the_code(register, amlkit, project):
    (project / "shared").mkdir()
    (project / "shared" / "common.py").write_text("X = 1\n")
    (project / "train.yml").write_text(TRAIN + "additional_includes: [./shared]\n")
    register("train.yml")
    assert "additional_includes" not in shown(amlkit, "train")
    (project / "shared" / "common.py").write_text("X = 2\n")
    assert register("train.yml", "-o", "name") == "train:2\n"


def test_an_archived_version_is_hidden_until_it_is_restored(register, amlkit, project):
    register("train.yml")
    (project / "src" / "train.py").write_text("print('other')\n")
    register("train.yml")
    assert amlkit("component", "archive", "train:2").returncode == 0
    assert shown(amlkit, "train")["version"] == "1"
    assert amlkit("component", "list", "-o", "name").stdout == "train:1\n"
    assert amlkit("component", "restore", "train:2").returncode == 0
    assert amlkit("component", "list", "-n", "train", "-o", "name").stdout == "train:2\ntrain:1\n"
    assert amlkit("component", "show", "trian").returncode == 3


def test_lenient_says_what_azure_drops_and_drops_it(register, amlkit, project):
    (project / "train.yml").write_text(TRAIN + "comute: x\n")
    assert "unknown field `comute`" in register("train.yml", code=2)
    done = amlkit("component", "register", "train.yml", "--lenient", "-o", "name", cwd=project)
    assert done.stdout == "train:1\n"
    assert "warning: train.yml:" in done.stderr
    assert "comute" not in shown(amlkit, "train")


def test_references_that_lead_nowhere_are_refused(register, project):
    (project / "lost.yml").write_text(TRAIN.replace("./src", "azureml:gone:3"))
    assert "no code is called `gone`" in register("lost.yml", code=3)
    (project / "lost.yml").write_text(FLOW.replace("./score.yml", "azureml:gone@latest"))
    assert "no component is called `gone`" in register("lost.yml", code=3)


def test_the_same_component_registered_at_once_is_one_version(amlkit, project):
    with ThreadPoolExecutor(6) as pool:
        command = ("component", "register", "train.yml", "-o", "name")
        runs = [pool.submit(amlkit, *command, cwd=project) for _ in range(6)]
        done = [each.result() for each in runs]
    assert [(each.returncode, each.stdout) for each in done] == [(0, "train:1\n")] * 6
    assert len(json.loads(amlkit("component", "list", "-n", "train").stdout)) == 1


def test_a_workspace_compares_with_the_latest_version_when_it_adds_one(tmp_path, monkeypatch):
    """What makes it safe to register at the same time: no look-up before can be out of date."""
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    workspace = Workspace.open()
    assets = workspace.backend.assets
    draft = AssetDraft(AssetKind.COMPONENT, "x", {"type": "command"}, if_changed=True)
    other = replace(draft, spec={"type": "command", "display_name": "other"})
    made = [assets.create(each).version for each in (draft, draft, other, other, draft)]
    assert made == ["1", "1", "2", "2", "3"]
    assert assets.create(replace(draft, if_changed=False)).version == "4"
    workspace.close()


def test_a_job_is_called_a_job_and_a_broken_component_is_not(amlkit, tmp_path):
    (tmp_path / "job.yml").write_text(
        "type: command\ncommand: echo ${{inputs.rate}}\nenvironment: azureml:e@latest\n"
        "inputs: {rate: 0.1}\ncompute: azureml:cpu\nexperiment_name: e\n"
    )
    done = amlkit("component", "register", "job.yml")
    assert done.returncode == 2
    first, hint = done.stderr.splitlines()[:2]
    assert first == "error: job.yml:1:1: this looks like a command job, not a component"
    assert "amlkit job submit" in hint
    (tmp_path / "component.yml").write_text(TRAIN.replace("environment:", "environmnt:"))
    done = amlkit("component", "register", "component.yml")
    assert (done.returncode, "job" in done.stderr) == (2, False)
