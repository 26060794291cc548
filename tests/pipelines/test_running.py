"""Pipelines on the embedded workspace: order, bindings, nesting, failures."""

from __future__ import annotations

import json

import yaml

from tests.pipelines.conftest import out, step

COMPONENT = {
    "type": "command",
    "name": "transform",
    "inputs": {
        "data": {"type": "uri_folder"},
        "factor": {"type": "integer", "default": 3},
        "note": {"type": "string", "optional": True},
    },
    "outputs": {"result": {"type": "uri_folder"}},
    "code": "../src",
    "environment": "azureml:none@latest",
    "command": "python step.py t${{inputs.factor}} ${{outputs.result}} ${{inputs.data}} "
    "$[[${{inputs.note}}]]",
}


def component(folder, **changes):
    (folder / "parts").mkdir(exist_ok=True)
    text = yaml.safe_dump({**COMPONENT, **changes}, sort_keys=False)
    (folder / "parts" / "transform.yml").write_text(text, encoding="utf-8")


def test_steps_run_in_the_order_of_their_bindings(pipelines):
    pipelines.write(
        {"b": step("b", out("a")), "a": step("a", "x"), "c": step("c", out("b"), out("a"))}
    )
    job = pipelines.run("p")
    assert job["status"] == "Completed"
    assert {name: each["status"] for name, each in job["jobs"].items()} == dict.fromkeys(
        "bac", "Completed"
    )
    assert pipelines.text("p/c") == "c(b(a(x)),a(x))"


def test_a_component_file_brings_its_own_code_and_defaults(pipelines, tmp_path):
    component(tmp_path)
    pipelines.write(
        {
            "a": step("a"),
            "plain": {"component": "./parts/transform.yml", "inputs": {"data": out("a")}},
            "changed": {
                "component": "./parts/transform.yml",
                "inputs": {"data": out("a"), "factor": "${{parent.inputs.n}}", "note": "hi"},
            },
        },
        inputs={"n": 5},
    )
    pipelines.run("p")
    assert pipelines.text("p/plain", "result") == "t3(a())"
    assert pipelines.text("p/changed", "result") == "t5(a(),hi)"


def test_a_registered_component_is_a_step(pipelines, amlkit, tmp_path):
    component(tmp_path)
    assert amlkit("component", "register", "parts/transform.yml").returncode == 0
    (tmp_path / "parts" / "transform.yml").unlink()
    pipelines.write(
        {
            "a": step("a"),
            "b": {"component": "azureml:transform@latest", "inputs": {"data": out("a")}},
        }
    )
    pipelines.run("p")
    assert pipelines.text("p/b", "result") == "t3(a())"


def test_a_pipeline_component_runs_inside_a_pipeline(pipelines, tmp_path):
    inner = {
        "type": "pipeline",
        "name": "inner",
        "inputs": {"word": {"type": "string"}, "data": {"type": "uri_folder"}},
        "outputs": {"last": {"type": "uri_folder"}},
        "jobs": {
            "one": step("one", "${{parent.inputs.word}}", "${{parent.inputs.data}}"),
            "two": {**step("two", out("one")), "outputs": {"out": "${{parent.outputs.last}}"}},
        },
    }
    (tmp_path / "inner.yml").write_text(yaml.safe_dump(inner, sort_keys=False), encoding="utf-8")
    pipelines.write(
        {
            "after": step("after", out("nested", "last")),
            "before": step("before"),
            "nested": {
                "type": "pipeline",
                "component": "./inner.yml",
                "inputs": {"word": "w", "data": out("before")},
            },
        }
    )
    job = pipelines.run("p")
    assert pipelines.text("p/after") == "after(two(one(w,before())))"
    assert job["jobs"]["nested"]["status"] == "Completed"
    assert list(job["jobs"]["nested"]["jobs"]) == ["one", "two"]
    assert pipelines.show("p/nested")["jobs"]["one"]["name"] == "p-nested-one"


def test_outputs_of_the_pipeline_are_those_of_its_steps(pipelines, amlkit, tmp_path):
    place = tmp_path / "kept"
    pipelines.write(
        {
            "a": {**step("a"), "outputs": {"out": "${{parent.outputs.first}}"}},
            "b": {**step("b", out("a")), "outputs": {"out": "${{parent.outputs.named}}"}},
        },
        outputs={
            "first": {"type": "uri_folder", "path": str(place)},
            "named": {"type": "uri_folder", "name": "result", "version": "7"},
        },
    )
    pipelines.run("p")
    assert (place / "data.txt").read_text(encoding="utf-8") == "a()"
    assert pipelines.text("p", "named") == "b(a())"
    data = json.loads(amlkit("data", "show", "result:7").stdout)
    assert data["version"] == "7"


def test_customised_paths_know_the_job_and_the_datastore(pipelines, amlkit, tmp_path):
    path = "azureml://datastores/${{default_datastore}}/paths/mine/${{name}}/${{output_name}}"
    pipelines.write({"a": step("a", outputs={"out": {"type": "uri_folder", "path": path}})})
    pipelines.run("p")
    files = json.loads(amlkit("datastore", "ls", "workspaceblobstore").stdout)
    assert "mine/p-a/out/data.txt" in [each["path"] for each in files]


def test_a_sweep_step_passes_on_its_best_trial(pipelines, tmp_path):
    (tmp_path / "src" / "trial.py").write_text(
        "import json, os, pathlib, sys, urllib.request\n"
        "out, data, x = sys.argv[1:]\n"
        "body = dict(run_id=os.environ['MLFLOW_RUN_ID'], key='score', value=float(x), timestamp=1,"
        " step=0)\n"
        "request = urllib.request.Request(\n"
        "    os.environ['MLFLOW_TRACKING_URI'] + '/api/2.0/mlflow/runs/log-metric',\n"
        "    json.dumps(body).encode(), {'Content-Type': 'application/json',\n"
        "    'Authorization': 'Bearer ' + os.environ['MLFLOW_TRACKING_TOKEN']})\n"
        "urllib.request.urlopen(request).read()\n"
        "text = (pathlib.Path(data) / 'data.txt').read_text()\n"
        "(pathlib.Path(out) / 'data.txt').write_text(f'{text}x{x}')\n",
        encoding="utf-8",
    )
    trial = {
        "type": "command",
        "name": "trial",
        "inputs": {"data": {"type": "uri_folder"}, "x": {"type": "number"}},
        "outputs": {"out": {"type": "uri_folder"}},
        "code": "./src",
        "environment": "azureml:none@latest",
        "command": "python trial.py ${{outputs.out}} ${{inputs.data}} ${{inputs.x}}",
    }
    (tmp_path / "trial.yml").write_text(yaml.safe_dump(trial), encoding="utf-8")
    pipelines.write(
        {
            "a": step("a"),
            "tune": {
                "type": "sweep",
                "trial": "./trial.yml",
                "inputs": {"data": out("a")},
                "search_space": {"x": {"type": "choice", "values": [1, 4, 2]}},
                "sampling_algorithm": "grid",
                "objective": {"goal": "maximize", "primary_metric": "score"},
                "limits": {"max_total_trials": 3, "max_concurrent_trials": 1},
            },
            "use": step("use", out("tune")),
        }
    )
    job = pipelines.run("p")
    assert job["jobs"]["tune"]["type"] == "sweep"
    assert pipelines.text("p/use") == "use(a()x4)"
    again = pipelines.run("again")
    assert again["jobs"]["tune"]["reused_from"] == "p-tune"


def test_a_failed_step_is_named_and_its_log_shown(pipelines, amlkit):
    failing = step("bad", out("a"), command="echo about to fail; exit 3")
    pipelines.write({"a": step("a"), "bad": failing, "after": step("after", out("bad"))})
    done = pipelines.submit("p", "--wait")
    assert done.returncode == 1
    assert "step `bad` failed: the command ended with exit code 3" in done.stderr
    assert "about to fail" in done.stderr
    jobs = pipelines.show("p")["jobs"]
    assert [jobs[name]["status"] for name in ("a", "bad", "after")] == [
        "Completed",
        "Failed",
        "Canceled",
    ]
    assert "step `bad`" in jobs["after"]["error"]
    failed = amlkit("job", "logs", "p", "--failed").stdout
    assert "p-bad" in failed
    assert "about to fail" in failed


def test_steps_that_do_not_depend_on_a_failed_one_go_on(pipelines):
    pipelines.write(
        {"bad": step("bad", command="exit 1"), "a": step("a"), "b": step("b", out("a"))}
    )
    assert pipelines.submit("p", "--wait").returncode == 1
    jobs = pipelines.show("p")["jobs"]
    assert jobs["b"]["status"] == "Completed"


def test_continue_on_step_failure_false_stops_everything(pipelines):
    pipelines.write(
        {"bad": step("bad", command="exit 1"), "slow": step("slow", command="sleep 60")},
        settings={"continue_on_step_failure": False},
    )
    assert pipelines.submit("p", "--wait", env={"AMLKIT_SLOTS": "2"}).returncode == 1
    assert pipelines.show("p")["jobs"]["slow"]["status"] == "Canceled"


def test_spark_and_automl_steps_are_refused_before_anything_starts(pipelines, amlkit):
    pipelines.write(
        {
            "a": step("a"),
            "s": {"type": "spark", "component": "azureml:some_spark:1", "inputs": {"x": out("a")}},
        }
    )
    done = pipelines.submit("p")
    assert done.returncode != 0
    assert "step `s` is of type spark" in done.stderr
    assert "hint:" in done.stderr
    assert json.loads(amlkit("job", "list").stdout) == []


def test_a_dry_run_prints_the_steps_and_starts_nothing(pipelines, amlkit):
    pipelines.write({"a": step("a"), "b": step("b", out("a"))})
    done = pipelines.submit("p", "--dry-run")
    plan = json.loads(done.stdout)["spec"]
    assert list(plan["jobs"]) == ["a", "b"]
    assert plan["steps"][1]["bound"] == {"i0": {"step": "a", "port": "out"}}
    assert json.loads(amlkit("job", "list").stdout) == []


def test_two_steps_share_a_boolean_and_a_joined_text(pipelines):
    pipelines.write(
        {"a": step("a", "${{parent.inputs.flag}}", "pre-${{parent.inputs.word}}-post")},
        inputs={"flag": True, "word": "w w"},
    )
    pipelines.run("p")
    assert pipelines.text("p/a") == "a(True,pre-w w-post)"


def test_a_parallel_step_goes_over_the_files_of_another_step(pipelines, tmp_path):
    (tmp_path / "src" / "many.py").write_text(
        "import pathlib, sys\n"
        "for number in range(7):\n"
        "    (pathlib.Path(sys.argv[1]) / f'f{number}.txt').write_text(str(number))\n",
        encoding="utf-8",
    )
    (tmp_path / "src" / "score.py").write_text(
        "from pathlib import Path\n"
        "def init(): pass\n"
        "def run(mini_batch):\n"
        "    return [f'{Path(each).name}={Path(each).read_text()}' for each in mini_batch]\n",
        encoding="utf-8",
    )
    score = {
        "type": "parallel",
        "inputs": {"files": out("make")},
        "outputs": {"scores": {"type": "uri_file"}},
        "input_data": "${{inputs.files}}",
        "mini_batch_size": "2",
        "max_concurrency_per_instance": 2,
        "resources": {"instance_count": 1},
        "task": {
            "type": "run_function",
            "code": "./src",
            "entry_script": "score.py",
            "environment": "azureml:none@latest",
            "append_row_to": "${{outputs.scores}}",
        },
    }
    pipelines.write(
        {"make": step("make", command="python many.py ${{outputs.out}}"), "score": score}
    )
    job = pipelines.run("p")
    assert job["jobs"]["score"]["type"] == "parallel"
    written = next((tmp_path / "home").rglob("p-score/scores/scores"))
    lines = written.read_text(encoding="utf-8").splitlines()
    assert lines == [f"f{number}.txt={number}" for number in range(7)]


def test_tabular_parallel_input_is_refused_with_the_name_of_the_step(pipelines, tmp_path):
    table = "paths: [{file: ./step.py}]\ntransformations: [read_delimited]\n"
    (tmp_path / "src" / "MLTable").write_text(table, encoding="utf-8")
    pipelines.write(
        {
            "score": {
                "type": "parallel",
                "inputs": {"t": {"type": "mltable", "path": "./src"}},
                "input_data": "${{inputs.t}}",
                "task": {
                    "type": "run_function",
                    "code": "./src",
                    "entry_script": "step.py",
                    "environment": "azureml:none@latest",
                },
            }
        }
    )
    done = pipelines.submit("p")
    assert done.returncode != 0
    assert "step `score`: `t` is tabular" in done.stderr
