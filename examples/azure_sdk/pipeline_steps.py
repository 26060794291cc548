"""A pipeline in a pipeline, a sweep as a step, and a parallel step over the files of a folder."""

import sys
from pathlib import Path

import environments
from azure.ai.ml import Input, Output, dsl, load_component
from azure.ai.ml.parallel import RunFunction, parallel_run_function
from azure.ai.ml.sweep import Uniform
from client import connect

HERE = Path(__file__).parent
client = connect()
environments.register(client)

train = load_component(HERE / "components" / "train.yml")
evaluate = load_component(HERE / "components" / "evaluate.yml")
count = parallel_run_function(
    name="count_lines",
    inputs={"files": Input(type="uri_folder")},
    outputs={"counts": Output(type="uri_file")},
    input_data="${{inputs.files}}",
    instance_count=1,
    max_concurrency_per_instance=2,
    mini_batch_size="1",
    mini_batch_error_threshold=-1,
    error_threshold=-1,
    retry_settings={"max_retries": 1, "timeout": 60},
    task=RunFunction(
        code=str(HERE / "code"),
        entry_script="count_lines.py",
        environment="azureml:tutorial:1",
        append_row_to="${{outputs.counts}}",
    ),
)


@dsl.pipeline()
def train_and_evaluate(data: Input(type="uri_folder"), lr: float = 0.05):
    trained = train(data=data, lr=lr)
    judged = evaluate(model=trained.outputs.model)
    return {"report": judged.outputs.report}


@dsl.pipeline(default_compute="cpu-cluster")
def everything(data):
    inner = train_and_evaluate(data=data, lr=0.04)
    tried = train(data=data, lr=Uniform(0.01, 0.06)).sweep(
        primary_metric="loss", goal="minimize", sampling_algorithm="random", compute="cpu-cluster"
    )
    tried.set_limits(max_total_trials=2, max_concurrent_trials=2, timeout=300)
    counted = count(files=data)
    return {
        "report": inner.outputs.report,
        "best": tried.outputs.model,
        "counts": counted.outputs.counts,
    }


job = client.jobs.create_or_update(
    everything(data=Input(type="uri_folder", path=str(HERE / "data"))), experiment_name="tutorial"
)
client.jobs.stream(job.name)
print("status:", client.jobs.get(job.name).status)
client.jobs.download(job.name, download_path=sys.argv[1], all=True)
print("job:", job.name)
