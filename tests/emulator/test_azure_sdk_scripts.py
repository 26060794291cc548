"""Unmodified scripts that use the Azure SDK, run against the emulator."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("azure.ai.ml")


def last_lines(done):
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    return dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)


def test_data_that_the_sdk_creates_is_data_of_the_workspace(emulator, amlkit, tmp_path):
    found = last_lines(emulator.script("data_assets.py", cwd=tmp_path))

    assert found["data"] == "['points', 'points-folder']"
    assert found["default"] == "workspaceblobstore"
    listed = amlkit("data", "list", "-o", "name").stdout.split()
    assert sorted(listed) == ["points-folder:1", "points:1"]
    shown = json.loads(amlkit("data", "show", "points-folder", "-o", "json").stdout)
    assert (shown["description"], shown["tags"]) == ("all the points", {"made": "by hand"})
    amlkit("data", "download", "points", "--download-path", tmp_path / "out")
    assert next((tmp_path / "out").rglob("points.csv")).read_text().startswith("1,2")
    assert "pictures" in amlkit("datastore", "list", "-o", "name").stdout


def test_a_job_of_the_sdk_runs_here_and_is_streamed_and_downloaded(emulator, amlkit, tmp_path):
    done = emulator.script("command_job.py", tmp_path / "down", cwd=tmp_path)
    found = last_lines(done)

    assert "slope 2.000" in done.stdout
    assert found["status"] == "JobStatus.COMPLETED"
    model = json.loads((tmp_path / "down" / "named-outputs" / "model" / "model.json").read_text())
    assert model["slope"] == pytest.approx(2, abs=0.01)
    assert "slope" in (tmp_path / "down" / "artifacts" / "user_logs" / "std_log.txt").read_text()
    shown = json.loads(amlkit("job", "show", found["job"], "-o", "json").stdout)
    assert (shown["display_name"], shown["experiment_name"]) == ("fit a line", "tutorial")
    assert shown["status"] == "Completed"
