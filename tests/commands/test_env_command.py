"""`amlkit env`, by the real executable."""

from __future__ import annotations

import json

import pytest

PROJECT = """\
[project]
name = "train"
version = "1"
requires-python = ">=3.11,<3.13"
dependencies = ["six>=1.16", "pywin32; sys_platform == 'win32'"]
[project.optional-dependencies]
plots = ["matplotlib>=3.8"]
"""
CONDA = "name: small\ndependencies:\n  - python=3.11\n  - pip\n  - pip: [six==1.16.0]\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def test_the_file_is_written_beside_the_project(amlkit, project, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = amlkit("env", "from-poetry", project / "pyproject.toml", cwd=elsewhere)
    assert (done.returncode, done.stdout) == (0, "")
    assert "- six>=1.16" in (project / "environment.yml").read_text()
    assert sorted(each.name for each in project.glob(".environment*")) == []


def test_what_is_left_out_is_said_in_a_pipe_too(amlkit, project):
    done = amlkit("env", "from-poetry")
    assert done.stderr.startswith("warning: pywin32: ")
    assert amlkit("-q", "env", "from-poetry").stderr == ""


def test_a_dash_prints_the_file_and_writes_none(amlkit, project):
    printed = amlkit("env", "from-poetry", "-O", "-", "--extra", "plots").stdout
    assert printed.startswith("name: train\n")
    assert "matplotlib>=3.8" in printed
    assert not (project / "environment.yml").exists()


def test_dry_run_prints_the_file_and_writes_nothing(amlkit, project):
    done = amlkit("env", "from-poetry", "--dry-run", "--register")
    assert done.stdout.startswith("name: train\n")
    assert not (project / "environment.yml").exists()
    assert json.loads(amlkit("env", "list").stdout) == []


def test_json_has_the_reason_of_every_line(amlkit, project):
    lines = json.loads(amlkit("env", "from-poetry", "-o", "json").stdout)
    assert [line["requirement"] for line in lines] == ["six>=1.16"]
    assert lines[0]["reason"]


@pytest.mark.parametrize(
    "check", [["--check"], ["--check", "environment.yml"], ["--check", "pyproject.toml"]]
)
def test_check_exits_1_with_the_diff_only_when_the_file_differs(amlkit, project, check):
    amlkit("env", "from-poetry")
    written = (project / "environment.yml").read_text()
    same = amlkit("env", "from-poetry", *check)
    assert (same.returncode, same.stdout, same.stderr) == (0, "", "")
    (project / "environment.yml").write_text(written + "# by hand\n")
    other = amlkit("env", "from-poetry", *check)
    assert other.returncode == 1
    assert "-# by hand" in other.stdout
    assert (project / "environment.yml").read_text().endswith("# by hand\n")


def test_locked_and_ranges_exclude_each_other(amlkit, project):
    done = amlkit("env", "from-poetry", "--locked", "--ranges")
    assert done.returncode == 2
    assert "exclude each other" in done.stderr


def test_registering_the_same_project_again_is_no_new_version(amlkit, project):
    register = ["env", "from-poetry", "--register", "--image", "img:1", "-o", "name"]
    assert amlkit(*register).stdout == "train:1\n"
    assert amlkit(*register).stdout == "train:1\n"
    assert amlkit(*register, "--extra", "plots").stdout == "train:2\n"
    shown = json.loads(amlkit("env", "show", "train").stdout)
    assert shown["image"] == "img:1"
    assert "matplotlib>=3.8" in shown["conda_file"]["dependencies"][-1]["pip"]


def test_the_conda_file_of_a_spec_is_stored_with_the_asset(amlkit, tmp_path):
    (tmp_path / "conda.yml").write_text(CONDA)
    (tmp_path / "env.yml").write_text("name: small\nimage: img\nconda_file: conda.yml\n")
    assert amlkit("env", "create", "-f", "env.yml", "-o", "name").stdout == "small:1\n"
    shown = json.loads(amlkit("env", "show", "small").stdout)
    assert shown["conda_file"]["dependencies"][-1] == {"pip": ["six==1.16.0"]}


def test_create_without_an_image_says_what_to_add(amlkit):
    done = amlkit("env", "create", "--name", "small")
    assert done.returncode == 2
    assert "--image" in done.stderr


def test_an_archived_environment_is_not_listed(amlkit):
    amlkit("env", "create", "-n", "small", "--image", "img")
    planned = amlkit("env", "archive", "small", "--dry-run")
    assert [each["archived"] for each in json.loads(planned.stdout)] == [True]
    assert amlkit("env", "list", "-o", "name").stdout == "small:1\n"
    assert amlkit("env", "archive", "small:1").returncode == 0
    assert amlkit("env", "list", "-o", "name").stdout == ""
    assert amlkit("env", "list", "--archived", "-o", "name").stdout == "small:1\n"


@pytest.mark.slow
def test_what_is_built_is_listed_and_pruned_once_nothing_refers_to_it(amlkit, tmp_path):
    (tmp_path / "conda.yml").write_text(CONDA)
    built = json.loads(amlkit("env", "build", "-f", "conda.yml").stdout)
    assert amlkit("env", "prune", "--dry-run", "-o", "name").stdout == f"{built['name']}\n"
    amlkit("env", "create", "-n", "small", "--image", "img", "--conda-file", "conda.yml")
    listed = json.loads(amlkit("env", "list").stdout)
    assert (listed[0]["built"], listed[0]["size"]) == (True, built["size"])
    assert json.loads(amlkit("env", "prune", "--yes").stdout) == []
    amlkit("env", "create", "-n", "small", "--image", "img")
    assert json.loads(amlkit("env", "prune", "--yes").stdout) == []


@pytest.mark.slow
def test_pruning_deletes_only_with_a_yes(amlkit, tmp_path):
    (tmp_path / "conda.yml").write_text(CONDA)
    built = json.loads(amlkit("env", "build", "-f", "conda.yml").stdout)
    folder = tmp_path / "home" / "environments" / built["name"]
    assert amlkit("env", "prune").returncode == 2
    assert folder.is_dir()
    assert amlkit("env", "prune", "--yes").returncode == 0
    assert not folder.exists()


@pytest.mark.slow
def test_a_package_that_cannot_be_imported_fails_the_build_by_name(amlkit, tmp_path):
    package = tmp_path / "broken-0.1"
    package.mkdir()
    (package / "broken.py").write_text("raise OSError('libmissing.so')\n")
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "broken"\nversion = "0.1"\n[tool.setuptools]\npy-modules = ["broken"]\n'
    )
    (tmp_path / "conda.yml").write_text(
        f"dependencies:\n  - python=3.11\n  - pip: ['broken @ {package.as_uri()}']\n"
    )
    done = amlkit("env", "build", "-f", "conda.yml")
    assert done.returncode == 1
    assert "import broken" in done.stderr
    assert "libmissing.so" in done.stderr


@pytest.mark.slow
def test_what_builds_a_package_does_not_see_the_secrets_of_datastores(amlkit, tmp_path):
    package = tmp_path / "nosy-0.1"
    package.mkdir()
    seen = tmp_path / "seen"
    (package / "backend.py").write_text(
        "import os\n"
        "def build_wheel(*arguments, **more):\n"
        f"    open({str(seen)!r}, 'w').write(' '.join(os.environ))\n"
        "    raise SystemExit('enough')\n"
    )
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "nosy"\nversion = "0.1"\n'
    )
    (tmp_path / "conda.yml").write_text(
        f"dependencies:\n  - python=3.11\n  - pip: ['nosy @ {package.as_uri()}']\n"
    )
    place = ["--type", "azure_blob", "--account-name", "acme", "--container-name", "images"]
    named = amlkit(
        "datastore", "create", "--name", "images", *place, "--account-key-env", "OUR_KEY"
    )
    assert named.returncode == 0, named.stderr
    secrets = {"OUR_KEY": "a2V5", "AMLKIT_SECRETS_PASSPHRASE": "open", "OTHER": "1"}
    assert amlkit("env", "build", "-f", "conda.yml", env=secrets).returncode == 1
    assert {"OUR_KEY", "AMLKIT_SECRETS_PASSPHRASE", "OTHER"} & set(seen.read_text().split()) == {
        "OTHER"
    }
