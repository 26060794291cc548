"""Keep a schedule of a pipeline, and start it by hand."""

from pathlib import Path

import environments
from azure.ai.ml import Input, dsl, load_component
from azure.ai.ml.entities import CronTrigger, JobSchedule
from client import connect

HERE = Path(__file__).parent
client = connect()
environments.register(client)

train = load_component(HERE / "components" / "train.yml")


@dsl.pipeline(default_compute="cpu-cluster", experiment_name="tutorial")
def nightly(data):
    train(data=data)


made = client.schedules.begin_create_or_update(
    JobSchedule(
        name="nightly",
        trigger=CronTrigger(expression="0 3 * * *"),
        create_job=nightly(data=Input(type="uri_folder", path=str(HERE / "data"))),
    )
).result()
print("schedule:", made.name, made.trigger.expression, made.is_enabled)
started = client.schedules.trigger("nightly")
client.jobs.stream(started.job_name)
print("status:", client.jobs.get(started.job_name).status)
client.schedules.begin_disable("nightly").result()
print("enabled:", client.schedules.get("nightly").is_enabled)
client.schedules.begin_delete("nightly").result()
print("schedules:", [each.name for each in client.schedules.list()])
