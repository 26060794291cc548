"""The workspace itself, its datastores and its computes, in ARM's shape."""

from __future__ import annotations

from typing import Any

from amlkit.emulator.context import LOCATION, SUFFIX, Context, resource, system_data
from amlkit.emulator.messages import Refused, Reply, Request, page
from amlkit.emulator.names import TYPE, Scope
from amlkit.emulator.places import container_of
from amlkit.records import JSON, Compute, Datastore

_TYPES = {
    "azure_blob": ("AzureBlob", "containerName", "container_name"),
    "azure_file": ("AzureFile", "fileShareName", "file_share_name"),
    "azure_data_lake_gen2": ("AzureDataLakeGen2", "filesystem", "filesystem"),
    "azure_data_lake_gen1": ("AzureDataLakeGen1", "storeName", "store_name"),
    "one_lake": ("OneLake", "oneLakeWorkspaceName", "one_lake_workspace_name"),
}


def workspace(context: Context, scope: Scope) -> dict[str, Any]:
    """Return the workspace under the name it was asked for."""
    storage = f"/subscriptions/{scope.subscription}/resourceGroups/{scope.group}/providers"
    return {
        "id": scope.id,
        "name": scope.name,
        "type": TYPE,
        "location": LOCATION,
        "kind": "Default",
        "tags": {},
        "systemData": system_data(),
        "properties": {
            "friendlyName": scope.name,
            "description": f"the embedded workspace `{context.workspace.backend.name}`",
            "workspaceId": context.workspace_id,
            "discoveryUrl": f"{context.url}/discovery/workspaces/{context.workspace_id}",
            "mlFlowTrackingUri": f"azureml://localhost:{context.port}/mlflow/v1.0{scope.id}",
            "provisioningState": "Succeeded",
            "publicNetworkAccess": "Enabled",
            "storageAccount": f"{storage}/Microsoft.Storage/storageAccounts/amlkit",
        },
    }


# Datastores.


def datastores(context: Context, scope: Scope, request: Request, rest: list[str]) -> Reply:
    """Answer for `datastores`, one of them, or its secrets."""
    known = context.workspace.datastores
    if not rest:
        found = known.list()
        if request.query.get("isDefault") == "true":
            found = [each for each in found if each.is_default]
        return page([datastore_body(context, scope, each) for each in found])
    name, action = rest[0], rest[1] if rest[1:] else ""
    if request.method == "POST" and action.lower() == "listsecrets":
        known.show(name)
        return Reply(
            200, {"secretsType": "Sas", "sasToken": context.signer.sas(container_of(name))}
        )
    if request.method == "PUT" and not action:
        context.workspace.backend.datastores.create(name, datastore_spec(request.properties()))
        return Reply(201, datastore_body(context, scope, known.show(name)))
    if request.method == "DELETE" and not action:
        known.delete(name)
        return Reply(200)
    if request.method == "GET" and not action:
        return Reply(200, datastore_body(context, scope, known.show(name)))
    raise Refused(405, "MethodNotAllowed", f"{request.method} is not served for datastores")


def datastore_spec(properties: dict[str, Any]) -> dict[str, JSON]:
    """Return the spec of a datastore that the SDK defines, without its credentials."""
    for kind, (arm, container, field) in _TYPES.items():
        if properties.get("datastoreType") == arm:
            spec: dict[str, JSON] = {"type": kind, field: properties.get(container)}
            copied = {"account_name": "accountName", "endpoint": "endpoint"}
            copied |= {"protocol": "protocol", "description": "description", "tags": "tags"}
            given = {key: properties.get(name) for key, name in copied.items()}
            return {**spec, **{key: value for key, value in given.items() if value}}
    raise Refused(
        400, "ValidationError", f"`{properties.get('datastoreType')}` is not a type of datastore"
    )


def datastore_body(context: Context, scope: Scope, store: Datastore) -> dict[str, Any]:
    """Return a datastore. Those of this machine are blob containers of this emulator."""
    spec = store.spec
    local = "account_name" not in spec
    kind, container, field = _TYPES.get(store.type, _TYPES["azure_blob"])
    properties: dict[str, Any] = {
        "datastoreType": kind,
        "accountName": context.account if local else spec["account_name"],
        container: container_of(store.name) if local else spec.get(field),
        "endpoint": SUFFIX if local else spec.get("endpoint") or SUFFIX,
        "protocol": spec.get("protocol") or "https",
        "isDefault": store.is_default,
        "credentials": {"credentialsType": "Sas" if local else "None"},
        "serviceDataAccessAuthIdentity": "None",
        "description": store.description,
        "tags": dict(spec.get("tags") or store.tags),  # type: ignore[arg-type]
        "properties": {},
    }
    return resource(scope, ("datastores", store.name), properties, (store.created_at, ""))


# Computes.


def computes(context: Context, scope: Scope, request: Request, rest: list[str]) -> Reply:
    """Answer for `computes`: every name means this machine."""
    machine = context.workspace.computes.list()[0]
    if not rest:
        kept = context.area.resources("computes")
        return page([compute_body(scope, machine, machine.name), *kept])
    name, action = rest[0], rest[1] if rest[1:] else ""
    if request.method == "GET" and action == "done":
        return Reply(200)
    if request.method == "POST" and action in {"start", "stop", "restart"}:
        done = f"{context.url}{scope.of('computes', name, 'done')}?api-version=x"
        return Reply(202, None, {"Location": done, "Retry-After": "0"})
    if request.method == "POST" and action == "listNodes":
        return Reply(200, {"nodes": []})
    if request.method == "PUT":
        body = compute_body(scope, machine, name)
        body["properties"] = {**request.properties(), "provisioningState": "Succeeded"}
        body["location"] = request.json().get("location") or LOCATION
        context.area.keep("computes", name, body)
        return Reply(201, body)
    if request.method == "DELETE":
        return Reply(200 if context.area.drop("computes", name) else 204)
    if request.method == "GET" and not action:
        return Reply(
            200, context.area.resource("computes", name) or compute_body(scope, machine, name)
        )
    raise Refused(405, "MethodNotAllowed", f"{request.method} is not served for computes")


def compute_body(scope: Scope, machine: Compute, name: str) -> dict[str, Any]:
    """Return this machine as a cluster of the name that a script uses."""
    properties: dict[str, Any] = {
        "computeType": "AmlCompute",
        "computeLocation": LOCATION,
        "provisioningState": "Succeeded",
        "description": f"this machine: {machine.slots} jobs at once on {machine.cores} cores",
        "properties": {
            "vmSize": "local",
            "vmPriority": "Dedicated",
            "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1},
            "allocationState": "Steady",
            "osType": "Linux",
        },
    }
    return {**resource(scope, ("computes", name), properties, ("", "")), "location": LOCATION}
