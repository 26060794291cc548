"""The rules of names and globs, by themselves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amlkit import transfers
from amlkit.errors import AmlkitError, Conflict, UsageError


@pytest.mark.parametrize(
    ("glob", "base", "yes", "no"),
    [
        ("**/*.csv", "", ["a.csv", "x/y/a.csv"], ["a.csv.gz", "a.txt"]),
        ("raw/*.csv", "raw", ["a.csv"], ["x/a.csv"]),
        ("raw/**", "raw", ["a", "x/y"], []),
        ("a/?[!0-4].bin", "a", ["x5.bin"], ["x4.bin", "5.bin", "/5.bin"]),
        ("a.b/c+*", "a.b", ["c+d"], ["ccd"]),
    ],
)
def test_globs_match_by_folder(glob, base, yes, no):
    found, pattern = transfers.split_glob(glob)
    assert found == base
    assert [each for each in yes + no if pattern.match(each)] == yes


@pytest.mark.parametrize(
    "name", ["../x", "a/../x", "/etc/x", "a\\b", "a//b", "a/./b", "", "a/", "x\0y"]
)
def test_unsafe_names_are_never_written(name):
    with pytest.raises(AmlkitError):
        transfers.local_target(Path("out"), name)


@pytest.mark.parametrize("name", ["C:x", "a/C:x", "a/C:/x"])
def test_a_colon_is_a_drive_on_windows_alone(name):
    assert transfers.local_target(Path("out"), name, windows=False) == Path("out", name)
    with pytest.raises(AmlkitError):
        transfers.local_target(Path("out"), name, windows=True)


def test_names_that_differ_only_in_case_clash_where_case_is_not_told():
    names = ["Data/a.csv", "data/A.csv"]
    transfers.check_clashes(names, case_sensitive=True)
    with pytest.raises(Conflict, match="would be the same file"):
        transfers.check_clashes(names, case_sensitive=False)


def test_a_path_that_leads_out_is_refused():
    with pytest.raises(UsageError):
        transfers.inside("a\\..\\b", "images")


def test_what_links_lead_to_is_sent_once_around_a_circle(tmp_path):
    (tmp_path / "one" / "deep").mkdir(parents=True)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "b.txt").write_text("b")
    for link, leads in (("one/deep/back", ".."), ("one/other", "../two"), ("two/one", "../one")):
        (tmp_path / link).symlink_to(leads)
    (tmp_path / "one" / "file").symlink_to("../two/b.txt")
    (tmp_path / "one" / "broken").symlink_to("nowhere")
    assert sorted(transfers.local_files(tmp_path / "one", "t")) == ["t/file", "t/other/b.txt"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (b"new\nline", r"storage cannot keep the name `deep/new\nline`"),
        (b"back\\slash", "storage cannot keep the name `deep/back"),
        (b"\xff.txt", r"storage cannot keep the name `deep/\udcff.txt`: it is not UTF-8"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="there are no such names")
def test_names_that_storage_would_change_are_not_sent(tmp_path, name, why):
    (tmp_path / "deep").mkdir()
    with open(os.fsencode(tmp_path / "deep") + b"/" + name, "wb"):  # noqa: PTH123
        pass
    with pytest.raises(AmlkitError) as refused:
        transfers.local_files(tmp_path, "")
    assert str(refused.value).startswith(why)
