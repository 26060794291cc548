"""List everything that the workspace has."""

from client import connect

client = connect()

print("workspace:", client.workspaces.get(client.workspace_name).name)
print("workspaces:", [each.name for each in client.workspaces.list()])
for noun in ("datastores", "data", "environments", "components", "models", "compute", "jobs"):
    print(f"{noun}:", sorted(each.name for each in getattr(client, noun).list()))
print("schedules:", [each.name for each in client.schedules.list()])
