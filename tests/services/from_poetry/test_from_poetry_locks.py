"""Exact pins from poetry.lock (1.0 to 2.1) and uv.lock; what a stale lock does."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from amlkit.errors import InvalidSpec, NotSupported, UsageError
from amlkit.services.from_poetry import CondaFile, convert, difference
from amlkit.services.from_poetry.poetry_lock import content_hash

Write = Callable[..., Path]
Pip = Callable[[CondaFile], list[str]]

LOCKS = Path(__file__).with_name("locks")
OLD_LOCK = (LOCKS / "poetry-2.0.lock").read_text()
MARKED_LOCK = (LOCKS / "poetry-2.1.lock").read_text()
UV_LOCK = (LOCKS / "uv.lock").read_text()

POETRY = """
[tool.poetry]
name = "demo"
version = "0.1.0"
[tool.poetry.dependencies]
python = "^3.9"
a = "^1"
n = [{version = "<2", python = "<3.11"}, {version = ">=2", python = ">=3.11"}]
o = {version = "*", optional = true}
w = {version = "*", platform = "win32"}
[tool.poetry.extras]
x = ["o"]
[tool.poetry.group.dev.dependencies]
t = "*"
"""


def hashed(lock: str, pyproject: str, *, with_groups: bool = True) -> str:
    return lock.replace("HASH", content_hash(tomllib.loads(pyproject), with_groups=with_groups))


def test_an_old_poetry_lock_is_followed_from_the_project(write: Write, pip: Pip) -> None:
    path = write(POETRY, poetry_lock=hashed(OLD_LOCK, POETRY))
    file = convert(path)
    assert file.mode == "locked"
    assert pip(file) == ["a==1.4", "b-b==2.1", "e==3", "n==2.3"]
    assert {line.name: line.reason for line in file.lines}["e"] == "b-b 2.1"


def test_the_python_decides_between_two_locked_versions(write: Write, pip: Pip) -> None:
    path = write(POETRY, poetry_lock=hashed(OLD_LOCK, POETRY))
    assert pip(convert(path, python="3.10")) == ["a==1.4", "b-b==2.1", "e==3", "n==1.9"]
    assert "c==0.1" in pip(convert(path, python="3.9"))


def test_extras_and_groups_widen_the_closure(write: Write, pip: Pip) -> None:
    for lock in (OLD_LOCK, MARKED_LOCK):
        path = write(POETRY, poetry_lock=hashed(lock, POETRY))
        assert "o==1" in pip(convert(path, extras=["x"]))
        assert "o==1" not in pip(convert(path))
        assert "t==8" in pip(convert(path, groups=["dev"]))
        assert "t==8" not in pip(convert(path))


def test_a_new_poetry_lock_says_itself_what_is_installed(write: Write, pip: Pip) -> None:
    path = write(POETRY, poetry_lock=hashed(MARKED_LOCK, POETRY))
    assert pip(convert(path)) == ["a==1.4", "n==2.3"]
    assert pip(convert(path, python="3.10")) == ["n==1.9"]
    assert pip(convert(path, python="3.10", groups=["dev"])) == ["a==1.4", "n==1.9", "t==8"]


def test_a_lock_without_its_format_is_read_as_the_first(write: Write, pip: Pip) -> None:
    lock = hashed(OLD_LOCK, POETRY).replace('lock-version = "2.0"\n', "")
    assert "a==1.4" in pip(convert(write(POETRY, poetry_lock=lock)))


def test_hashes_follow_their_requirement(write: Write, pip: Pip) -> None:
    text = '[tool.poetry]\nname = "demo"\nversion = "1"\n[tool.poetry.dependencies]\na = "^1"\n'
    lock = OLD_LOCK.replace('B_b = {version = ">=2", extras = ["fast"]}\n', "")
    path = write(text, poetry_lock=hashed(lock, text))
    assert pip(convert(path, hashes=True)) == ["a==1.4 --hash=sha256:a0 --hash=sha256:a1"]
    path = write(POETRY, poetry_lock=hashed(OLD_LOCK, POETRY))
    with pytest.raises(NotSupported, match="no hash for `b-b`"):
        convert(path, hashes=True)


def test_hashes_without_a_lock_are_refused(write: Write) -> None:
    with pytest.raises(UsageError, match="needs exact versions"):
        convert(write(POETRY), hashes=True)


def test_a_stale_lock_is_not_used_and_says_which_dependency_drifted(write: Write, pip: Pip) -> None:
    changed = POETRY.replace('a = "^1"', 'a = "^2"\nnew = "1"')
    path = write(changed, poetry_lock=hashed(OLD_LOCK, POETRY))
    file = convert(path)
    assert file.mode == "ranges"
    assert pip(file) == ["a>=2,<3", "n>=2", "new==1"]
    assert "stale, not used (a: wants `^2`, locked at 1.4; new: not in the lock)" in str(
        file.notes[0]
    )
    with pytest.raises(InvalidSpec, match=r"poetry.lock: a: wants `\^2`, locked at 1.4") as caught:
        convert(path, mode="locked")
    assert caught.value.exit_code == 2
    assert caught.value.hint == "run `poetry lock`, or use `--ranges`"


def test_locked_without_a_lock_is_a_usage_error(write: Write) -> None:
    with pytest.raises(UsageError, match=r"no poetry\.lock or uv\.lock"):
        convert(write(POETRY), mode="locked")


def test_without_a_lock_the_ranges_are_used_with_a_note(write: Write) -> None:
    file = convert(write(POETRY))
    assert file.mode == "ranges"
    assert "no poetry.lock or uv.lock" in str(file.notes[0])


def test_dependency_groups_count_in_the_hash_from_poetry_2_3_on(write: Write) -> None:
    text = '[project]\nname = "demo"\nversion = "1"\ndependencies = ["a"]\n'
    text += '[dependency-groups]\nd = ["t"]\n'
    older = hashed(MARKED_LOCK, text, with_groups=False)
    assert convert(write(text, poetry_lock=older)).mode == "locked"
    newer = older.replace("Poetry 2.1.1", "Poetry 2.3.0")
    assert convert(write(text, poetry_lock=newer)).mode == "ranges"
    newer = hashed(MARKED_LOCK, text).replace("Poetry 2.1.1", "Poetry 2.3.0")
    assert convert(write(text, poetry_lock=newer)).mode == "locked"


def test_a_locked_git_url_or_local_package_is_direct_or_refused(write: Write, pip: Pip) -> None:
    source = '[package.source]\ntype = "git"\nurl = "https://h.org/t.git"\nreference = "main"\n'
    source += 'resolved_reference = "abc"\nsubdirectory = "p"\n[metadata]'
    lock = hashed(MARKED_LOCK, POETRY).replace("[metadata]", source)
    path = write(POETRY, poetry_lock=lock)
    assert (
        pip(convert(path, groups=["dev"]))[-1] == "t @ git+https://h.org/t.git@abc#subdirectory=p"
    )
    with pytest.raises(NotSupported, match="`t` comes from git"):
        convert(
            write(POETRY, poetry_lock=lock.replace("files = []", 'files = [{hash = "sha256:1"}]')),
            groups=["dev"],
            hashes=True,
        )
    local = hashed(MARKED_LOCK, POETRY).replace(
        "[metadata]", '[package.source]\ntype = "directory"\nurl = "../t"\n[metadata]'
    )
    path = write(POETRY, poetry_lock=local)
    with pytest.raises(InvalidSpec, match=r"`t` is `\.\./t` on this machine"):
        convert(path, groups=["dev"])
    assert "t" not in {
        line.name for line in convert(path, groups=["dev"], inline_path_deps=True).lines
    }


def test_the_index_of_a_locked_package_is_named(write: Write, pip: Pip) -> None:
    lock = hashed(MARKED_LOCK, POETRY).replace('version = "2.3"', 'version = "2.3+cpu"')
    lock = lock.replace(
        '\n[[package]]\nname = "n"\nversion = "1.9"',
        '\n[package.source]\ntype = "legacy"\nurl = "https://h.org/cpu"\nreference = "cpu"\n'
        '\n[[package]]\nname = "n"\nversion = "1.9"',
    )
    file = convert(write(POETRY, poetry_lock=lock))
    assert pip(file) == ["--extra-index-url https://h.org/cpu", "a==1.4", "n==2.3+cpu"]


UV = """
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["a[fast]>=1", "g"]
[project.optional-dependencies]
cpu = ["torch"]
gpu = ["torch"]
all = ["demo[cpu]"]
[dependency-groups]
dev = ["t"]
[tool.uv]
conflicts = [[{extra = "cpu"}, {extra = "gpu"}]]
[tool.uv.sources]
g = {git = "https://h.org/g", branch = "main"}
"""


def test_a_uv_lock_is_followed_along_its_forks(write: Write, pip: Pip) -> None:
    path = write(UV, uv_lock=UV_LOCK)
    assert pip(convert(path)) == ["a==1.2", "f==1", "g @ git+https://h.org/g@abc", "n==2.3"]
    assert "n==1.9" in pip(convert(path, python="3.10"))
    assert "t==8" in pip(convert(path, groups=["dev"]))


def test_conflicting_extras_of_uv_choose_their_own_version(write: Write, pip: Pip) -> None:
    path = write(UV, uv_lock=UV_LOCK)
    assert pip(convert(path, extras=["gpu"]))[-1] == "torch==2.0"
    cpu = pip(convert(path, extras=["all"]))
    assert cpu[0] == "--extra-index-url https://h.org/cpu"
    assert cpu[-1] == "torch==2.0+cpu"
    with pytest.raises(UsageError, match="extra `cpu` and extra `gpu` exclude each other"):
        convert(path, extras=["cpu", "gpu"])


@pytest.mark.parametrize(
    ("before", "after", "drift"),
    [
        ('"a[fast]>=1"', '"a[fast]>=2"', "a: declared, but locked differently"),
        ('"a[fast]>=1"', '"a>=1"', "a: declared, but locked differently"),
        ('dependencies = ["a[fast]>=1", "g"]', 'dependencies = ["g"]', "a: locked, but no longer"),
        ('branch = "main"', 'branch = "dev"', "g: declared, but locked differently"),
        ('dev = ["t"]', 'dev = ["t", "u"]', "u: declared, but locked differently"),
        ('">=3.9"', '">=3.10"', "python: wants `>=3.10`"),
        ('name = "demo"', 'name = "other"', "other: the project is not in the lock"),
    ],
)
def test_a_uv_lock_behind_its_project_is_stale(
    write: Write, before: str, after: str, drift: str
) -> None:
    assert convert(write(UV, uv_lock=UV_LOCK)).mode == "locked"
    path = write(UV.replace(before, after, 1), uv_lock=UV_LOCK)
    with pytest.raises(InvalidSpec, match=drift) as caught:
        convert(path, mode="locked")
    assert caught.value.exit_code == 2


def test_hashes_of_a_uv_lock_are_those_of_every_file(write: Write) -> None:
    text = UV.replace('"a[fast]>=1", "g"', '"a>=1"')
    lock = UV_LOCK.replace('{ name = "g", git = "https://h.org/g?branch=main" },', "")
    lock = lock.replace(', extra = ["fast"] }, { name = "g" }]', " }]")
    lock = lock.replace('extras = ["fast"], specifier', "specifier")
    lock = lock.replace(
        'version = "2.3"\nsource', 'version = "2.3"\nwheels = [{hash = "sha256:n"}]\nsource'
    )
    file = convert(write(text, uv_lock=lock), hashes=True)
    assert [line.requirement for line in file.lines] == [
        "a==1.2 --hash=sha256:a0 --hash=sha256:a1",
        "n==2.3 --hash=sha256:n",
    ]


def test_a_workspace_member_uses_the_lock_of_its_workspace(tmp_path: Path, pip: Pip) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["p/*"]\n')
    (tmp_path / "uv.lock").write_text(UV_LOCK.replace('editable = "."', 'editable = "p/demo"'))
    member = tmp_path / "p" / "demo"
    member.mkdir(parents=True)
    (member / "pyproject.toml").write_text(UV)
    assert "a==1.2" in pip(convert(member))


def test_the_difference_is_empty_only_for_the_same_bytes(write: Write, tmp_path: Path) -> None:
    file = convert(write(UV, uv_lock=UV_LOCK))
    written = tmp_path / "environment.yml"
    assert difference(file, written).count("\n+") == file.text.count("\n") + 1
    written.write_text(file.text)
    assert difference(file, written) == ""
    written.write_text(file.text.replace("f==1", "f==2"))
    assert "-      - f==2\n+      - f==1\n" in difference(file, written)


@pytest.mark.parametrize(
    ("name", "lock", "before", "after"),
    [
        ("poetry_lock", OLD_LOCK, 'name = "b-b"\n', ""),
        ("poetry_lock", OLD_LOCK, 'version = "1.4"', 'version = "one"'),
        ("uv_lock", UV_LOCK, 'source = { registry = "https://pypi.org/simple" }\n', ""),
        ("uv_lock", UV_LOCK, "version = 1\n", "<<<<<<< HEAD\n"),
    ],
)
def test_a_damaged_lock_is_named(
    write: Write, name: str, lock: str, before: str, after: str
) -> None:
    text = POETRY if name == "poetry_lock" else UV
    damaged = hashed(lock, text).replace(before, after, 1)
    assert damaged != hashed(lock, text)
    with pytest.raises(InvalidSpec, match=name.replace("_", r"\.")):
        convert(write(text, **{name: damaged}))


def test_a_new_lock_says_who_needs_a_package(write: Write) -> None:
    needs = '[package.dependencies]\nT = "*"\n\n[[package]]\nname = "n"\nversion = "1.9"'
    lock = hashed(MARKED_LOCK, POETRY).replace('\n[[package]]\nname = "n"\nversion = "1.9"', needs)
    lock = lock.replace('groups = ["dev"]', 'groups = ["main"]')
    reasons = {line.name: line.reason for line in convert(write(POETRY, poetry_lock=lock)).lines}
    assert reasons == {"a": "dependencies", "n": "dependencies", "t": "n 2.3"}


def test_what_the_target_leaves_out_is_reported_with_a_lock_too(write: Write) -> None:
    file = convert(write(POETRY, poetry_lock=hashed(OLD_LOCK, POETRY)))
    assert "w: skipped: for platform `win32`, not linux" in [str(note) for note in file.notes]


def test_a_published_dependency_that_the_lock_has_as_a_folder_points_to_ranges(
    write: Write,
) -> None:
    local = hashed(MARKED_LOCK, POETRY).replace(
        '\n[[package]]\nname = "n"\nversion = "2.3"',
        '[package.source]\ntype = "directory"\nurl = "../a"\n'
        '\n[[package]]\nname = "n"\nversion = "2.3"',
    )
    with pytest.raises(InvalidSpec, match="`a` is") as caught:
        convert(write(POETRY, poetry_lock=local))
    assert "`--ranges` takes the published one" in str(caught.value.hint)
