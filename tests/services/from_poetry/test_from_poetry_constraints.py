"""Poetry's constraints against poetry-core's own reading of them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from poetry.core.constraints.version import Version as PoetryVersion
from poetry.core.constraints.version import parse_constraint

from amlkit.services.from_poetry.constraints import (
    NotAConstraint,
    pep440_constraint,
    poetry_constraint,
)
from amlkit.services.from_poetry.unions import CannotExpress

parts = st.lists(st.integers(0, 4), min_size=1, max_size=4)
suffixes = st.sampled_from(["", "", "", "a1", "rc2", ".dev3", ".post1"])
releases = st.builds(lambda numbers: ".".join(map(str, numbers)), parts)
versions = st.builds(lambda release, suffix: release + suffix, releases, suffixes)
short = st.builds(
    lambda numbers: ".".join(map(str, numbers)), st.lists(st.integers(0, 4), min_size=1, max_size=3)
)
clauses = st.one_of(
    st.builds(
        "{}{}".format, st.sampled_from(["^", "~", ">=", ">", "<=", "<", "==", "!=", ""]), versions
    ),
    st.builds("~={}".format, versions),
    st.builds("{}{}.*".format, st.sampled_from(["", "==", "!="]), short),
    st.just("*"),
)
conjunctions = st.builds(",".join, st.lists(clauses, min_size=1, max_size=3))
unions = st.builds(" || ".join, st.lists(conjunctions, min_size=1, max_size=3))

# Post-releases and pre-releases are where Poetry and PEP 440 disagree on single clauses (`!=2`
# leaves out 2.post1 in one and not in the other), so they are asked about only one by one below.
SAMPLES = [
    Version(text)
    for text in (
        *(f"{a}.{b}.{c}" for a in range(6) for b in range(6) for c in (0, 1, 4, 7)),
        *(f"{a}.{b}.{c}.{d}" for a in (0, 1) for b in (0, 3) for c in (0, 2) for d in (1, 3, 5)),
        "100",
        "1.2+local",
    )
]


@given(unions)
def test_a_constraint_allows_what_poetry_core_allows(text: str) -> None:
    theirs = parse_constraint(text)
    ours = poetry_constraint(text)
    for version in SAMPLES:
        assert ours.allows(version) == theirs.allows(PoetryVersion.parse(str(version))), version


@given(unions)
def test_the_text_for_pip_allows_what_poetry_core_allows(text: str) -> None:
    theirs = parse_constraint(text)
    try:
        pip = SpecifierSet(poetry_constraint(text).pip)
    except CannotExpress:
        assume(False)
    for version in SAMPLES:
        allowed = theirs.allows(PoetryVersion.parse(str(version)))
        assert pip.contains(version, prereleases=True) == allowed, (version, str(pip))


@given(st.sampled_from(["^", "~", ">=", "<", "=="]), releases, suffixes)
def test_prereleases_at_the_ends_of_a_range_are_poetrys(
    operator: str, release: str, suffix: str
) -> None:
    text = f"{operator}{release}{suffix}"
    theirs, ours = parse_constraint(text), poetry_constraint(text)
    for tail in (".dev0", "a1", "rc1", ""):
        version = f"{release}{tail}"
        assert ours.allows(Version(version)) == theirs.allows(PoetryVersion.parse(version)), version


@pytest.mark.parametrize(
    ("written", "pip"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("~=1.4", "~=1.4"),
        ("1.2.*", "==1.2.*"),
        ("1.*.*", "==1.*"),
        ("1.2.3", "==1.2.3"),
        ("=1.2", "==1.2"),
        ("v1.2", "==1.2"),
        ("*", ""),
        ("x", ""),
        (">=1.0 <2.0", ">=1.0,<2.0"),
        ("> 1.0 , < 2.0", ">1.0,<2.0"),
        (">=1,<2,", ">=1,<2"),
        ("!=1.5", "!=1.5"),
        ("2.6.0+cpu", "==2.6.0+cpu"),
        ("^1 || ^2", ">=1,<3"),
        ("^1.0 || ^3.0", ">=1.0,!=2.*,<4"),
        ("<1.5 || >1.5", "!=1.5"),
        ("^1.2 || ^2.2", ">=1.2,!=2.0.*,!=2.1.*,<3"),
        ("^1!2.0", ">=1!2.0,<1!3"),
    ],
)
def test_a_constraint_is_written_for_pip(written: str, pip: str) -> None:
    assert poetry_constraint(written).pip == pip


@pytest.mark.parametrize("written", ["~1.4 || ^2.3", "1.5 || 1.7", "<=1.5 || >=1.7"])
def test_a_union_that_pip_cannot_express_says_so_and_conda_can(written: str) -> None:
    constraint = poetry_constraint(written)
    with pytest.raises(CannotExpress, match="pip cannot express"):
        _ = constraint.pip
    assert "|" in constraint.conda


@pytest.mark.parametrize(
    "written", ["latest", "^", "1.2 - 1.4", ">=1.2+cpu", "1.0rc1.*", "", ",", "<>1"]
)
def test_what_poetry_cannot_mean_is_not_a_constraint(written: str) -> None:
    with pytest.raises(NotAConstraint):
        poetry_constraint(written)


def test_conda_reads_a_wildcard_as_a_fuzzy_match() -> None:
    assert poetry_constraint("1.2.*").conda == "=1.2"
    assert poetry_constraint("^1.2").conda == ">=1.2,<2"


def test_pep_440_clauses_keep_their_order() -> None:
    assert pep440_constraint("<2,>=1").pip == "<2,>=1"
