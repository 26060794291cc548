"""From a request to the part that answers it."""

from __future__ import annotations

from amlkit.emulator import blobs, history, identity, jobs, schedules, tracking, workspaces
from amlkit.emulator.asset_bodies import NOUNS
from amlkit.emulator.assets import Assets
from amlkit.emulator.context import LOCATION, Context
from amlkit.emulator.faults import OPERATION, Faults, operation, parse
from amlkit.emulator.messages import Refused, Reply, Request, page
from amlkit.emulator.names import SCOPE, Scope

_PLANES = ("/history/", "/data/")


def answer(context: Context, faults: Faults, request: Request) -> Reply:
    """Answer a request.

    Raises: Refused. AmlkitError: of the workspace. Reset: the connection is to be closed.
    """
    if (found := _open(context, faults, request)) is not None:
        return found
    if (struck := faults.strike(context.url, request.method, request.path)) is not None:
        return struck
    if blobs.is_blob(request):
        return blobs.answer(context, request)
    if not request.path.startswith(("/subscriptions/", tracking.PREFIX, *_PLANES)):
        raise Refused(404, "NotFound", f"nothing is served at `{request.path}`")
    if not context.signer.accepts(request.headers.get("authorization")):
        raise Refused(
            401,
            "AuthenticationFailed",
            'no token of this emulator: eval "$(amlkit emulator env)"',
            {"WWW-Authenticate": f'Bearer authorization_uri="{context.url}/common"'},
        )
    if request.path.startswith(tracking.PREFIX):
        return tracking.answer(context, request)
    if request.path.startswith(_PLANES):
        return history.answer(context, request)
    return _resource_manager(context, request)


def trusted(context: Context, request: Request) -> bool:
    """Whether a request's head shows a token, a signature or the secret of this start."""
    signer, headers = context.signer, request.headers
    return (
        signer.accepts(headers.get("authorization"))
        or signer.knows(headers.get("x-identity-header"))
        or (blobs.is_blob(request) and blobs.is_signed(context, request))
    )


def _open(context: Context, faults: Faults, request: Request) -> Reply | None:
    """Answer what needs no token; None when it is something else."""
    if request.path == "/emulator/faults" and request.method in {"POST", "DELETE"}:
        return _change_faults(context, faults, request)
    if request.path.startswith("/runs/"):
        return _web_view(context, request.path.removeprefix("/runs/"))
    return operation() if request.path == OPERATION else identity.answer(context, request)


def _web_view(context: Context, job: str) -> Reply:
    """Answer whoever opens the link that the SDK prints beside a job; there is no studio."""
    name = context.workspace.backend.name
    text = f"There is no studio here. In a terminal: amlkit -w {name} job show {job}\n"
    return Reply(200, text.encode(), type="text/plain; charset=utf-8")


def _change_faults(context: Context, faults: Faults, request: Request) -> Reply:
    if not context.signer.knows(request.headers.get("x-identity-header")):
        raise Refused(401, "Unauthorized", "no secret of this start")
    if request.method == "DELETE":
        faults.clear()
    else:
        faults.add(parse(str(request.json().get("fault"))))
    return Reply(200, {})


def _resource_manager(context: Context, request: Request) -> Reply:
    found = SCOPE.match(request.path.rstrip("/"))
    if found is None:
        return _above(context, request)
    scope = Scope(found["id"], found["subscription"], found["group"], found["name"])
    noun, *rest = [part for part in (found["rest"] or "").split("/") if part] or [""]
    if not noun:
        if request.method != "GET":
            raise Refused(405, "MethodNotAllowed", "the workspace itself cannot be changed")
        return Reply(200, workspaces.workspace(context, scope))
    if noun in NOUNS:
        return Assets(context, scope, noun).answer(request, rest)
    route = {
        "datastores": workspaces.datastores,
        "computes": workspaces.computes,
        "jobs": jobs.answer,
        "schedules": schedules.answer,
    }.get(noun)
    if route is None:
        raise Refused(404, "InvalidResourceType", f"`{noun}` is not served by the emulator")
    return route(context, scope, request, rest)


def _above(context: Context, request: Request) -> Reply:
    """Answer for what is above a workspace: the subscription's list, a resource group."""
    parts = request.path.strip("/").split("/")
    if request.method == "GET" and parts[-1].lower() == "workspaces":
        group = parts[3] if len(parts) > 4 and parts[2].lower() == "resourcegroups" else "local"
        name = context.workspace.backend.name
        tail = f"providers/Microsoft.MachineLearningServices/workspaces/{name}"
        path = f"/subscriptions/{parts[1]}/resourceGroups/{group}/{tail}"
        body = workspaces.workspace(context, Scope(path, parts[1], group, name))
        return Reply(200, {"value": [body]})
    if request.method == "GET" and len(parts) == 4 and parts[2].lower() == "resourcegroups":
        body = {"id": request.path, "name": parts[3], "location": LOCATION}
        return Reply(200, {**body, "properties": {"provisioningState": "Succeeded"}})
    if request.method == "GET" and parts[-1] in {"usages", "vmSizes"}:
        return page([])
    raise Refused(404, "NotFound", f"nothing is served at `{request.path}`")
