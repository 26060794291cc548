"""`amlkit data`: sample, split, if-changed, archive, through the real executable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlkit.services import selection

PATHS = st.lists(st.text("abc/", min_size=1), unique=True, max_size=60)


@given(paths=PATHS, fraction=st.floats(0, 1), seed=st.integers(), stratify=st.booleans())
def test_a_split_is_a_partition_that_order_does_not_change(paths, fraction, seed, stratify):
    first, second = selection.split(paths, fraction, seed=seed, stratify=stratify)
    assert sorted(first + second) == sorted(paths)
    again = selection.split(paths[::-1], fraction, seed=seed, stratify=stratify)
    assert again == (first, second)


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6), fraction=st.floats(0, 1))
def test_a_stratified_split_is_within_one_file_of_exact_in_every_folder(sizes, fraction):
    paths = [f"{folder}/{n}" for folder, size in enumerate(sizes) for n in range(size)]
    first, _ = selection.split(paths, fraction, seed=1, stratify=True)
    counts = Counter(path.split("/")[0] for path in first)
    for folder, size in enumerate(sizes):
        assert abs(counts[str(folder)] - fraction * size) <= 1


def test_the_choice_is_the_same_on_every_machine():
    paths = [f"{n}.png" for n in range(10)]
    chosen = selection.sample(paths, fraction=0.3, take=None, seed=1)
    assert chosen == ["0.png", "2.png", "4.png"]
    assert selection.sample(paths, fraction=0.001, take=30, seed=1)[0] in paths


@pytest.fixture
def amlkit(tmp_path):
    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "amlkit", *arguments],
            env={**os.environ, "AMLKIT_HOME": str(tmp_path / "home")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


@pytest.fixture
def digits(tmp_path, amlkit):
    for label in "01":
        (tmp_path / "digits" / label).mkdir(parents=True)
        for n in range(10):
            (tmp_path / "digits" / label / f"{n}.txt").write_text(f"{label} {n}")
    assert amlkit("data", "create", "--name", "digits", "--path", "digits", "-o", "name") == (
        "digits:1\n"
    )
    return tmp_path / "digits"


def test_split_registers_two_assets(amlkit, digits, tmp_path):
    arguments = ["--fraction", "0.8", "--seed", "123", "--stratify", "--into", "train", "val"]
    assert amlkit("data", "split", "digits", *arguments, "-o", "name") == "train:1\nval:1\n"
    place = Path(amlkit("data", "download", "train", "-p", str(tmp_path / "out")).strip())
    assert {each.name: len(list(each.iterdir())) for each in place.iterdir()} == {"0": 8, "1": 8}


def test_sample_writes_so_many_files(amlkit, digits, tmp_path):
    amlkit("data", "sample", "digits", "--take", "3", "--output-dir", "some")
    found = [path for path in (tmp_path / "some").rglob("*") if path.is_file()]
    assert len(found) == 3
    for path in found:
        assert path.read_text() == (digits / path.relative_to(tmp_path / "some")).read_text()


def test_if_changed_makes_no_version_of_the_same_content(amlkit, digits):
    again = ["data", "create", "--name", "digits", "--path", "digits", "--if-changed", "-o", "name"]
    assert amlkit(*again) == "digits:1\n"
    (digits / "0" / "0.txt").write_text("new")
    assert amlkit(*again) == "digits:2\n"


def test_an_archived_name_is_not_listed_until_it_is_restored(amlkit, digits):
    amlkit("data", "archive", "digits")
    assert json.loads(amlkit("data", "list")) == []
    amlkit("data", "restore", "digits")
    assert [each["name"] for each in json.loads(amlkit("data", "list"))] == ["digits"]


def test_a_remote_uri_is_kept_as_a_reference(amlkit):
    uri = "https://example.com/titanic.csv"
    shown = json.loads(amlkit("data", "create", "--name", "t", "--path", uri))
    assert (shown["path"], shown["type"]) == (uri, "uri_file")


def test_archiving_the_latest_leaves_the_earlier_versions(amlkit, digits):
    for each in ("1", "2"):
        amlkit("data", "create", "--name", "two", "--path", "digits", "--version", each)
    assert amlkit("data", "archive", "two@latest", "-o", "name") == "two:2\n"
    assert amlkit("data", "list", "--name", "two", "-o", "name") == "two:1\n"


def test_a_dry_run_says_what_a_verb_would_do_and_does_nothing(amlkit, digits, tmp_path):
    amlkit("data", "create", "--name", "whole", "--path", "digits")
    before = amlkit("data", "list", "--archived", "-o", "json")
    split = ("data", "split", "whole", "--fraction", "0.5", "--seed", "1", "--into", "a", "b")
    planned = json.loads(amlkit(*split, "--dry-run"))
    sample = ("data", "sample", "whole", "--take", "2", "--seed", "1", "--output-dir", "some")
    chosen = amlkit(*sample, "--dry-run", "-o", "name")
    hidden = json.loads(amlkit("data", "archive", "whole", "--dry-run"))
    assert [each["archived"] for each in hidden] == [True]
    amlkit("data", "archive", "nobody", "--dry-run", code=3)
    assert amlkit("data", "list", "--archived", "-o", "json") == before
    assert not (tmp_path / "some").exists()

    assert chosen == amlkit(*sample, "-o", "name")
    made = [each["name"] for each in json.loads(amlkit(*split))]
    assert [each["spec"]["name"] for each in planned] == made == ["a", "b"]
    whole = len([each for each in digits.rglob("*") if each.is_file()])
    assert sum(each["spec"]["files"] for each in planned) == whole
