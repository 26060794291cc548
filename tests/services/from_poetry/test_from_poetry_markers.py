"""Markers against `packaging`'s own evaluation, and what it cannot evaluate: sets of extras."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from amlkit.services.from_poetry.markers import NotAMarker, Target, extras_in

TARGET = Target("3.11", 9)

pythons = st.sampled_from(["3.8", "3.10", "3.11", "3.12", "4"])
comparisons = st.one_of(
    st.builds(
        'python_version {} "{}"'.format,
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        pythons,
    ),
    st.builds(
        'python_full_version {} "{}"'.format,
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.sampled_from(["3.11.0", "3.11.9", "3.11.10", "3.12"]),
    ),
    st.builds('"{}" <= python_version'.format, pythons),
    st.builds(
        "{} {} '{}'".format,
        st.sampled_from(["sys_platform", "platform_system", "os_name", "platform_machine"]),
        st.sampled_from(["==", "!=", "in", "not in"]),
        st.sampled_from(["linux", "Linux", "win32", "posix", "x86_64", "arm64", "linux darwin"]),
    ),
    st.builds("'{}' in sys_platform".format, st.sampled_from(["lin", "win"])),
    st.sampled_from(
        ["platform_python_implementation != 'PyPy'", "implementation_name == 'cpython'"]
    ),
)
markers = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=6,
)


@given(markers)
def test_a_marker_holds_when_packaging_says_so(marker: str) -> None:
    expected = Marker(marker).evaluate({**TARGET.values, "extra": ""})
    assert TARGET.accepts(marker) == expected


def test_two_extras_at_once_can_be_asked_for() -> None:
    both = Target("3.11", 9, frozenset({"cpu", "gpu"}))
    assert both.accepts("extra == 'cpu' and extra == 'gpu'")
    assert not both.accepts("extra != 'cpu' and extra != 'gpu'")
    assert TARGET.accepts("extra != 'cpu' and extra != 'gpu'")


def test_extras_are_compared_by_their_normal_name() -> None:
    assert Target("3.11", 9, frozenset({"my-extra"})).accepts('extra == "My_Extra"')
    assert extras_in("extra == 'A_b' or extra == 'c'") == {"a-b", "c"}


def test_a_list_of_versions_is_not_a_substring() -> None:
    assert TARGET.accepts("python_version in '3.10, 3.11'")
    assert not Target("3.1", 0).accepts("python_version in '3.10, 3.11'")


@pytest.mark.parametrize(
    "marker",
    ["python_version", "python_version <", "(os_name == 'posix'", "nope == '1'", "a b c", "'x'"],
)
def test_text_that_is_not_a_marker_is_refused(marker: str) -> None:
    with pytest.raises(NotAMarker):
        TARGET.accepts(marker)
