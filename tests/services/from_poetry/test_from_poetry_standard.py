"""`[project]`, hybrids with `[tool.poetry]`, PEP 735 groups, and uv's sources."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from amlkit.errors import InvalidSpec
from amlkit.services.from_poetry import CondaFile

Convert = Callable[..., CondaFile]
Pip = Callable[[CondaFile], list[str]]


def test_requirements_keep_their_words(standard: Convert, pip: Pip) -> None:
    file = standard(
        'dependencies = ["Torch[Opt] (<3,>=2)", "b ~= 1.4", "c; python_version < \'3.9\'", '
        '"d @ git+https://h.org/d.git@v1#subdirectory=x"]\n'
    )
    assert pip(file) == [
        "b~=1.4",
        "d @ git+https://h.org/d.git@v1#subdirectory=x",
        "torch[opt]<3,>=2",
    ]


def test_an_extra_that_names_the_project_itself_brings_its_others(
    standard: Convert, pip: Pip
) -> None:
    text = (
        'dependencies = ["a"]\n[project.optional-dependencies]\n'
        'x = ["b"]\ny = ["c"]\nall = ["demo[x]", "Demo[y]"]\n'
    )
    assert pip(standard(text)) == ["a"]
    assert pip(standard(text, extras=["all"])) == ["a", "b", "c"]


def test_a_group_includes_others_and_the_projects_extras(standard: Convert, pip: Pip) -> None:
    text = (
        'dependencies = []\n[project.optional-dependencies]\nx = ["b"]\n[dependency-groups]\n'
        'Test_Suite = ["pytest>8", {include-group = "lint"}, "demo[x]"]\nlint = ["ruff"]\n'
    )
    assert pip(standard(text, groups=["test-suite"])) == ["b", "pytest>8", "ruff"]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (
            'a = [{include-group = "b"}]\nb = [{include-group = "a"}]\n',
            "includes itself: a -> b -> a",
        ),
        ('a = [{include-group = "lnt"}]\nlint = []\n', "`lnt`, which does not exist"),
        ("a = [{nope = 1}]\n", "neither a requirement nor an include"),
    ],
)
def test_a_broken_group_is_refused(standard: Convert, groups: str, message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        standard(f"[dependency-groups]\n{groups}")


def test_in_a_hybrid_poetrys_table_only_says_where_from(standard: Convert, pip: Pip) -> None:
    file = standard(
        'dependencies = ["torch>=2", "a"]\n'
        '[tool.poetry.dependencies]\ntorch = {source = "cpu"}\na = "^1"\nb = "1"\n'
        '[[tool.poetry.source]]\nname = "cpu"\nurl = "https://h.org/cpu"\npriority = "explicit"\n'
    )
    assert pip(file) == ["--extra-index-url https://h.org/cpu", "a", "torch>=2"]
    notes = "\n".join(map(str, file.notes))
    assert "b: only in [tool.poetry.dependencies]" in notes
    assert "a: `^1` in [tool.poetry.dependencies] is not applied" in notes


def test_dynamic_dependencies_of_poetry_are_in_its_table(standard: Convert, pip: Pip) -> None:
    file = standard(
        'dynamic = ["dependencies"]\nrequires-python = ">=3.10"\n'
        '[tool.poetry.dependencies]\na = "^1"\n'
        '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n'
    )
    assert pip(file) == ["a>=1,<2"]


def test_uv_sources_say_where_from(standard: Convert, pip: Pip) -> None:
    file = standard(
        'dependencies = ["a", "b>=1", "c", "torch"]\n[tool.uv.sources]\n'
        'a = {git = "https://h.org/a.git", tag = "v2"}\n'
        'b = [{git = "https://h.org/b.git", marker = "sys_platform == \'win32\'"}]\n'
        'c = {url = "https://h.org/c-1-py3-none-any.whl"}\n'
        'torch = [{index = "cpu", extra = "cpu"}, {index = "cu", extra = "gpu"}]\n'
        '[[tool.uv.index]]\nname = "cpu"\nurl = "https://h.org/cpu"\nexplicit = true\n'
        '[[tool.uv.index]]\nname = "own"\nurl = "https://h.org/own"\n'
    )
    assert pip(file) == [
        "--extra-index-url https://h.org/own",
        "a @ git+https://h.org/a.git@v2",
        "b>=1",
        "c @ https://h.org/c-1-py3-none-any.whl",
        "torch",
    ]


def test_a_workspace_member_is_refused_as_a_path_is(standard: Convert) -> None:
    with pytest.raises(InvalidSpec, match="Azure never receives it"):
        standard('dependencies = ["shared"]\n[tool.uv.sources]\nshared = {workspace = true}\n')


@pytest.mark.parametrize(
    "url", ["file:///${PROJECT_ROOT}/../a", "{root:uri}/../a", "file:///opt/a"]
)
def test_a_file_reference_is_refused_as_a_path_is(standard: Convert, url: str) -> None:
    with pytest.raises(InvalidSpec, match="Azure never receives it"):
        standard(f'dependencies = ["a @ {url}"]\n')


def test_settings_of_the_resolver_that_ranges_lose_are_reported(standard: Convert) -> None:
    file = standard('dependencies = ["a"]\n[tool.uv]\noverride-dependencies = ["b<2"]\n')
    assert "override-dependencies: applies through uv.lock only" in "\n".join(map(str, file.notes))


def test_the_lines_say_who_asked(standard: Convert) -> None:
    file = standard(
        'dependencies = ["a"]\n[project.optional-dependencies]\nx = ["b"]\n'
        '[dependency-groups]\ndev = ["c", "a>=1"]\n',
        extras=["x"],
        groups=["dev"],
    )
    assert {line.requirement: line.reason for line in file.lines} == {
        "a>=1": "dependencies, group dev",
        "b": "extra x",
        "c": "group dev",
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('license = {file = "gone.md"}', "`gone.md` does not exist"),
        ('authors = ["Ada"]', "Poetry refuses a name that is not a table"),
    ],
)
def test_a_group_of_a_project_that_poetry_cannot_read_is_refused(
    standard: Convert, pip: Pip, line: str, message: str
) -> None:
    text = f'dependencies = ["a"]\n{line}\n[tool.poetry.group.dev.dependencies]\nt = "1"\n'
    assert pip(standard(text)) == ["a"]
    with pytest.raises(InvalidSpec, match=message):
        standard(text, groups=["dev"])
