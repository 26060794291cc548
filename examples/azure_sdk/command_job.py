"""Register an environment and data, run a command job, read its log and outputs."""

import sys
from pathlib import Path

import environments
from azure.ai.ml import Input, Output, command
from azure.ai.ml.entities import Data
from client import connect

HERE = Path(__file__).parent
client = connect()

environments.register(client)
data = client.data.create_or_update(Data(name="training-points", path=str(HERE / "data")))
job = client.jobs.create_or_update(
    command(
        code=str(HERE / "code"),
        command=(
            "python train.py --data ${{inputs.data}} --lr ${{inputs.lr}} --model ${{outputs.model}}"
        ),
        environment="tutorial@latest",
        inputs={"data": Input(type="uri_folder", path=data.id), "lr": 0.05},
        outputs={"model": Output(type="uri_folder")},
        compute="cpu-cluster",
        experiment_name="tutorial",
        display_name="fit a line",
    )
)
client.jobs.stream(job.name)
print("status:", client.jobs.get(job.name).status)
client.jobs.download(job.name, download_path=sys.argv[1], all=True)
print("job:", job.name)
