"""Sweeps on the embedded workspace: real trials, pushed metrics, early termination, resumption."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import time

import pytest

# Logs as an MLflow client does, without importing one: trials stay fast.
LOG = """
import json, os, sys, urllib.request
def log(value, step=0):
    body = json.dumps({"run_id": os.environ["MLFLOW_RUN_ID"], "key": "score", "value": value,
                       "timestamp": 1, "step": step}).encode()
    urllib.request.urlopen(urllib.request.Request(
        os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric", body,
        {"Content-Type": "application/json",
         "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]}))
"""

SWEEP = """
type: sweep
trial:
  command: python main.py ${{search_space.x}}
  code: ./src
  environment: azureml:none@latest
sampling_algorithm: SAMPLING
search_space:
  x: SPACE
objective: {goal: maximize, primary_metric: score}
limits: {max_total_trials: 6, max_concurrent_trials: 2}
"""


@pytest.fixture
def sweep(amlkit, tmp_path):
    """Write a sweep over a Python script and run it in this Python."""

    def run(script, *options, name="s", sampling="random", space=None, more="", **other):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / "main.py").write_text(LOG + script, encoding="utf-8")
        text = SWEEP.replace("SAMPLING", sampling).replace(
            "SPACE", space or "{type: uniform, min_value: 0, max_value: 1}"
        )
        (tmp_path / "sweep.yml").write_text(text + more, encoding="utf-8")
        return amlkit(
            "job", "sweep", "sweep.yml", "--name", name, "--current-python", *options, **other
        )

    return run


def trials(amlkit, name="s"):
    return json.loads(amlkit("job", "trials", name).stdout)


def test_the_best_trial_leads_the_leaderboard(amlkit, sweep):
    done = sweep("log(float(sys.argv[1]))", "--wait", "--query", "best_trial.name", "-o", "tsv")
    assert done.returncode == 0, done.stderr
    rows = trials(amlkit)
    assert len(rows) == 6
    assert {row["status"] for row in rows} == {"Completed"}
    scores = [row["objective"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert done.stdout.strip() == rows[0]["name"]
    assert rows[0]["objective"] == pytest.approx(rows[0]["parameters"]["x"])


def test_the_same_seed_gives_the_same_trials(amlkit, sweep):
    sweep("log(1)", "--wait", "-o", "none", "--seed", "5", name="a")
    sweep("log(1)", "--wait", "-o", "none", "--seed", "5", "--concurrency", "1", name="b")
    values = [
        {row["name"].split("_")[-1]: row["parameters"] for row in trials(amlkit, name)}
        for name in ("a", "b")
    ]
    assert values[0] == values[1]


def test_a_grid_is_walked_once(amlkit, sweep):
    space = "{type: choice, values: [1, 2, 3]}"
    done = sweep("log(float(sys.argv[1]))", "--wait", "-o", "none", sampling="grid", space=space)
    assert done.returncode == 0, done.stderr
    assert sorted(row["parameters"]["x"] for row in trials(amlkit)) == [1, 2, 3]


def test_one_failing_trial_does_not_stop_the_sweep(amlkit, sweep):
    space = "{type: choice, values: [1, 2, 3]}"
    script = "x = float(sys.argv[1])\nif x == 2: sys.exit(4)\nlog(x)"
    done = sweep(script, "--wait", "-o", "none", sampling="grid", space=space)
    assert done.returncode == 0, done.stderr
    assert sorted(row["status"] for row in trials(amlkit)) == ["Completed", "Completed", "Failed"]
    assert "s_1" in amlkit("job", "logs", "s", "--failed").stdout


def test_a_sweep_whose_trials_all_fail_is_failed_with_the_first_reason(amlkit, sweep):
    done = sweep("sys.exit(7)", "--wait", "-o", "none")
    assert done.returncode == 1
    assert "all 6 trials failed" in done.stderr
    assert "exit code 7" in done.stderr


def test_nan_and_missing_metrics_rank_last(amlkit, sweep):
    space = "{type: choice, values: [1, 2, 3]}"
    script = "x = int(sys.argv[1])\nif x == 1: log('NaN')\nif x == 2: log(0.5)"
    done = sweep(script, "--wait", "-o", "none", sampling="grid", space=space)
    assert done.returncode == 0, done.stderr
    rows = trials(amlkit)
    assert rows[0]["objective"] == 0.5
    assert [row["objective"] for row in rows[1:]] == [None, None]


def test_a_metric_that_no_trial_logs_is_told(amlkit, sweep):
    done = sweep("log(0.5)", "--wait", "-o", "none", "--set", "objective.primary_metric=scoer")
    assert done.returncode == 0, done.stderr
    assert "no trial logged the primary metric `scoer`; did you mean `score`?" in done.stderr


def test_a_poor_trial_is_ended_early_and_keeps_its_metrics(amlkit, sweep):
    space = "{type: choice, values: [1, 0]}"
    more = "early_termination: {type: bandit, slack_factor: 0.1, evaluation_interval: 1}\n"
    script = (
        "import time\nx = int(sys.argv[1])\n"
        "if x:\n    log(1.0)\nelse:\n    log(0.1)\n    time.sleep(60)"
    )
    started = time.monotonic()
    done = sweep(
        script,
        "--wait",
        "-o",
        "none",
        "--concurrency",
        "1",
        sampling="grid",
        space=space,
        more=more,
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 30
    rows = {row["parameters"]["x"]: row for row in trials(amlkit)}
    assert rows[0]["status"] == "Canceled"
    assert rows[0]["objective"] == 0.1
    assert "bandit" in json.loads(amlkit("job", "show", rows[0]["name"]).stdout)["error"]


def test_two_sweeps_at_once_do_not_mix(amlkit, sweep):
    sweep("log(float(sys.argv[1]))", "-o", "none", name="a")
    sweep("log(float(sys.argv[1]))", "-o", "none", name="b")
    for name in ("a", "b"):
        assert amlkit("job", "wait", name, "-o", "none").returncode == 0
        assert [row["name"].startswith(name) for row in trials(amlkit, name)] == [True] * 6


def test_a_command_job_is_swept_from_the_command_line(amlkit, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text(LOG + "log(float(sys.argv[1]))")
    (tmp_path / "train.yml").write_text(
        "type: command\ncommand: python main.py ${{inputs.lr}}\ncode: ./src\n"
        "environment: azureml:none@latest\ninputs: {lr: 0.1}\n"
    )
    done = amlkit(
        "job",
        "sweep",
        "train.yml",
        "--current-python",
        "--name",
        "s",
        "--wait",
        "-o",
        "none",
        "--param",
        "lr=loguniform(-6,-1)",
        "--metric",
        "score",
        "--max-trials",
        "4",
        "--concurrency",
        "2",
        "--save-as",
        "saved.yml",
    )
    assert done.returncode == 0, done.stderr
    assert all(0.002 < row["parameters"]["lr"] < 0.37 for row in trials(amlkit))
    assert amlkit("validate", "saved.yml").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("finished_before", [0, 1, 3, 6])
def test_a_killed_sweep_is_resumed_and_no_trial_is_lost_or_repeated(
    amlkit, sweep, tmp_path, finished_before
):
    ledger = tmp_path / "ledger"
    script = (
        "import time\ntime.sleep(0.15)\n"
        f"open({str(ledger)!r}, 'a').write(os.environ['MLFLOW_RUN_ID'] + chr(10))\n"
        "log(float(sys.argv[1]))"
    )
    sweep(script, "-o", "none", "--max-trials", "8", "--seed", "3")
    pid = next((tmp_path / "home").rglob("supervisor.pid"))
    deadline = time.monotonic() + 20
    while len(ledger.read_text().split() if ledger.exists() else ()) < finished_before:
        assert time.monotonic() < deadline, "the trials did not run"
        time.sleep(0.01)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    assert amlkit("job", "wait", "s", "--timeout", "10", "-o", "none").returncode == 1
    finished = {row["name"] for row in trials(amlkit) if row["status"] == "Completed"}
    assert amlkit("job", "resume", "s", "--wait", "-o", "none").returncode == 0
    rows = trials(amlkit)
    assert len(rows) == 8
    assert {row["status"] for row in rows} == {"Completed"}
    counts = ledger.read_text().split()
    assert all(counts.count(name) == 1 for name in finished)


def test_a_sweep_is_drawn_as_a_page_and_as_a_picture(amlkit, sweep, tmp_path):
    space = "{type: choice, values: [1, '<script>']}"
    sweep("log(len(sys.argv[1]))", "--wait", "-o", "none", sampling="grid", space=space)
    assert amlkit("job", "plot", "s", "-o", "s.html").stdout == "s.html\n"
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert page.count("<script>") == 1
    assert "&lt;script&gt;" in page
    assert amlkit("job", "plot", "s", "-o", "s.svg").returncode == 0
    assert (tmp_path / "s.svg").read_text(encoding="utf-8").startswith("<svg")


def test_only_a_sweep_is_drawn_and_only_as_what_there_is(amlkit, sweep, tmp_path):
    assert amlkit("job", "plot", "none").returncode == 3
    refused = amlkit("job", "plot", "none", "-o", "s.png")
    assert refused.returncode == 2
    assert ".html" in refused.stderr


def test_a_trial_is_judged_by_the_best_value_it_reported_as_on_azure(amlkit, sweep):
    script = "x = float(sys.argv[1])\nlog(x, 0)\nlog(1 - x, 1)"
    space = "{type: choice, values: [0.9, 0.2]}"
    done = sweep(script, "--wait", "-o", "json", sampling="grid", space=space)
    assert done.returncode == 0, done.stderr
    assert {row["parameters"]["x"]: row["objective"] for row in trials(amlkit)} == {
        0.9: 0.9,
        0.2: 0.8,
    }
    assert json.loads(done.stdout)["best_trial"]["objective"] == 0.9


def test_the_first_traceback_is_shown_when_every_trial_fails(amlkit, sweep):
    done = sweep("raise ValueError('lr is ' + sys.argv[1])", "--wait", "-o", "none", "--seed", "1")
    assert done.returncode == 1
    assert done.stderr.count("Traceback (most recent call last)") == 1
    assert "ValueError: lr is 0." in done.stderr
    assert "ValueError: lr is 0." in amlkit("job", "logs", "s").stdout


def test_a_trial_that_fails_among_others_does_not_speak_up(amlkit, sweep):
    space = "{type: choice, values: [1, 2]}"
    done = sweep("log(1 / (int(sys.argv[1]) - 1))", "--wait", sampling="grid", space=space)
    assert done.returncode == 0
    assert done.stderr == ""


def test_the_best_trial_is_shown_with_its_parameters_metrics_and_outputs(amlkit, sweep, tmp_path):
    script = "open('outputs/x', 'w').write(sys.argv[1])\nlog(float(sys.argv[1]))"
    space = "{type: choice, values: [1, 2, 3]}"
    sweep(script, "--wait", "-o", "none", sampling="grid", space=space)
    best = json.loads(amlkit("job", "best", "s").stdout)
    assert best["parameters"] == {"x": 3}
    assert best["metrics"] == {"score": 3.0}
    place = best["outputs"]["default"]
    assert (tmp_path / place["path"] / "x").read_text() == "3"
    assert amlkit("job", "download", "s", "-p", "got").returncode == 0
    assert (tmp_path / "got" / "artifacts" / "outputs" / "x").read_text() == "3"


def test_the_leaderboard_as_csv_has_a_column_for_each_parameter(amlkit, sweep):
    space = "{type: choice, values: ['a,b', 2]}\n  y: {type: choice, values: [{k: 7}, 0]}"
    script = "log(len(sys.argv[1]))"
    done = sweep(script, "--wait", "-o", "none", sampling="grid", space=space)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(amlkit("job", "trials", "s", "-o", "csv").stdout)))
    assert list(rows[0])[:5] == ["rank", "name", "objective", "status", "duration"]
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["parameters.x"] for row in rows] == ["a,b", "a,b", "2", "2"]
    assert sorted(row["parameters.k"] for row in rows) == ["", "", "7", "7"]
    assert all(float(row["duration"]) >= 0 for row in rows)


def test_a_retry_repeats_the_trials_that_failed_with_their_parameters(amlkit, sweep, tmp_path):
    ledger, flag = tmp_path / "ledger", tmp_path / "mended"
    space = "{type: choice, values: [1, 2, 3, 4]}"
    script = (
        f"open({str(ledger)!r}, 'a').write(sys.argv[1] + chr(10))\n"
        f"if sys.argv[1] in '24' and not os.path.exists({str(flag)!r}): sys.exit(3)\n"
        "log(float(sys.argv[1]))"
    )
    sweep(script, "--wait", "-o", "none", sampling="grid", space=space)
    assert sorted(row["status"] for row in trials(amlkit)) == [
        "Completed", "Completed", "Failed", "Failed"]  # fmt: skip
    assert amlkit("job", "resume", "s").returncode == 6
    flag.touch()
    assert amlkit("job", "retry", "s", "--wait", "-o", "none").returncode == 0
    rows = trials(amlkit)
    assert [(row["parameters"]["x"], row["status"]) for row in rows] == [
        (x, "Completed") for x in (4, 3, 2, 1)
    ]
    assert json.loads(amlkit("job", "show", "s").stdout)["best_trial"]["parameters"] == {"x": 4}
    assert sorted(ledger.read_text().split()) == ["1", "2", "2", "3", "4", "4"]
    assert amlkit("job", "retry", "s").returncode == 6


def test_jobs_are_compared_side_by_side(amlkit, sweep):
    space = "{type: choice, values: [1, 2]}"
    sweep("log(float(sys.argv[1]))", "--wait", "-o", "none", sampling="grid", space=space)
    rows = json.loads(amlkit("job", "compare", "s_0", "s_1").stdout)
    assert [(row["name"], row["parameters"], row["metrics"]) for row in rows] == [
        ("s_0", {"x": 1}, {"score": 1.0}),
        ("s_1", {"x": 2}, {"score": 2.0}),
    ]
    assert amlkit("job", "compare", "s_0", "s_9").returncode == 3
