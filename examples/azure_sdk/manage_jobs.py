"""Tag, cancel and archive jobs."""

import environments
from azure.ai.ml import command
from client import connect

client = connect()
environments.register(client)

job = client.jobs.create_or_update(
    command(
        command="echo started; sleep 300",
        environment="tutorial@latest",
        compute="cpu-cluster",
        experiment_name="tutorial",
    )
)
job.tags["reviewed"] = "yes"
job.display_name = "to be canceled"
job = client.jobs.create_or_update(job)
print("tags:", job.tags["reviewed"], job.display_name)
client.jobs.begin_cancel(job.name).result()
print("status:", client.jobs.get(job.name).status)
client.jobs.archive(job.name)
print("listed:", job.name in [each.name for each in client.jobs.list()])
client.jobs.restore(job.name)
print("restored:", job.name in [each.name for each in client.jobs.list()])
print("job:", job.name)
