"""Operations of the SDK, one after another: `python sdk_operations.py RECORD FOLDER`.

Prints, as JSON, which lines of the emulator's record each operation has made.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from azure.ai.ml import Input, MLClient, Output, command, dsl, load_component
from azure.ai.ml.entities import (
    AccountKeyConfiguration,
    AmlCompute,
    AzureBlobDatastore,
    CronTrigger,
    Data,
    Environment,
    JobSchedule,
    Model,
)
from azure.ai.ml.sweep import BanditPolicy, Choice, Uniform
from azure.core.polling import LROPoller
from azure.identity import DefaultAzureCredential

RECORD, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
client = MLClient(DefaultAzureCredential(), "s", "g", "w", show_progress=False)
spans = {}
devnull = os.open(os.devnull, os.O_WRONLY)
printed = os.dup(1)
os.dup2(devnull, 1)


def count():
    return len(RECORD.read_text().splitlines())


def note(name, call):
    before = count()
    found = call()
    if isinstance(found, LROPoller):
        found = found.result()
    elif isinstance(found, Iterator):
        found = list(found)
    spans[name] = [before, count()]
    return found


def write(name, text):
    path = FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def finished(name):
    while client.jobs.get(name).status not in {"Completed", "Failed", "Canceled"}:
        time.sleep(0.1)


STEP = """
type: command
name: {name}
version: {version}
command: cp -r ${{{{inputs.data}}}}/. ${{{{outputs.out}}}}
code: ./{name}
environment: azureml:e:1
inputs: {{data: {{type: uri_folder}}}}
outputs: {{out: {{type: uri_folder}}}}
"""
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
conda = write("conda.yml", "name: e\ndependencies: [python=3.11]\n")
data = write("data/a.csv", "1\n").parent
for name in ("prep", "train", "registered"):
    write(f"{name}/run.py", f"print({name!r})\n")
    write(f"{name}.yml", STEP.format(name=name, version=1))
write("nightly.yml", STEP.format(name="nightly", version=1).replace("./nightly", "./train"))
code = write("code/run.py", "print('run')\n").parent
uri = "azureml://datastores/workspaceblobstore/paths/in/a.csv"

note("workspaces_get", lambda: client.workspaces.get("w"))

# Datastores.
note(
    "datastores_create_blob_key",
    lambda: client.datastores.create_or_update(
        AzureBlobDatastore(
            name="blob",
            account_name="acc",
            container_name="c",
            credentials=AccountKeyConfiguration(account_key="a" * 86 + "=="),
        )
    ),
)
note("datastores_get", lambda: client.datastores.get("blob"))
note("datastores_list", client.datastores.list)
note("datastores_get_default", client.datastores.get_default)
note("datastores_delete", lambda: client.datastores.delete("blob"))

# Data.
remote = Data(name="remote", version="1", path=uri, type="uri_file", tags={"a": "b"})
note("data_create_uri_file_remote", lambda: client.data.create_or_update(remote))
note(
    "data_create_local_folder",
    lambda: client.data.create_or_update(Data(name="local", version="1", path=str(data))),
)
auto = Data(name="auto", path=uri, type="uri_file")
note("data_create_auto_version_new", lambda: client.data.create_or_update(auto))
note("data_get_version", lambda: client.data.get("local", "1"))
note("data_get_latest", lambda: client.data.get("local", label="latest"))
note("data_list_containers", client.data.list)
note("data_list_versions", lambda: client.data.list(name="local"))
note("data_archive_version", lambda: client.data.archive("auto", version="1"))
note("data_archive_container", lambda: client.data.archive("auto"))

# Environments, components, models.
environment = Environment(name="e", version="1", image=IMAGE, conda_file=conda)
note("environments_create_image_conda", lambda: client.environments.create_or_update(environment))
note("environments_get", lambda: client.environments.get("e", "1"))
note("environments_get_latest", lambda: client.environments.get("e", label="latest"))
note("environments_list", client.environments.list)
registered = load_component(FOLDER / "registered.yml")
note("components_create_yaml", lambda: client.components.create_or_update(registered))
note("components_get", lambda: client.components.get("registered", "1"))
note("components_list", client.components.list)
note(
    "models_create_local",
    lambda: client.models.create_or_update(Model(name="m", path=str(code), type="custom_model")),
)
note("models_get_latest", lambda: client.models.get("m", label="latest"))
note("models_list", client.models.list)
note("models_download", lambda: client.models.download("m", "1", download_path=str(FOLDER / "m")))

# Computes.
note("compute_list", client.compute.list)
note("compute_get", lambda: client.compute.get("cpu"))
note(
    "compute_begin_create_amlcompute",
    lambda: client.compute.begin_create_or_update(AmlCompute(name="cpu", size="Standard_DS3_v2")),
)
note("compute_begin_delete", lambda: client.compute.begin_delete("cpu"))

# Jobs.
common = {"compute": "cpu", "experiment_name": "exp", "display_name": "d"}
job = command(
    code=str(code),
    command="mkdir -p outputs && echo ${{inputs.lr}} > ${{outputs.model}}/m.txt",
    inputs={"lr": 0.1},
    outputs={"model": Output(type="uri_folder")},
    environment=Environment(image=IMAGE, conda_file=conda),
    environment_variables={"A": "b"},
    instance_count=1,
    distribution={"type": "pytorch", "process_count_per_instance": 1},
    tags={"a": "b"},
    **common,
)
fitted = note("jobs_create_command", lambda: client.jobs.create_or_update(job))
finished(fitted.name)
note("jobs_get", lambda: client.jobs.get(fitted.name))
note("jobs_list", client.jobs.list)

trial = command(
    code=str(code),
    command="echo ${{inputs.lr}}",
    inputs={"lr": 0.1, "batch": 8},
    environment="azureml:e:1",
    compute="cpu",
)(lr=Uniform(0, 1), batch=Choice([8, 16]))
sweep = trial.sweep(
    compute="cpu", sampling_algorithm="random", primary_metric="loss", goal="Minimize"
)
sweep.set_limits(max_total_trials=1, max_concurrent_trials=1, timeout=60)
sweep.early_termination = BanditPolicy(slack_factor=0.1)
sweep.experiment_name, sweep.display_name = "exp", "d"
note("jobs_create_sweep", lambda: client.jobs.create_or_update(sweep))

prep, train = (load_component(FOLDER / f"{name}.yml") for name in ("prep", "train"))
known = client.components.get("registered", "1")


@dsl.pipeline(default_compute="cpu")
def three(raw):
    first = prep(data=raw)
    second = train(data=first.outputs.out)
    third = known(data=second.outputs.out)
    return {"final": third.outputs.out}


pipeline = three(raw=Input(type="uri_folder", path=str(data)))
pipeline.display_name = "d"
made = note(
    "jobs_create_pipeline",
    lambda: client.jobs.create_or_update(pipeline, experiment_name="exp"),
)
finished(made.name)
note("jobs_get_pipeline", lambda: client.jobs.get(made.name))
note("jobs_list_children", lambda: client.jobs.list(parent_job_name=made.name))
where = {"download_path": str(FOLDER / "down")}
note(
    "jobs_download_output", lambda: client.jobs.download(fitted.name, output_name="model", **where)
)
note("jobs_archive", lambda: client.jobs.archive(fitted.name))

# Schedules.
own = load_component(FOLDER / "nightly.yml")


@dsl.pipeline(default_compute="cpu")
def nightly(raw):
    own(data=raw)


schedule = JobSchedule(
    name="s",
    trigger=CronTrigger(expression="0 3 * * *"),
    create_job=nightly(raw=Input(type="uri_folder", path=str(data))),
)
note("schedules_create", lambda: client.schedules.begin_create_or_update(schedule))
note("schedules_list", client.schedules.list)

os.dup2(printed, 1)
print(json.dumps(spans))
