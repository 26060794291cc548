"""Sweep over a command job's inputs, and look at the trials and the best of them."""

from pathlib import Path

from azure.ai.ml import Input, command
from azure.ai.ml.entities import Environment
from azure.ai.ml.sweep import BanditPolicy, Choice, LogUniform, Uniform
from client import connect

HERE = Path(__file__).parent
client = connect()

train = command(
    code=str(HERE / "code"),
    command=(
        "python train.py --data ${{inputs.data}} --lr ${{inputs.lr}} --decay ${{inputs.decay}}"
        " --steps ${{inputs.steps}}"
    ),
    environment=Environment(
        image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", conda_file=HERE / "conda.yml"
    ),
    inputs={
        "data": Input(type="uri_file", path=str(HERE / "data" / "points.csv")),
        "lr": 0.05,
        "decay": 1.0,
        "steps": 20,
    },
    compute="cpu-cluster",
)
trial = train(lr=LogUniform(-5, -2), decay=Uniform(0.9, 1.0), steps=Choice([10, 20]))
job = trial.sweep(
    compute="cpu-cluster", sampling_algorithm="random", primary_metric="loss", goal="Minimize"
)
job.set_limits(max_total_trials=4, max_concurrent_trials=2, timeout=600)
job.early_termination = BanditPolicy(slack_factor=0.5, evaluation_interval=1, delay_evaluation=3)
job.experiment_name = "tutorial"

made = client.jobs.create_or_update(job)
client.jobs.stream(made.name)
done = client.jobs.get(made.name)
trials = list(client.jobs.list(parent_job_name=made.name))
print("status:", done.status)
print("trials:", len(trials), sorted({each.status for each in trials}))
print("best:", done.properties["best_child_run_id"], done.properties["score"])
print("job:", made.name)
