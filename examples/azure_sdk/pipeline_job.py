"""Train, evaluate and register in a pipeline of three steps."""

import sys
from pathlib import Path

import environments
from azure.ai.ml import Input, dsl, load_component
from azure.ai.ml.entities import Model
from client import connect

HERE = Path(__file__).parent
client = connect()
environments.register(client)

train, evaluate, register = (
    load_component(HERE / "components" / f"{name}.yml")
    for name in ("train", "evaluate", "register")
)


@dsl.pipeline(description="train, evaluate, register", default_compute="cpu-cluster")
def train_evaluate_register(data, lr=0.05):
    trained = train(data=data, lr=lr)
    judged = evaluate(model=trained.outputs.model)
    passed = register(model=trained.outputs.model, report=judged.outputs.report)
    return {"model": passed.outputs.accepted}


pipeline = train_evaluate_register(data=Input(type="uri_folder", path=str(HERE / "data")))
pipeline.outputs.model.name = "passed-on"
job = client.jobs.create_or_update(pipeline, experiment_name="tutorial")
client.jobs.stream(job.name)

steps = {each.display_name: each.status for each in client.jobs.list(parent_job_name=job.name)}
print("status:", client.jobs.get(job.name).status)
print("steps:", sorted(steps.items()))
client.jobs.download(job.name, output_name="model", download_path=sys.argv[1])
model = client.models.create_or_update(
    Model(
        name="line",
        path=f"azureml://jobs/{job.name}/outputs/model",
        type="custom_model",
        description="what the pipeline passed on",
    )
)
print("models:", sorted(each.name for each in client.models.list()))
print("model:", f"{model.name}:{model.version}")
print("job:", job.name)
