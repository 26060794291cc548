"""The bundled mnist project's pipeline: train, evaluate, register if accurate enough."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def mnist(bundled):
    """The project with its data registered."""
    project = bundled("mnist")
    project.run("env", "build", "-f", "environment.yml")
    project.script("src/prepare.py", "--output-dir", "data")
    for part in ("train", "test"):
        options = ("--name", f"digits_{part}", "--path", f"data/{part}", "--type", "uri_folder")
        project.run("data", "create", *options)
    project.run("validate", "pipeline.yml")
    return project


def submit(project, name, *more, code=0):
    sets = ["--set", "inputs.epochs=2", *more]
    return project.run("job", "submit", "pipeline.yml", "--name", name, "--wait", *sets, code=code)


def test_a_model_is_registered_when_it_is_accurate_enough(mnist):
    told = submit(mnist, "strict", "--set", "inputs.threshold=0.9999", code=1)
    assert "step `register` failed" in told
    log = mnist.run("job", "logs", "strict/register")
    assert "metrics.json` does not meet `metrics.accuracy >= 0.9999`" in log
    assert mnist.json("model", "list") == []

    submit(mnist, "good", "--set", "inputs.threshold=0.5")
    (model,) = mnist.json("model", "list")
    assert (model["name"], model["version"]) == ("mnist", "1")
    steps = mnist.json("job", "show", "good")["jobs"]
    assert "reused_from" in steps["train"]
    assert "reused_from" in steps["evaluate"]
    assert "reused_from" not in steps["register"]


def test_what_is_registered_is_the_model_that_was_measured(mnist, tmp_path):
    submit(mnist, "measured", "--set", "inputs.threshold=0.4")
    mnist.run("model", "download", "mnist", "-p", tmp_path)
    (meta,) = tmp_path.rglob("meta.json")
    told = mnist.script("src/evaluate.py", "--model", meta.parent, "--test", "data/test", "--output", tmp_path)
    accuracy = mnist.json("job", "metrics", "measured/evaluate", "--query", "[-1].value")
    assert f"accuracy {accuracy:.4f}" in told
