"""A sweep on a terminal: a live table while it runs, and what means nothing here in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty", reason="a terminal is a Unix thing")

SWEEP = """
type: sweep
trial: {command: "python -c 'pass'", environment: azureml:none@latest}
sampling_algorithm: grid
search_space: {colour: {type: choice, values: [red, green, blue]}}
objective: {goal: maximize, primary_metric: score}
limits: {max_total_trials: 3, max_concurrent_trials: 1}
compute: azureml:gpu-cluster
queue_settings: {job_tier: spot}
"""


def on_a_terminal(tmp_path, *arguments):
    """Run the executable with a terminal for everything; return its exit code and what it wrote."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("AMLKIT_")}
    env |= {"AMLKIT_HOME": str(tmp_path / "home"), "TERM": "xterm", "COLUMNS": "110"}
    command = [sys.executable, "-m", "amlkit", *arguments]
    reader, writer = pty.openpty()

    process = subprocess.Popen(
        command, cwd=tmp_path, env=env, stdin=writer, stdout=writer, stderr=writer
    )
    os.close(writer)
    said = b""
    while True:
        try:
            chunk = os.read(reader, 65536)
        except OSError:
            break
        if not chunk:
            break
        said += chunk
    os.close(reader)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode("utf-8", "replace"))
    return process.wait(), text.replace("\r", "")


@pytest.mark.parametrize("how", ["--stream", "--wait"])
def test_the_trials_are_a_live_table(tmp_path, how):
    (tmp_path / "sweep.yml").write_text(SWEEP, encoding="utf-8")
    code, said = on_a_terminal(
        tmp_path, "job", "sweep", "sweep.yml", "--current-python", how, "-o", "none"
    )
    assert code == 0, said
    last = said[said.rindex("3 trials") :].splitlines()
    assert last[0].split() == ["3", "trials", "3", "Completed"]
    assert last[1].split() == ["RANK", "NAME", "OBJECTIVE", "STATUS", "DURATION", "PARAMETERS"]
    assert {line.split()[-1] for line in last[2:5]} == {"colour=red", "colour=green", "colour=blue"}


def test_what_only_azure_has_is_ignored_in_one_line(tmp_path):
    (tmp_path / "sweep.yml").write_text(SWEEP, encoding="utf-8")
    _, said = on_a_terminal(
        tmp_path, "job", "sweep", "sweep.yml", "--current-python", "--dry-run", "-o", "none"
    )
    assert [line for line in said.splitlines() if "gpu-cluster" in line] == [
        "note: compute gpu-cluster and queue_settings: ignored, the job runs on this machine"
    ]
