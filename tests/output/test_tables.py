"""Tables: whole in a pipe, as wide as the screen on a terminal, and what `--query` selects."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from amlkit.output.layout import WHOLE, widths

JOB = """
command: echo hello
environment: azureml:none@latest
display_name: a display name that is far longer than a column should be
experiment_name: an_experiment_with_a_name_that_is_long
inputs: {epochs: 3}
"""
NAME = "a_job_whose_name_is_long_too"


@pytest.fixture
def job(amlkit, tmp_path):
    (tmp_path / "job.yml").write_text(JOB, encoding="utf-8")
    done = amlkit("job", "submit", "job.yml", "--current-python", "--wait", "-n", NAME)
    assert done.returncode == 0, done.stderr
    return NAME


def on_a_terminal(tmp_path, *arguments):
    """Run the executable on a terminal 80 columns wide; return what it wrote, without colour."""
    program = (
        "import pty, sys, os\n"
        "sys.exit(os.waitstatus_to_exitcode(pty.spawn([sys.executable, '-m', 'amlkit',"
        " *sys.argv[1:]])))"
    )
    pytest.importorskip("pty", reason="a terminal is a Unix thing")
    env = {"AMLKIT_HOME": str(tmp_path / "home"), "TERM": "xterm", "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-c", program, "-q", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=tmp_path,
        env=env,
        timeout=60,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace").replace("\r", "")
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said).splitlines()


def test_in_a_pipe_a_record_is_one_uncut_line_without_blanks_at_its_end(amlkit, job):
    done = amlkit("job", "list", "-o", "table")
    header, line = done.stdout.removesuffix("\n").split("\n")
    for each in (NAME, "a column should be", "a_name_that_is_long", "Completed"):
        assert each in line
    assert header.split("  ")[0] == "NAME"
    assert header == header.rstrip()
    assert line == line.rstrip()
    assert len(line) > 80


def test_on_a_terminal_name_and_status_are_whole_and_the_longest_columns_are_cut(tmp_path, job):
    header, line = on_a_terminal(tmp_path, "job", "list")
    assert NAME in line
    assert "Completed" in line
    assert "STATUS" in header
    assert "a display name that is far longer" not in line
    assert len(line.rstrip()) <= 80


def test_widths_fit_the_room_and_never_cut_what_is_copied():
    names = ("name", "type", "display_name", "experiment_name", "status", "created", "duration")
    needed = [20, 8, 60, 30, 9, 14, 9]
    assert widths(names, needed, 500) == needed
    found = widths(names, needed, 90)
    assert sum(found) + 2 * 6 == 90
    kept = [index for index, name in enumerate(names) if name in WHOLE]
    assert [found[index] for index in kept] == [needed[index] for index in kept]
    assert abs(found[2] - found[3]) <= 1
    assert widths(("name", "found"), [50, 50], 20) == [50, 5]


def test_no_is_a_word(amlkit, tmp_path, job):
    (tmp_path / "broken.yml").write_text("command: echo\nenvironmnt: x\n", encoding="utf-8")
    checked = amlkit("validate", "job.yml", "broken.yml", "-o", "table").stdout.splitlines()
    assert [line.split()[-1] for line in checked] == ["VALID", "yes", "no"]
    shown = amlkit("job", "show", job, "-o", "table").stdout
    assert re.search(r"^archived +no$", shown, re.MULTILINE)


def test_what_a_query_selects_is_a_table(amlkit, job):
    def table(query):
        return amlkit("job", "list", "--query", query, "-o", "table").stdout.splitlines()

    header, line = table("[].{n:name,status:status,gone:archived}")
    assert header.split() == ["N", "STATUS", "GONE"]
    assert line.split() == [NAME, "Completed", "no"]
    assert [each.split()[0] for each in table("[0]")] == ["NAME", NAME]
    assert [each.split() for each in table("[].[name, status]")] == [
        ["COLUMN1", "COLUMN2"],
        [NAME, "Completed"],
    ]
    assert table("[].name") == ["RESULT", NAME]
    assert table("[0].status") == ["RESULT", "Completed"]
    assert table("[0].nothing") == []


def test_a_query_may_call_anything_a_duration(amlkit, job):
    query = "[].{duration:status,created:archived,size:name}"
    done = amlkit("job", "list", "--query", query, "-o", "table")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].split()[0] == "Completed"


def test_objects_of_a_query_have_a_header_in_csv_and_none_in_tsv(amlkit, job):
    def printed(output):
        return amlkit("job", "list", "--query", "[].{n:name,i:inputs}", "-o", output).stdout

    assert printed("csv") == f"n,i.epochs\n{NAME},3\n"
    assert printed("tsv").split("\t")[0] == NAME
    assert amlkit("job", "list", "--query", "[].name", "-o", "csv").stdout == f"{NAME}\n"


def test_damage_is_told_with_its_path_problem_and_digest(amlkit, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.txt").write_text("what was stored")
    assert amlkit("data", "create", "--name", "d", "--path", "d", "--type", "uri_folder").stdout
    stored = [
        each
        for each in (tmp_path / "home").rglob("*")
        if each.is_file() and each.read_bytes() == b"what was stored"
    ]
    assert stored
    for each in stored:
        each.chmod(0o644)
        each.write_text("what is there not")
    done = amlkit("workspace", "verify", "-o", "table")
    assert done.returncode == 1
    header, line = done.stdout.splitlines()
    assert header.split() == ["PATH", "PROBLEM", "DIGEST", "USERS"]
    (damaged,) = json.loads(amlkit("workspace", "verify", "-o", "json").stdout)
    for each in ("a.txt", damaged["problem"], damaged["digest"], damaged["users"][0]):
        assert each in line
    assert "[" not in line
    screen = " ".join(on_a_terminal(tmp_path, "workspace", "verify"))
    assert all(each in screen for each in ("PATH", "PROBLEM", "DIGEST", "USERS", "a.txt"))


def test_a_copy_is_told_as_counts_and_a_dry_run_with_its_paths(amlkit, tmp_path):
    for name in ("one", "two", "three"):
        (tmp_path / "files").mkdir(exist_ok=True)
        (tmp_path / "files" / name).write_text(name)
    (tmp_path / "place").mkdir()
    assert amlkit("datastore", "create", "--name", "raw", "--path", "place").returncode == 0
    upload = ("datastore", "upload", "raw", "--path", "files", "--target", "in", "-o")
    planned = amlkit(*upload, "table", "--dry-run").stdout
    assert re.search(r"^copied +3$", planned, re.MULTILINE)
    assert re.search(r"^ +in/two$", planned, re.MULTILINE)
    done = amlkit(*upload, "table").stdout
    assert re.search(r"^copied +3$", done, re.MULTILINE)
    assert "two" not in done
    assert json.loads(amlkit(*upload, "json", "--dry-run").stdout)["skipped"] == 3
