"""Every way in which a real pyproject.toml has misled a converter, one test each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from amlkit.errors import InvalidSpec, NotFound, NotSupported, UsageError
from amlkit.services.from_poetry import CondaFile, convert

Convert = Callable[..., CondaFile]
Pip = Callable[[CondaFile], list[str]]


def python_of(file: CondaFile) -> str:
    return str(file.document["dependencies"][0])


def reasons(file: CondaFile) -> str:
    return "\n".join(map(str, file.notes))


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ('"^0.4"', "a>=0.4,<0.5"),
        ('"~1.2.3"', "a>=1.2.3,<1.3"),
        ('"1.*"', "a==1.*"),
        ('"^1 || ^3"', "a>=1,!=2.*,<4"),
        ('">=1,!=1.5.0"', "a>=1,!=1.5.0"),
        ('"*"', "a"),
        ('"2.6.0+cpu"', "a==2.6.0+cpu"),
        ('{version = "^2", extras = ["B_b", "a"]}', "a[a,b-b]>=2,<3"),
    ],
)
def test_a_version_is_written_as_pip_reads_it(
    poetry: Convert, pip: Pip, written: str, line: str
) -> None:
    assert pip(poetry(f"a = {written}\n")) == [line]


def test_a_union_that_pip_cannot_express_is_refused_with_its_line(poetry: Convert) -> None:
    with pytest.raises(InvalidSpec, match=r"pyproject.toml:8:1: .*cannot express `~1.4 \|\| ~2.3`"):
        poetry('a = "~1.4 || ~2.3"\n')


def test_a_bare_python_of_a_dependency_means_every_patch(poetry: Convert, pip: Pip) -> None:
    assert pip(poetry('a = {version = "1", python = "3.11"}\n')) == ["a==1"]


def test_a_bare_major_python_means_its_first_release_as_in_poetry(
    poetry: Convert, pip: Pip
) -> None:
    assert pip(
        poetry('a = {version = "1", python = "3"}\nb = {version = "1", python = "~3"}\n')
    ) == ["b==1"]


def test_a_python_up_to_a_minor_leaves_its_patches_out(poetry: Convert, pip: Pip) -> None:
    file = poetry(
        'a = {version = "1", python = "<=3.11"}\nb = {version = "1", python = "<=3.12"}\n'
    )
    assert pip(file) == ["b==1"]
    assert "a: skipped: for Python `<=3.11`" in reasons(file)


def test_of_several_constraints_the_one_for_the_target_is_taken(poetry: Convert, pip: Pip) -> None:
    numpy = 'numpy = [{version = "^1.19", python = "<3.10"}, {version = "^2", python = ">=3.10"}]\n'
    assert pip(poetry(numpy)) == ["numpy>=2,<3"]
    assert pip(poetry(numpy, python="^3.9", name="x")) == ["numpy>=2,<3"]


def test_several_constraints_that_all_apply_are_joined(poetry: Convert, pip: Pip) -> None:
    assert pip(poetry('a = [{version = ">=1"}, {version = "<3", extras = ["x"]}]\n')) == [
        "a[x]>=1,<3"
    ]


@pytest.mark.parametrize(
    ("platform", "kept"),
    [("linux", True), ("darwin", False), ("!=win32", True), ("darwin || linux", True)],
)
def test_a_dependency_for_another_platform_is_left_out(
    poetry: Convert, pip: Pip, platform: str, kept: bool
) -> None:
    file = poetry(f'a = {{version = "1", platform = "{platform}"}}\n')
    assert pip(file) == (["a==1"] if kept else [])


def test_a_marker_that_does_not_hold_is_reported(poetry: Convert, pip: Pip) -> None:
    file = poetry("""a = {version = "1", markers = "sys_platform == 'win32'"}\n""")
    assert pip(file) == []
    assert "does not hold on linux" in reasons(file)


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ('git = "https://h.org/a.git", rev = "abc1"', "a @ git+https://h.org/a.git@abc1"),
        ('git = "https://h.org/a.git", tag = "v1"', "a @ git+https://h.org/a.git@v1"),
        ('git = "https://h.org/a.git", branch = "dev"', "a @ git+https://h.org/a.git@dev"),
        ('git = "https://h.org/a.git#egg=a"', "a @ git+https://h.org/a.git"),
        ('git = "git@h.org:o/a.git", tag = "v1"', "a @ git+ssh://git@h.org/o/a.git@v1"),
        ('git = "ssh://git@h.org/o/a.git"', "a @ git+ssh://git@h.org/o/a.git"),
        (
            'git = "https://h.org/a.git", rev = "b", subdirectory = "p/q", extras = ["x"]',
            "a[x] @ git+https://h.org/a.git@b#subdirectory=p/q",
        ),
        ('url = "https://h.org/a-1.0.tar.gz"', "a @ https://h.org/a-1.0.tar.gz"),
    ],
)
def test_git_and_url_dependencies_become_direct_references(
    poetry: Convert, pip: Pip, written: str, line: str
) -> None:
    assert pip(poetry(f"a = {{{written}}}\n")) == [line]


@pytest.mark.parametrize(
    "written", ['path = "../a"', 'path = "../a", develop = true', 'file = "a.whl"', 'git = "../a"']
)
def test_what_only_this_machine_has_is_refused_with_a_remedy(poetry: Convert, written: str) -> None:
    with pytest.raises(
        InvalidSpec, match=r"pyproject.toml:8:1: .*Azure never receives it"
    ) as caught:
        poetry(f"a = {{{written}}}\n")
    assert "--inline-path-deps" in str(caught.value.hint)


def test_a_path_dependency_can_be_replaced_by_its_own_dependencies(
    poetry: Convert, pip: Pip, tmp_path: Path
) -> None:
    other = tmp_path / "libs" / "a"
    other.mkdir(parents=True)
    (other / "pyproject.toml").write_text(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["numpy>=2"]\n'
        '[project.optional-dependencies]\nx = ["scipy"]\ny = ["pandas"]\n'
    )
    file = poetry('a = {path = "libs/a", extras = ["x"]}\n', inline_path_deps=True)
    assert pip(file) == ["numpy>=2", "scipy"]
    assert "a: inlined: send `libs/a` with the job's code" in reasons(file)


def test_names_are_normalised(poetry: Convert, pip: Pip) -> None:
    assert pip(poetry('Typing_Extensions = "*"\n"ruamel.yaml" = "*"\n')) == [
        "ruamel-yaml",
        "typing-extensions",
    ]


def test_an_optional_dependency_comes_with_its_extra_only(poetry: Convert, pip: Pip) -> None:
    text = 'a = {version = "1", optional = true}\nb = "1"\nc = "1"\n'
    text += '[tool.poetry.extras]\nx = ["a", "c"]\n'
    assert pip(poetry(text)) == ["b==1"]
    assert pip(poetry(text, extras=["X"])) == ["a==1", "b==1", "c==1"]


def test_an_unknown_extra_or_group_is_named_with_what_there_is(poetry: Convert) -> None:
    text = 'a = {version = "1", optional = true}\n[tool.poetry.extras]\ntrain = ["a"]\n'
    with pytest.raises(UsageError, match="no extra `trian`") as caught:
        poetry(text, extras=["trian"])
    assert caught.value.hint == "did you mean `train`?"
    with pytest.raises(UsageError, match="no group `test`"):
        poetry(text, groups=["test"])


def test_groups_are_left_out_unless_named(poetry: Convert, pip: Pip) -> None:
    text = (
        'a = "1"\n[tool.poetry.group.test]\noptional = true\n'
        '[tool.poetry.group.test.dependencies]\nt = "1"\n[tool.poetry.dev-dependencies]\nd = "1"\n'
    )
    assert pip(poetry(text)) == ["a==1"]
    assert pip(poetry(text, groups=["test", "dev"])) == ["a==1", "d==1", "t==1"]


def test_a_source_becomes_an_extra_index(poetry: Convert, pip: Pip) -> None:
    text = (
        'torch = {version = "2.6.0+cpu", source = "pytorch"}\n'
        '[[tool.poetry.source]]\nname = "pytorch"\nurl = "https://h.org/cpu"\n'
        'priority = "explicit"\n'
        '[[tool.poetry.source]]\nname = "unused"\nurl = "https://h.org/no"\npriority = "explicit"\n'
        '[[tool.poetry.source]]\nname = "PyPI"\n'
    )
    assert pip(poetry(text)) == ["--extra-index-url https://h.org/cpu", "torch==2.6.0+cpu"]


def test_a_password_in_an_index_is_left_out_and_said(poetry: Convert, pip: Pip) -> None:
    file = poetry('a = "1"\n[[tool.poetry.source]]\nname = "p"\nurl = "https://u:secret@h.org/s"\n')
    assert pip(file) == ["--extra-index-url https://h.org/s", "a==1"]
    assert "secret" not in file.text
    assert "left out" in reasons(file)


def test_a_project_that_requires_itself_is_not_in_its_environment(
    poetry: Convert, pip: Pip
) -> None:
    assert pip(poetry('demo = {path = "."}\na = "1"\n')) == ["a==1"]


@pytest.mark.parametrize(
    ("supported", "pin"),
    [
        (">=3.8", "python=3.11"),
        (">=3.8,<3.11", "python=3.10"),
        (">=3.12", "python=3.12"),
        ("~3.9", "python=3.9"),
        (">=3.11.4", "python>=3.11.4,<3.12"),
        ("3.11.5", "python=3.11.5"),
        (">=3.9,!=3.11.2", "python>=3.11.3,<3.12"),
        ("<=3.11", "python=3.11.0"),
        ("*", "python=3.11"),
    ],
)
def test_a_python_is_chosen_that_the_project_supports(
    poetry: Convert, supported: str, pin: str
) -> None:
    assert python_of(poetry('a = "1"\n', python=supported)) == pin


def test_a_python_that_is_not_supported_is_refused(write: Callable[..., Path]) -> None:
    path = write('[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.10,<3.13"\n')
    assert python_of(convert(path, python="3.12")) == "python=3.12"
    assert python_of(convert(path, python="3.12.4")) == "python=3.12.4"
    for python in ("3.9", "2.7", "3.13", "three"):
        with pytest.raises(UsageError, match=f"`{python}`"):
            convert(path, python=python)


def test_no_dependencies_give_a_bare_environment(poetry: Convert) -> None:
    file = poetry("")
    assert file.text == (
        "name: demo\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n"
    )


def test_the_file_is_the_yaml_that_it_says_it_is(poetry: Convert) -> None:
    file = poetry(
        'a = ">=1,<2"\nb = {git = "https://h.org/b.git", subdirectory = "x"}\n'
        '[[tool.poetry.source]]\nname = "p"\nurl = "https://h.org/s"\n',
        name="true",
    )
    assert yaml.safe_load(file.text) == file.document
    assert file.document["name"] == "true"


def test_the_same_project_gives_the_same_bytes(poetry: Convert) -> None:
    text = 'b = "1"\na = "1"\n'
    assert poetry(text).text == poetry(text).text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[project]\nname = "a"\nname = "b"\n', ":3:11: cannot overwrite a value"),
        ('[project]\nname = "a\n', ":2:10: illegal character"),
        ("[project\n", ":1:9: expected ']'"),
    ],
)
def test_invalid_toml_is_named_by_line_and_column(
    write: Callable[..., Path], text: str, place: str
) -> None:
    with pytest.raises(InvalidSpec) as caught:
        convert(write(text))
    assert place in str(caught.value)


def test_a_bad_requirement_is_named_by_line(standard: Convert) -> None:
    with pytest.raises(
        InvalidSpec, match=r"pyproject.toml:5:4: project.dependencies: `b\^1` is not"
    ):
        standard('dependencies = [\n  "b^1",\n]\n')


def test_a_bad_constraint_is_named_by_line(poetry: Convert) -> None:
    with pytest.raises(
        InvalidSpec, match=r"pyproject.toml:9:1: tool.poetry.dependencies.b: `latest`"
    ):
        poetry('a = "1"\nb = "latest"\n')


def test_a_file_without_a_project_is_refused(write: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="declares no dependencies"):
        convert(write("[tool.black]\nline-length = 100\n"))
    with pytest.raises(NotFound):
        convert(tmp_path / "nowhere" / "pyproject.toml")


def test_a_poetry_package_without_a_version_is_refused_as_poetry_does(
    write: Callable[..., Path],
) -> None:
    with pytest.raises(InvalidSpec, match="`version` is missing"):
        convert(write('[tool.poetry]\nname = "demo"\n'))
    convert(write("[tool.poetry]\npackage-mode = false\n"))


def test_dependencies_that_a_backend_computes_are_not_taken_for_none(standard: Convert) -> None:
    with pytest.raises(NotSupported, match=r"leaves its dependencies to `hatchling\.build`"):
        standard('dynamic = ["dependencies"]\n[build-system]\nbuild-backend = "hatchling.build"\n')


def test_dependencies_in_a_requirements_file_of_setuptools_are_read(
    standard: Convert, pip: Pip, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("# main\nnumpy>=2  # arrays\n\nscipy\n")
    file = standard(
        'dynamic = ["dependencies"]\n'
        '[tool.setuptools.dynamic]\ndependencies = {file = ["requirements.txt"]}\n'
    )
    assert pip(file) == ["numpy>=2", "scipy"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = {version = 1}\n", "a.version: expected text, got `1`"),
        ("a = 1.5\n", "a: expected text or a table or a list, got `1.5`"),
        ('a = "1"\n[tool.poetry.extras]\nx = "a"\n', "extras.x: expected a list, got `'a'`"),
        ('a = "1"\n[tool.uv]\nsources = 1\n', "tool.uv.sources: expected a table"),
    ],
)
def test_a_value_of_another_type_is_named(poetry: Convert, text: str, message: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        poetry(text)
    assert message in str(caught.value)
