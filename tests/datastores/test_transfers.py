"""The rules of names and globs, by themselves."""

from __future__ import annotations

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
    "name", ["../x", "a/../x", "/etc/x", "C:x", "a\\b", "a//b", "a/./b", "", "a/", "x\0y"]
)
def test_unsafe_names_are_never_written(name):
    with pytest.raises(AmlkitError):
        transfers.local_target(Path("out"), name)


def test_names_that_differ_only_in_case_clash_where_case_is_not_told():
    names = ["Data/a.csv", "data/A.csv"]
    transfers.check_clashes(names, case_sensitive=True)
    with pytest.raises(Conflict, match="would be the same file"):
        transfers.check_clashes(names, case_sensitive=False)


def test_a_path_that_leads_out_is_refused():
    with pytest.raises(UsageError):
        transfers.inside("a\\..\\b", "images")
