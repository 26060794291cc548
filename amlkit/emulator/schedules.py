"""Schedules: kept as they come, and run when they are triggered; no clock starts them here."""

from __future__ import annotations

import secrets

from amlkit.emulator import jobs
from amlkit.emulator.context import Context, resource
from amlkit.emulator.messages import Refused, Reply, Request, page
from amlkit.emulator.names import Scope
from amlkit.errors import NotFound


def answer(context: Context, scope: Scope, request: Request, rest: list[str]) -> Reply:
    """Answer for all schedules, or one."""
    area = context.area
    match [request.method, *rest]:
        case ["GET"]:
            return page(area.resources("schedules"))
        case ["PUT", name]:
            known = area.resource("schedules", name)
            properties = {**request.properties(), "provisioningState": "Succeeded"}
            properties.setdefault("isEnabled", True)
            made = resource(scope, ("schedules", name), properties, ("", ""))
            area.keep("schedules", name, made)
            return Reply(200 if known else 201, made)
        case ["GET", name]:
            return Reply(200, _found(context, name))
        case ["DELETE", name]:
            return Reply(200 if area.drop("schedules", name) else 204)
        case ["POST", name, "trigger"]:
            return _trigger(context, scope, name)
    raise Refused(405, "MethodNotAllowed", f"{request.method} is not served for schedules")


def _found(context: Context, name: str) -> dict[str, object]:
    found = context.area.resource("schedules", name)
    if found is None:
        raise NotFound(f"no schedule is called `{name}`")
    return found


def _trigger(context: Context, scope: Scope, name: str) -> Reply:
    properties = _found(context, name)["properties"]
    action = properties.get("action") if isinstance(properties, dict) else None
    definition = (action or {}).get("jobDefinition")
    if not isinstance(definition, dict):
        raise Refused(400, "NotSupported", f"schedule `{name}` starts no job")
    job = f"{name}-{secrets.token_hex(4)}"
    jobs.submit(context, scope, definition, job)
    return Reply(200, {"scheduleActionType": "CreateJob", "submissionId": job})
