"""Jobs on Azure: submitted by the unmodified SDK, watched over REST."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("azure.ai.ml")

from loopback_azure import CLIENT, SECRET, SUBSCRIPTION, TENANT, WORKSPACE

from amlkit.errors import Conflict, JobFailed, NotFound, NotSupported, WaitTimedOut
from amlkit.records import Status

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")

COMMAND = """
type: command
command: python train.py --lr ${{inputs.lr}} --data ${{inputs.data}}
code: ./src
environment: azureml:e:1
compute: azureml:cpu
experiment_name: digits
inputs:
  lr: 0.1
  data: {type: uri_folder, path: "azureml:digits:1"}
outputs:
  model: {type: uri_folder}
"""
SWEEP = """
type: sweep
compute: azureml:cpu
trial:
  code: ./src
  command: python train.py --lr ${{search_space.lr}}
  environment: azureml:e:1
search_space: {lr: {type: loguniform, min_value: -6, max_value: -1}}
objective: {goal: maximize, primary_metric: acc}
sampling_algorithm: random
limits: {max_total_trials: 4, max_concurrent_trials: 2}
"""
COMPONENT = """
type: command
name: %s
command: python train.py ${{inputs.data}} ${{outputs.out}}
code: ./src
environment: azureml:e:1
inputs: {data: {type: uri_folder}}
outputs: {out: {type: uri_folder}}
"""
PIPELINE = """
type: pipeline
settings: {default_compute: azureml:cpu}
inputs: {raw: {type: uri_folder, path: "azureml:digits:1"}}
jobs:
  prep: {type: command, component: ./prep.yml, inputs: {data: "${{parent.inputs.raw}}"}}
  train: {type: command, component: ./fit.yml, inputs: {data: "${{parent.jobs.prep.outputs.out}}"}}
  score:
    type: command
    command: python train.py ${{inputs.data}}
    code: ./src
    environment: azureml:e:1
    inputs: {data: "${{parent.jobs.train.outputs.out}}"}
"""


@pytest.fixture
def project(tmp_path, cloud):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print('training')")
    (tmp_path / "src" / "junk.txt").write_text("x")
    (tmp_path / "src" / ".gitignore").write_text("junk.txt\n")
    for name, text in (
        ("job.yml", COMMAND),
        ("sweep.yml", SWEEP),
        ("prep.yml", COMPONENT % "prep"),
        ("fit.yml", COMPONENT % "fit"),
        ("pipeline.yml", PIPELINE),
    ):
        (tmp_path / name).write_text(text)
    for kind, name in (("environments", "e"), ("data", "digits")):
        cloud.store.register(kind, f"/{kind}/{name}", f"/{kind}/{name}/versions/1", {"image": "i"})
    cloud.store.put("/computes/cpu", {"computeType": "AmlCompute"})
    return tmp_path


def code_sent(cloud):
    return {name for container, name in cloud.store.blobs if container.startswith("code-")}


def test_a_command_job_is_submitted_with_its_code_under_our_rules(on_azure, cloud, project):
    job = on_azure.jobs.submit(project / "job.yml", name="run1", tags={"who": "me"})
    assert (job.name, job.type, job.status) == ("run1", "command", Status.RUNNING)
    assert job.compute == "cpu"
    assert job.inputs["data"]["path"] == "azureml:digits:1"
    assert job.inputs["lr"] == "0.1"
    assert job.tags == {"who": "me"}
    assert code_sent(cloud) == {"code/train.py", "code/.gitignore"}
    kept = cloud.store.resources["/jobs/run1"]["properties"]
    assert kept["codeId"].startswith(f"{WORKSPACE}/codes/")
    assert kept["experimentName"] == "digits"
    with pytest.raises(Conflict, match="already called"):
        on_azure.jobs.submit(project / "job.yml", name="run1")


AUTOML = """
type: automl
task: classification
primary_metric: accuracy
target_column_name: digit
training_data: {type: mltable, path: "azureml:digits:1"}
compute: azureml:cpu
limits: {max_trials: 2}
"""
SPARK = """
type: spark
code: ./src
entry: {file: train.py}
resources: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
conf: {spark.driver.cores: 1, spark.driver.memory: 2g, spark.executor.cores: 2,
       spark.executor.memory: 2g, spark.executor.instances: 2}
"""


@pytest.mark.parametrize(("text", "kind"), [(AUTOML, "AutoML"), (SPARK, "Spark")])
def test_jobs_that_only_azure_runs_are_submitted_there(on_azure, cloud, project, text, kind):
    (project / "other.yml").write_text(text)
    assert on_azure.jobs.submit(project / "other.yml", name="other").name == "other"
    assert cloud.store.resources["/jobs/other"]["properties"]["jobType"] == kind


def test_the_same_code_is_sent_once(on_azure, cloud, project):
    on_azure.jobs.submit(project / "job.yml")
    cloud.log.clear()
    on_azure.jobs.submit(project / "job.yml")
    assert not [path for _, path in cloud.log if ".blob." in path]


def test_a_sweep_is_submitted_and_its_trials_read(on_azure, cloud, project):
    job = on_azure.jobs.submit(project / "sweep.yml", name="s")
    assert job.type == "sweep"
    store = cloud.store
    for number, value in enumerate((0.5, 0.9)):
        trial = f"s_{number}"
        store.runs[trial] = {
            "runId": trial,
            "parentRunId": "s",
            "status": "Completed",
            "createdUtc": f"2026-01-01T00:00:0{number}.1234567Z",
            "tags": {"hyperparameters": json.dumps({"--lr": value})},
        }
        store.metrics[trial] = [{"key": "acc", "value": value, "timestamp": 1, "step": 0}]
    store.resources["/jobs/s"]["properties"]["properties"] = {"best_child_run_id": "s_1"}
    store.finish("s")
    rows = on_azure.jobs.trials("s")
    assert [(row.name, row.objective) for row in rows] == [("s_1", 0.9), ("s_0", 0.5)]
    best = on_azure.jobs.show("s").best_trial
    assert best == {
        "name": "s_1",
        "objective": 0.9,
        "parameters": {"lr": 0.9},
        "metrics": {"acc": 0.9},
    }
    assert on_azure.jobs.best("s").parameters == {"lr": 0.9}


def test_a_pipelines_submission_sends_shared_code_once_and_asks_no_more_than_the_sdk(
    on_azure, cloud, project
):
    on_azure.jobs.submit(project / "pipeline.yml")
    ours = [each for each in cloud.log if "/metadata/" not in each[1]]
    assert code_sent(cloud) == {"code/train.py", "code/.gitignore"}
    (project / "src" / "train.py").write_text("print('as new to the SDK as to amlkit')")
    import azure.ai.ml as sdk

    client = on_azure.backend.sdk.client
    cloud.log.clear()
    client.jobs.create_or_update(sdk.load_job(project / "pipeline.yml"))
    assert len(ours) <= len(cloud.log)


def test_waiting_ends_with_the_job_and_tells_why_it_failed(on_azure, cloud, project):
    on_azure.jobs.submit(project / "job.yml", name="run1")
    with pytest.raises(WaitTimedOut, match="Running"):
        on_azure.jobs.wait("run1", timeout_seconds=0)
    error = {"error": {"message": "AzureMLCompute job failed.\nexit code 3"}}
    cloud.store.finish("run1", "Failed", error=error)
    with pytest.raises(JobFailed, match=r"job failed\. exit code 3"):
        on_azure.jobs.wait("run1")


def test_a_stream_downloads_only_what_is_new(on_azure, cloud, project):
    on_azure.jobs.submit(project / "job.yml", name="run1")
    cloud.store.logs["run1"] = {"user_logs/std_log.txt": b"one\n"}
    chunks = on_azure.jobs.log("run1", follow=True)
    assert next(chunks) == b"one\n"
    cloud.store.logs["run1"]["user_logs/std_log.txt"] += b"two\n"
    assert next(chunks) == b"two\n"
    cloud.store.finish("run1")
    assert list(chunks) == []
    starts = [start for file, start in cloud.store.ranges]
    assert starts[:2] == [0, 4]
    assert set(starts[2:]) == {8}
    assert b"".join(on_azure.jobs.log("run1")) == b"one\ntwo\n"


def test_every_rank_is_heard_by_its_name_in_whole_lines(on_azure, cloud, project):
    on_azure.jobs.submit(project / "job.yml", name="run1")
    cloud.store.logs["run1"] = {
        "user_logs/std_log_process_0.txt": b"hel",
        "user_logs/std_log_process_1.txt": b"bye\n",
        "system_logs/lifecycler/execution-wrapper.log": b"noise",
    }
    chunks = on_azure.jobs.log("run1", follow=True)
    assert next(chunks) == b"[process_1] bye\n"
    cloud.store.logs["run1"]["user_logs/std_log_process_0.txt"] += b"lo\nlast"
    cloud.store.finish("run1")
    assert b"".join(chunks) == b"[process_0] hello\n[process_0] last\n"


def test_the_steps_of_a_pipeline_are_heard_by_their_names(on_azure, cloud, project):
    name = on_azure.jobs.submit(project / "pipeline.yml").name
    cloud.store.runs["c"] = {
        "runId": "c",
        "parentRunId": name,
        "displayName": "prep",
        "status": "Completed",
        "createdUtc": "2026-01-01T00:00:00Z",
    }
    cloud.store.logs["c"] = {"user_logs/std_log.txt": b"prepared\n"}
    cloud.store.finish(name)
    assert b"".join(on_azure.jobs.log(name, follow=True)) == b"[prep] prepared\n"
    (step,) = on_azure.jobs.list(parent=name)
    assert (step.display_name, step.parent, step.status) == ("prep", name, Status.COMPLETED)
    assert on_azure.jobs.show(name).jobs["prep"]["status"] == "Completed"
    with pytest.raises(NotFound) as caught:
        on_azure.jobs.why(name, "pre")
    assert caught.value.hint == "did you mean `prep`?"
    assert not on_azure.jobs.why(name, "prep").reused


def test_metrics_come_back_in_the_order_of_logging(on_azure, cloud, project):
    on_azure.jobs.submit(project / "job.yml", name="run1")
    cloud.store.metrics["run1"] = [
        {"key": "loss", "value": 1 / (step + 1), "timestamp": step, "step": step}
        for step in range(3)
    ]
    assert [(each.step, each.value) for each in on_azure.jobs.metrics("run1", "loss")] == [
        (0, 1.0),
        (1, 0.5),
        (2, 1 / 3),
    ]
    assert on_azure.jobs.show("run1").metrics == {"loss": 1 / 3}
    with pytest.raises(NotFound, match="did not log `acc`"):
        on_azure.jobs.metrics("run1", "acc")


def test_a_job_is_canceled_tagged_hidden_and_shown_again(on_azure, cloud, project):
    on_azure.jobs.submit(project / "job.yml", name="run1")
    assert on_azure.jobs.cancel("run1").status is Status.CANCEL_REQUESTED
    cloud.store.finish("run1", "Canceled")
    assert on_azure.jobs.cancel("run1").status is Status.CANCELED
    assert on_azure.jobs.tag("run1", {"a": "b"}).tags == {"a": "b"}
    on_azure.jobs.archive("run1")
    assert on_azure.jobs.list() == []
    on_azure.jobs.archive("run1", archived=False)
    assert [each.name for each in on_azure.jobs.list(status="canceled")] == ["run1"]
    assert on_azure.jobs.list(experiment="other") == []
    with pytest.raises(NotSupported):
        on_azure.jobs.resume("run1")
    with pytest.raises(NotFound) as caught:
        on_azure.jobs.show("run2")
    assert caught.value.hint == "did you mean `run1`?"


def test_logs_and_outputs_come_down(on_azure, cloud, project):
    on_azure.jobs.submit(project / "job.yml", name="run1")
    root = "ExperimentRun/dcid.run1"
    cloud.store.blobs["azureml", f"{root}/user_logs/std_log.txt"] = (b"said", {})
    cloud.store.blobs["azureml", f"{root}/outputs/model.bin"] = (b"weights", {})
    place = on_azure.jobs.download("run1", project / "down", output="default")
    assert (place / "model.bin").read_bytes() == b"weights"
    with pytest.raises(NotFound, match="has no output `mode`"):
        on_azure.jobs.download("run1", project / "down", output="mode")


def test_what_only_an_embedded_workspace_does_is_refused_before_anything_is_sent(
    on_azure, cloud, project
):
    with pytest.raises(NotSupported, match="this machine's Python"):
        on_azure.jobs.submit(project / "job.yml", current_python=True)
    assert not [path for method, path in cloud.log if method == "PUT"]


def test_a_secret_in_the_code_stays_here(on_azure, cloud, project):
    key = "AccountKey=" + "a" * 86 + "=="
    (project / "src" / "settings.py").write_text(f'CONNECTION = "AccountName=x;{key}"\n')
    from amlkit.errors import AmlkitError

    with pytest.raises(AmlkitError, match=r"settings\.py:1"):
        on_azure.jobs.submit(project / "job.yml")
    assert code_sent(cloud) == set()


def test_the_command_line_submits_streams_and_reads_without_noise(amlkit_on, cloud, project):
    env = {"AZURE_CLIENT_SECRET": SECRET, "AMLKIT_AZURE_POLL_SECONDS": "0.01"}
    where = ("--subscription", SUBSCRIPTION, "-g", "rg", "--name", "ws")
    principal = ("--service-principal", "--tenant", TENANT, "--client-id", CLIENT)
    assert amlkit_on("workspace", "login", *principal, *where, env=env).returncode == 0
    done = amlkit_on("-w", "ws", "job", "submit", "job.yml", "--name", "r", "-o", "name", env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "r\n", "")
    cloud.store.logs["r"] = {"user_logs/std_log.txt": b"epoch 1\n"}
    cloud.store.finish("r")
    streamed = amlkit_on("-w", "ws", "job", "stream", "r", env=env)
    assert (streamed.stdout, streamed.stderr) == ("epoch 1\n", "")
    assert amlkit_on("-w", "ws", "job", "wait", "r", env=env).returncode == 0
    cloud.store.finish("r", "Failed")
    assert amlkit_on("-w", "ws", "job", "wait", "r", env=env).returncode == 1


READS = (
    ("data", "list"),
    ("env", "list"),
    ("model", "list"),
    ("component", "list"),
    ("compute", "list"),
    ("datastore", "list"),
    ("job", "list"),
    ("job", "show", "r"),
    ("job", "logs", "r"),
    ("job", "metrics", "r"),
    ("data", "show", "digits"),
)


def test_reading_never_imports_the_sdk(amlkit_on, cloud, project, tmp_path):
    import os

    cloud.store.start("r", body := {"jobType": "Command"})
    cloud.store.put("/jobs/r", body)
    cloud.store.logs["r"] = {"user_logs/std_log.txt": b"x\n"}
    config = {"subscription_id": SUBSCRIPTION, "resource_group": "rg", "workspace_name": "ws"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    code = (
        "import sys\nfrom amlkit.cli import run\n"
        f"for each in {READS!r}:\n"
        "    assert run(each) == 0, each\n"
        "    heavy = [m for m in sys.modules if m.startswith(('azure.ai', 'azure.storage'))]\n"
        "    assert not heavy, (each, heavy[:3])\n"
    )
    env = {
        **{k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")},
        **cloud.environment,
        "AMLKIT_HOME": str(tmp_path / "home"),
        "AMLKIT_LOGIN": "service-principal",
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_CLIENT_SECRET": SECRET,
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
