"""Expressions: parsed with positions, resolved so that a shell sees exactly one word."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlkit.specs import expressions


def echoed(template: str, value: object) -> str:
    text = expressions.resolve(template, lambda binding: value)
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize(
    "template",
    [
        "printf %s ${{inputs.x}}",
        'printf %s "${{inputs.x}}"',
        "printf %s '${{inputs.x}}'",
        "printf %s a${{inputs.x}}",
    ],
)
@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "two words",
        "it's",
        'a "quote"',
        "$HOME `id` $(id)",
        "; rm -rf x",
        "*",
        "back\\slash",
        "new\nline",
        "größe",
    ],
)
def test_a_value_reaches_the_command_as_one_word_wherever_it_stands(template, value):
    assert echoed(template, value).removeprefix("a" if "a${{" in template else "") == value


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=30))
def test_quoting_never_lets_a_value_out(value):
    text = expressions.resolve("x ${{inputs.v}}", lambda binding: value)
    import shlex

    assert shlex.split(text) == (["x", value] if value else ["x", ""]) or value == ""


def test_an_optional_group_goes_when_its_input_is_unset():
    values = {"a": 1, "b": None}
    text = expressions.resolve(
        "run --a ${{inputs.a}} $[[--b ${{inputs.b}}]] $[[--a2 ${{inputs.a}}]]",
        lambda binding: values[binding.keys[0]],
    )
    assert text.split() == ["run", "--a", "1", "--a2", "1"]


def test_booleans_are_written_as_python_writes_them():
    assert expressions.resolve("${{inputs.x}}", lambda binding: True) == "True"


def test_positions_and_roots_are_kept():
    found = expressions.bindings("a ${{ parent.jobs.train.outputs.model }}")
    assert [(each.root, each.keys, each.start, each.end) for each in found] == [
        ("parent.jobs", ("train", "outputs", "model"), 2, 40)
    ]
