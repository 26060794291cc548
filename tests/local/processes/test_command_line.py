"""Commands that bash would only pass on are run without it, and nobody can tell the difference."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amlkit.local.shell import command_line, shell

SHOW = "#!/usr/bin/env python3\nimport os, sys\nprint(sys.argv[1:], os.environ['PWD'])\n"
PIECES = ["a", "Z9", "-", "--", ".", "/", ":", "@", "%", "+", ",", "=", "_", "~", "*", "?", "[", "!",
          "#", "$", "{a,b}", "(", "<", ">", "|", "&", ";", "'", '"', "\\", "`", "\t", "\n", "  "]  # fmt: skip
words = (
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=4)
    .map("".join)
    .filter(
        # The number of the shell itself is another each time.
        lambda word: "$$" not in word
    )
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with programs, and the variables of a job in it."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "show").write_text(SHOW)
    (folder / "bare").write_text("echo run by a shell $1\n")
    for name in ("show", "bare"):
        (folder / name).chmod(0o755)
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    return folder, {"PATH": path, "PWD": str(folder)}


def run(command, place):
    folder, variables = place
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("text", "direct"),
    [
        ("show a --lr=0.5 -x b/c.py", True),
        ("show a b=c", True),
        ("show", True),
        ("show  two spaces", False),
        ("lr=1 show", False),
        ("show $HOME", False),
        ("show ~", False),
        ("show a; show b", False),
        ("show a && show b", False),
        ("show 'a b'", False),
        ("show *.py", False),
        ("./show a", False),
        ("no-such-program a", False),
        ("bare a", False),
        ("echo a", False),
        ("exit 3", False),
        ("test a", False),
    ],
)
def test_only_a_program_with_plain_words_is_run_without_a_shell(text, direct, place):
    assert (command_line(text, place[1])[: len(shell())] != shell()) is direct
    assert run(command_line(text, place[1]), place) == run([*shell(), text], place)


@settings(max_examples=40, deadline=None)
@given(given_words=st.lists(words, max_size=3))
@example(given_words=["a", "--x=~"])
@example(given_words=["=", "-"])
def test_a_program_gets_what_bash_would_give_it(place, given_words):
    text = " ".join(["show", *given_words])
    command = command_line(text, place[1])
    # What bash runs in either case need not be the same twice: `$$`, `a | b`.
    if command != [*shell(), text]:
        assert run(command, place) == run([*shell(), text], place)


def test_a_start_up_file_of_the_shell_is_honoured(place):
    assert command_line("show a", {**place[1], "BASH_ENV": "x"}) == [*shell(), "show a"]
