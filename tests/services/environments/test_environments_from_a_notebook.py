"""Environments, as a notebook uses them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amlkit.config import WorkspaceChoice
from amlkit.errors import Conflict, InvalidSpec, NotFound, UsageError
from amlkit.services import Workspace

CONDA = {"dependencies": ["python=3.11", "pip", {"pip": ["six"]}]}


@pytest.fixture
def environments(tmp_path, monkeypatch):
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    choice = WorkspaceChoice("test", "local", "flag", tmp_path / "workspace")
    workspace = Workspace.of(choice)
    yield workspace.environments
    workspace.close()


def test_going_back_to_earlier_content_is_a_new_version(environments):
    first = environments.register("train", CONDA, image="a")
    environments.register("train", CONDA, image="b")
    third = environments.register("train", CONDA, image="a")
    assert (first.version, third.version) == ("1", "3")


def test_a_taken_version_with_other_content_conflicts(environments):
    draft = environments.draft(name="train", image="a", version="7")
    assert environments.create(draft).version == "7"
    assert environments.create(draft).version == "7"
    with pytest.raises(Conflict):
        environments.create(replace(draft, spec={"image": "b"}))


def test_every_version_of_a_name_is_listed(environments):
    for image in "ab":
        environments.register("train", CONDA, image=image)
    assert {each.version for each in environments.list("train")} == {"1", "2"}
    assert [each.built for each in environments.list()] == [False]


def test_an_unusable_project_name_is_refused(environments):
    with pytest.raises(UsageError, match="two words"):
        environments.register("two words", CONDA)


def test_a_missing_conda_file_is_named(environments, tmp_path):
    with pytest.raises(NotFound, match=r"absent\.yml"):
        environments.draft(name="train", image="a", conda_file=tmp_path / "absent.yml")


def test_a_conda_file_without_dependencies_is_refused(environments, tmp_path):
    (tmp_path / "conda.yml").write_text("name: empty\n")
    with pytest.raises(InvalidSpec):
        environments.draft(name="train", image="a", conda_file=tmp_path / "conda.yml")
