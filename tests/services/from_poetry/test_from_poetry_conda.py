"""Conda packages on request: `[tool.poetry2conda]`, `--conda`, and the text of the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from amlkit.errors import InvalidSpec
from amlkit.services.from_poetry import CondaFile, convert
from amlkit.services.from_poetry.conda import document, render

Convert = Callable[..., CondaFile]
Pip = Callable[[CondaFile], list[str]]


def conda(file: CondaFile) -> list[str]:
    return [each for each in file.document["dependencies"] if isinstance(each, str)]


def test_everything_is_installed_by_pip_unless_asked(poetry: Convert, pip: Pip) -> None:
    file = poetry('torch = "^2"\n')
    assert (conda(file), pip(file)) == (["python=3.11", "pip"], ["torch>=2,<3"])


def test_poetry2conda_rules_are_honoured(poetry: Convert, pip: Pip) -> None:
    file = poetry(
        'torch = "^2"\nnumpy = "*"\nscipy = "1.*"\nb = "1"\nc = {git = "https://h.org/c"}\n'
        '[tool.poetry2conda]\nname = "train"\nexclude = ["b"]\n[tool.poetry2conda.dependencies]\n'
        'torch = {channel = "pytorch", name = "pytorch"}\nnumpy = {channel = "pip"}\n'
        'scipy = {channel = "conda-forge", version = "~1.11"}\n'
    )
    assert file.name == "train"
    assert file.document["channels"] == ["conda-forge", "pytorch"]
    assert conda(file) == [
        "python=3.11",
        "conda-forge::scipy>=1.11,<1.12",
        "pytorch::pytorch>=2,<3",
        "pip",
    ]
    assert pip(file) == ["c @ git+https://h.org/c", "numpy"]
    assert "b: skipped: named in `exclude`" in "\n".join(map(str, file.notes))


def test_a_default_channel_moves_what_has_no_rule(poetry: Convert, pip: Pip) -> None:
    file = poetry(
        'torch = "^2"\nnumpy = "*"\n[tool.poetry2conda]\nname = "x"\n'
        'default-channel = "conda-forge"\n'
        '[tool.poetry2conda.dependencies]\nnumpy = {channel = "pip"}\n'
    )
    assert conda(file) == ["python=3.11", "conda-forge::pytorch>=2,<3", "pip"]
    assert pip(file) == ["numpy"]


def test_conda_takes_what_it_can_and_pip_the_rest(poetry: Convert, pip: Pip) -> None:
    file = poetry(
        'torch = "~1.4 || ~2.3"\na = {version = "1", extras = ["x"]}\n'
        'd = {git = "https://h.org/d"}\n',
        conda=True,
    )
    assert conda(file) == ["python=3.11", "conda-forge::pytorch>=1.4,<1.5|>=2.3,<2.4", "pip"]
    assert pip(file) == ["a[x]==1", "d @ git+https://h.org/d"]
    assert "a: left to pip: conda has no extras `[x]`" in "\n".join(map(str, file.notes))


def test_a_broken_rule_is_named_by_line(poetry: Convert) -> None:
    with pytest.raises(InvalidSpec, match=r"pyproject.toml:11:.*`latest` is not a version"):
        poetry(
            'a = "1"\n[tool.poetry2conda]\n[tool.poetry2conda.dependencies]\n'
            'a = {channel = "conda-forge", version = "latest"}\n'
        )


def test_a_name_asked_for_wins(poetry: Convert) -> None:
    assert poetry('a = "1"\n[tool.poetry2conda]\nname = "x"\n', name="mine").name == "mine"


words = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=20)


@given(words, st.lists(words, max_size=3), st.lists(words, min_size=1, max_size=4))
def test_yaml_reads_what_was_written(name: str, channels: list[str], pip: list[str]) -> None:
    made = document(name, ["conda-forge", *channels], ["python=3.11"], pip)
    assert yaml.safe_load(render(made)) == made


def test_of_locked_packages_conda_takes_those_that_the_project_declares(
    write: Callable[..., Path], pip: Pip
) -> None:
    text = (
        '[project]\nname = "demo"\nversion = "1"\ndependencies = ["torch"]\n'
        '[tool.poetry2conda.dependencies]\ntorch = {channel = "pytorch", name = "pytorch"}\n'
    )
    lock = (
        'version = 1\n[[package]]\nname = "demo"\nversion = "1"\nsource = {virtual = "."}\n'
        'dependencies = [{name = "torch"}]\n'
        '[package.metadata]\nrequires-dist = [{name = "torch"}]\n'
        '[[package]]\nname = "torch"\nversion = "2.3"\n'
        'source = {registry = "https://pypi.org/simple"}\ndependencies = [{name = "sympy"}]\n'
        '[[package]]\nname = "sympy"\nversion = "1.13"\n'
        'source = {registry = "https://pypi.org/simple"}\n'
    )
    for options in ({}, {"conda": True}):
        file = convert(write(text, uv_lock=lock), **options)
        assert conda(file) == ["python=3.11", "pytorch::pytorch==2.3", "pip"]
        assert pip(file) == ["sympy==1.13"]


def test_a_rule_with_a_version_takes_a_git_dependency_to_conda(poetry: Convert, pip: Pip) -> None:
    file = poetry(
        'a = {git = "https://h.org/a"}\nb = "2.0+cpu"\n[tool.poetry2conda.dependencies]\n'
        'a = {channel = "conda-forge", version = "^1.2"}\n',
        conda=True,
    )
    assert conda(file) == ["python=3.11", "conda-forge::a>=1.2,<2", "pip"]
    assert pip(file) == ["b==2.0+cpu"]
