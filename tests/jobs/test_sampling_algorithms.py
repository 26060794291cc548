"""Sweeps by each sampling algorithm, through the executable."""

from __future__ import annotations

import json

import pytest

TRIAL = """
import json, os, sys, urllib.request
x = float(sys.argv[1])
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "loss", "value": (x - 3) ** 2,
        "timestamp": 1, "step": 0}
request = urllib.request.Request(
    os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric",
    json.dumps(body).encode(),
    {"Content-Type": "application/json",
     "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]})
urllib.request.urlopen(request).read()
"""


def sweep(amlkit, tmp_path, name, algorithm, *options):
    (tmp_path / "src").mkdir(exist_ok=True)
    (tmp_path / "src" / "trial.py").write_text(TRIAL, encoding="utf-8")
    spec = {
        "type": "sweep",
        "trial": {
            "command": "python trial.py ${{search_space.x}}",
            "code": "./src",
            "environment": "azureml:none@latest",
        },
        "sampling_algorithm": algorithm,
        "search_space": {"x": {"type": "uniform", "min_value": -10, "max_value": 10}},
        "objective": {"goal": "minimize", "primary_metric": "loss"},
        "limits": {"max_total_trials": 12, "max_concurrent_trials": 2},
    }
    (tmp_path / "sweep.yml").write_text(json.dumps(spec), encoding="utf-8")
    done = amlkit(
        "job", "sweep", "sweep.yml", "--name", name, "--current-python", "--wait", *options
    )
    assert done.returncode == 0, done.stderr
    trials = json.loads(amlkit("job", "list", "--parent", name).stdout)
    return json.loads(done.stdout)["best_trial"], [each["parameters"]["x"] for each in trials]


def test_bayesian_sampling_closes_in_on_the_best(amlkit, tmp_path):
    best, tried = sweep(amlkit, tmp_path, "b", "bayesian")
    assert len(tried) == 12
    assert best["objective"] < 0.5


@pytest.mark.parametrize("algorithm", [{"type": "random", "rule": "sobol", "seed": 4}])
def test_the_sobol_rule_gives_the_same_trials_again_at_another_concurrency(
    amlkit, tmp_path, algorithm
):
    _, one = sweep(amlkit, tmp_path, "one", algorithm)
    _, two = sweep(amlkit, tmp_path, "two", algorithm, "--concurrency", "4")
    assert one == two
    halves = [sum(x < 0 for x in one[:8]), sum(x >= 0 for x in one[:8])]
    assert halves == [4, 4]
