"""`amlkit workspace`, `compute`, `datastore`, `init`, `component` through the real executable."""

from __future__ import annotations

import json


def test_an_embedded_workspace_is_made_used_and_forgotten(amlkit, tmp_path):
    (tmp_path / "project").mkdir()
    made = json.loads(amlkit("workspace", "login", "--local", "project").stdout)
    assert (made["name"], made["kind"]) == ("project", "local")
    assert (tmp_path / "project" / ".amlkit" / "catalogue.db").is_file()
    assert json.loads(amlkit("workspace", "show").stdout)["name"] == "project"
    assert amlkit("workspace", "use", "local").returncode == 0
    assert json.loads(amlkit("workspace", "show").stdout)["name"] == "local"
    assert amlkit("workspace", "logout", "project").returncode == 0
    assert "project" not in amlkit("workspace", "list", "-o", "name").stdout.split()
    assert amlkit("-w", "project", "data", "list").returncode == 3


def test_the_nearest_workspace_folder_wins_over_the_users_choice(amlkit, tmp_path):
    (tmp_path / "project" / "deep").mkdir(parents=True)
    amlkit("workspace", "login", "--local", "project")
    amlkit("workspace", "use", "local")
    shown = json.loads(amlkit("workspace", "show", cwd=tmp_path / "project" / "deep").stdout)
    assert shown["name"] == "project"


def test_doctor_finds_a_healthy_workspace_well(amlkit):
    done = amlkit("workspace", "doctor")
    assert done.returncode == 0, done.stdout
    assert all(each["well"] for each in json.loads(done.stdout))


def test_compute_is_this_machine(amlkit):
    (machine,) = json.loads(amlkit("compute", "list").stdout)
    assert machine["name"] == "local"
    assert machine["cores"] >= 1
    assert machine["slots_in_use"] == 0
    assert amlkit("compute", "show", "gpu-cluster").returncode == 3


def test_the_built_in_datastores_are_there_and_the_default_is_first(amlkit):
    names = amlkit("datastore", "list", "-o", "name").stdout.split()
    assert names == [
        "workspaceblobstore",
        "workspaceartifactstore",
        "workspacefilestore",
        "workspaceworkingdirectory",
    ]


def test_files_go_into_a_datastore_and_come_back(amlkit, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ä b.txt").write_text("content", encoding="utf-8")
    assert (
        amlkit(
            "datastore", "upload", "workspaceblobstore", "--path", "in", "--target", "raw"
        ).returncode
        == 0
    )
    assert (
        amlkit("datastore", "ls", "workspaceblobstore", "raw", "-o", "name").stdout
        == "raw/ä b.txt\n"
    )
    assert amlkit("datastore", "download", "workspaceblobstore", "raw", "-p", "out").returncode == 0
    assert (tmp_path / "out" / "ä b.txt").read_text(encoding="utf-8") == "content"


def test_a_path_cannot_lead_out_of_a_datastore(amlkit):
    done = amlkit("datastore", "ls", "workspaceblobstore", "../../..")
    assert done.returncode == 2
    assert "leads out of datastore" in done.stderr


def test_dots_and_doubled_slashes_of_a_datastore_path_mean_nothing(amlkit, tmp_path):
    (tmp_path / "a.txt").write_text("content")
    for target in (".", "./deep//er/"):
        up = ("datastore", "upload", "workspaceblobstore", "--path", "a.txt", "--target", target)
        assert amlkit(*up).returncode == 0
    listed = amlkit("datastore", "ls", "workspaceblobstore", "deep/./er//*.txt", "-o", "name")
    assert listed.stdout == "deep/er/a.txt\n"
    assert (
        "\na.txt\n" in "\n" + amlkit("datastore", "ls", "workspaceblobstore", "-o", "name").stdout
    )


def test_a_datastore_is_defined_once_and_deleted_only_with_yes(amlkit, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "e").mkdir()
    assert amlkit("datastore", "create", "--name", "mine", "--path", "d").returncode == 0
    assert amlkit("datastore", "create", "--name", "mine", "--path", "e").returncode == 6
    assert amlkit("datastore", "delete", "mine").returncode == 2
    assert amlkit("datastore", "delete", "mine", "--yes").returncode == 0
    assert amlkit("datastore", "show", "mine").returncode == 3


def test_init_copies_a_project_once(amlkit, tmp_path):
    assert "mnist" in amlkit("init", "--list", "-o", "name").stdout.split()
    assert amlkit("init", "mnist", "new").returncode == 0
    assert (tmp_path / "new" / "sweep.yml").is_file()
    done = amlkit("init", "mnist", "new")
    assert done.returncode == 6
    done = amlkit("init", "mnits")
    assert done.returncode == 3
    assert "did you mean `mnist`?" in done.stderr


COMPONENT = """type: command
name: train
command: python train.py --lr ${{inputs.lr}}
code: ./src
environment: azureml:e@latest
inputs: {lr: {type: number, default: 0.1}}
"""


def test_an_unchanged_component_is_no_new_version(amlkit, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print(1)")
    (tmp_path / "train.yml").write_text(COMPONENT)
    register = ("component", "register", "train.yml", "-o", "name")
    assert amlkit(*register).stdout == "train:1\n"
    assert amlkit(*register).stdout == "train:1\n"
    (tmp_path / "src" / "train.py").write_text("print(2)")
    assert amlkit(*register).stdout == "train:2\n"
    done = amlkit(*register, "--version", "1")
    assert done.returncode == 6
    assert amlkit("component", "archive", "train").returncode == 0
    assert json.loads(amlkit("component", "list").stdout) == []


def test_a_folder_that_is_no_name_needs_one(amlkit, tmp_path):
    done = amlkit("workspace", "login", "--local", tmp_path / "lö kal")
    assert done.returncode == 2
    assert "--name NAME" in done.stderr
    done = amlkit("workspace", "login", "--local", tmp_path / "lö kal", "--name", "here")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "lö kal" / ".amlkit").is_dir()


def test_deleting_without_a_terminal_says_that_it_needs_yes(amlkit, tmp_path):
    (tmp_path / "raw").mkdir()
    assert amlkit("datastore", "create", "--name", "raw", "--path", "raw").returncode == 0
    done = amlkit("datastore", "delete", "raw")
    assert done.returncode == 2
    assert "error: deleting datastore `raw` needs --yes" in done.stderr
    assert amlkit("datastore", "show", "raw").returncode == 0
