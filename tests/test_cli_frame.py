"""The conventions of the command line, through the real executable."""

from __future__ import annotations

import json

import pytest


def test_a_mistyped_command_names_the_closest_one(amlkit):
    done = amlkit("jbo", "list")
    assert done.returncode == 2
    assert "no such command `jbo`" in done.stderr
    assert "did you mean `amlkit job`?" in done.stderr


def test_a_mistyped_verb_names_the_closest_one(amlkit):
    done = amlkit("job", "sbumit")
    assert done.returncode == 2
    assert "did you mean `amlkit job submit`?" in done.stderr


def test_an_unknown_option_exits_2_and_points_to_help(amlkit):
    done = amlkit("data", "list", "--frob")
    assert done.returncode == 2
    assert "--frob" in done.stderr
    assert "amlkit data list --help" in done.stderr


def test_success_in_a_pipe_leaves_stderr_empty(amlkit):
    done = amlkit("data", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == []


@pytest.fixture
def registered(amlkit, tmp_path):
    (tmp_path / "größe.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    for _ in range(2):
        done = amlkit("data", "create", "--name", "numbers", "--path", "größe.csv", "-o", "name")
        assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_name_output_is_a_reference_for_other_commands(amlkit, registered):
    assert registered.startswith("numbers:")
    assert json.loads(amlkit("data", "show", registered).stdout)["name"] == "numbers"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("json", '"name": "numbers"'),
        ("jsonl", '"name": "numbers"'),
        ("yaml", "name: numbers"),
        ("tsv", "numbers\t"),
        ("name", "numbers:"),
        ("table", "NAME"),
    ],
)
def test_every_format_prints_the_list(amlkit, registered, output, expected):
    done = amlkit("data", "list", "-o", output)
    assert done.returncode == 0
    assert expected in done.stdout


def test_none_prints_nothing(amlkit, registered):
    assert amlkit("data", "list", "-o", "none").stdout == ""


def test_query_selects_as_in_az(amlkit, registered):
    done = amlkit("data", "list", "--query", "[].name", "-o", "tsv")
    assert done.stdout == "numbers\n"


def test_a_broken_query_exits_2_and_says_where(amlkit, registered):
    done = amlkit("data", "list", "--query", "[?name=")
    assert done.returncode == 2
    assert "--query `[?name=`" in done.stderr


def test_a_missing_asset_exits_3_and_names_the_closest(amlkit, registered):
    done = amlkit("data", "show", "nubmers")
    assert done.returncode == 3
    assert "did you mean `numbers`?" in done.stderr


def test_a_missing_version_lists_those_there_are(amlkit, registered):
    done = amlkit("data", "show", "numbers:99")
    assert done.returncode == 3
    assert "has no version `99`" in done.stderr


def test_an_unknown_workspace_exits_3(amlkit):
    done = amlkit("-w", "nowhere", "data", "list")
    assert done.returncode == 3
    assert "no workspace is called `nowhere`" in done.stderr


def test_the_flag_wins_over_the_environment(amlkit, tmp_path):
    done = amlkit("-w", "nowhere", "data", "list", env={"AMLKIT_WORKSPACE": "local"})
    assert done.returncode == 3
    done = amlkit("-w", "local", "data", "list", env={"AMLKIT_WORKSPACE": "nowhere"})
    assert done.returncode == 0


def test_a_traceback_is_shown_only_with_verbose(amlkit):
    assert "Traceback" not in amlkit("data", "show", "nothing").stderr
    assert "Traceback" in amlkit("--verbose", "data", "show", "nothing").stderr


def test_color_is_off_in_a_pipe_and_on_when_forced(amlkit):
    assert "\x1b[" not in amlkit("data", "show", "nothing").stderr
    assert "\x1b[" in amlkit("data", "show", "nothing", env={"FORCE_COLOR": "1"}).stderr
    both = {"FORCE_COLOR": "1", "NO_COLOR": "1"}
    assert "\x1b[" not in amlkit("data", "show", "nothing", env=both).stderr


def test_a_workspace_that_cannot_be_written_says_so(amlkit, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = amlkit("data", "list", env={"AMLKIT_HOME": str(blocked)})
    assert done.returncode == 1
    assert "cannot be made" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_catalogue_of_a_newer_amlkit_is_left_alone(amlkit, tmp_path):
    import sqlite3

    amlkit("data", "list")
    path = next((tmp_path / "home").rglob("catalogue.db"))
    with sqlite3.connect(path) as connection:
        connection.execute("pragma user_version = 999")
    connection.close()
    done = amlkit("data", "list")
    assert done.returncode == 1
    assert "newer amlkit" in done.stderr
    assert "upgrade amlkit" in done.stderr
