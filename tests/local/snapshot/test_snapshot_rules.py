"""Snapshots: ignore rules as git reads them, the size guard, the secret scan."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from amlkit.errors import AmlkitError
from amlkit.local import snapshot
from amlkit.local.content import ContentStore

PATTERNS = """
*.log
!keep.log
/only_top.txt
build/
docs/*.md
**/deep
a/**/z
tail/**
\\#hash
[ab]?.bin
x[!0-9]y
"""
PATHS = (
    *("one.log", "keep.log", "sub/one.log", "sub/keep.log", "only_top.txt", "sub/only_top.txt"),
    *("build/x", "sub/build/x", "docs/a.md", "docs/sub/a.md", "deep", "p/q/deep", "a/z", "a/b/z"),
    *("a/b/c/z", "tail/x", "tail/y/z", "#hash", "a1.bin", "c1.bin", "x1y", "xqy", "plain.py"),
    "buildx/y",
)


def _fill(code: Path) -> None:
    for name in PATHS:
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text("x")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there to compare with")
def test_the_rules_are_those_of_git(tmp_path):
    _fill(tmp_path)
    (tmp_path / ".gitignore").write_text(PATTERNS)
    (tmp_path / "sub" / ".gitignore").write_text("!one.log\n/only_top.txt\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = ["git", "-c", "core.quotepath=off", "ls-files", "-co", "--exclude-standard"]
    wanted = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    included = {path for path, _ in snapshot.plan(tmp_path).included}
    assert included == set(wanted.stdout.split())


def test_amlignore_adds_rules_and_takes_some_back(tmp_path):
    (tmp_path / ".gitignore").write_text("*.csv\n")
    (tmp_path / ".amlignore").write_text("!small.csv\nnotes\n")
    for name in ("small.csv", "large.csv", "notes"):
        (tmp_path / name).write_text("x")
    plan = snapshot.plan(tmp_path)
    assert {path for path, _ in plan.included} == {".amlignore", ".gitignore", "small.csv"}
    assert {path: str(rule) for path, rule in plan.excluded} == {
        "large.csv": ".gitignore:1: *.csv",
        "notes": ".amlignore:2: notes",
    }


def test_some_folders_are_always_out(tmp_path):
    (tmp_path / ".amlignore").write_text("!.venv\n")
    for name in (".git", ".venv", "p/__pycache__"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x").write_text("x")
    assert [path for path, _ in snapshot.plan(tmp_path).included] == [".amlignore"]


def test_a_folder_that_is_too_large_names_its_largest_file(tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    (code / "model.bin").write_bytes(b"0" * 2000)
    store = ContentStore(tmp_path / "store")
    with pytest.raises(AmlkitError, match=r"model\.bin"):
        snapshot.take(store, code, size_limit_bytes=1000)
    assert snapshot.take(store, code, size_limit_bytes=None).size == 2000


@pytest.mark.parametrize(
    "line",
    [
        "AccountKey=" + "a" * 86 + "==",
        "https://x.blob.core.windows.net/c?sv=1&sig=" + "b" * 43 + "%3D",
        "secret = 'abc8Q~" + "c" * 34 + "'",
        "-----BEGIN RSA PRIVATE " + "KEY-----",
    ],
)
def test_a_secret_is_refused_with_its_line_and_can_be_allowed(tmp_path, line):
    code = tmp_path / "code"
    code.mkdir()
    (code / "train.py").write_text(f"import os\n{line}\n")
    store = ContentStore(tmp_path / "store")
    with pytest.raises(AmlkitError, match=r"^train\.py:2: ") as raised:
        snapshot.take(store, code)
    assert line not in raised.value.message
    assert snapshot.take(store, code, allow_secrets=True).files == 1


def test_includes_lie_beside_the_code_under_their_own_names(tmp_path):
    for name in ("code/train.py", "shared/lib.py", "one.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    store = ContentStore(tmp_path / "store")
    includes = [tmp_path / "shared", tmp_path / "one.py"]
    tree = snapshot.take(store, tmp_path / "code", includes=includes)
    assert [each.path for each in store.entries(tree.digest)] == [
        "one.py",
        "shared/lib.py",
        "train.py",
    ]
