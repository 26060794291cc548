"""Why a step was run or reused: what it ran on, compared with the run before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from amlkit.errors import NotFound, UsageError
from amlkit.records import JSON

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace

Change = dict[str, JSON]


def explain(workspace: LocalWorkspace, name: str) -> dict[str, JSON]:
    """Return whether a step's job was reused, why, and what differs from the run before.

    Raises: UsageError: it is no step, or it has not started. NotFound.
    """
    table = workspace.job_table
    job = table.get(name)
    state = table.state(job.name)
    if "why" not in state:
        raise UsageError(
            f"`{job.name}` is no step that has started",
            hint="name a pipeline and a step: amlkit job why JOB STEP",
        )
    last = state["last"]
    before = table.state(last).get("parts") if last is not None and table.exists(last) else None
    return {
        "name": job.name,
        "reused": state["reused"],
        "why": state["why"],
        "compared_with": last,
        "changes": list(_changes(workspace, before, state["parts"])) if before else [],
    }


def _changes(
    workspace: LocalWorkspace, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Change]:
    for part in {**before, **after}:
        was, now = before.get(part), after.get(part)
        if was == now:
            continue
        if part == "code":
            yield from _files(workspace, "code", was, now)
        elif isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from _fields(workspace, part, was, now)
        else:
            yield _change(part, was, now)


def _fields(
    workspace: LocalWorkspace, part: str, was: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[Change]:
    for key in {**was, **now}:
        old, new = was.get(key), now.get(key)
        if old == new:
            continue
        where = f"{part}.{key}"
        contents = [each.get("content") for each in (old, new) if isinstance(each, Mapping)]
        if len(contents) == 2 and all(contents) and contents[0] != contents[1]:
            yield from _files(workspace, where, contents[0], contents[1])
        else:
            yield _change(where, _plain(old), _plain(new))


def _files(
    workspace: LocalWorkspace, where: str, was: str | None, now: str | None
) -> Iterator[Change]:
    """Yield the files in which two stored folders differ."""
    try:
        old, new = (
            {each.path: each.digest for each in workspace.content.entries(digest)} if digest else {}
            for digest in (was, now)
        )
    except NotFound:
        yield _change(where, was, now)
        return
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            how = "added" if path not in old else "removed" if path not in new else "changed"
            yield {"what": where, "file": path, "how": how}


def _change(what: str, was: JSON, now: JSON) -> Change:
    return {"what": what, "before": was, "after": now}


def _plain(value: Any) -> JSON:
    """Return an input as a reader knows it: its value, or the run that made it."""
    if isinstance(value, Mapping):
        if "value" in value:
            plain: JSON = value["value"]
            return plain
        if "job" in value:
            return f"{value['job']}/{value['output']}"
    return value  # type: ignore[no-any-return]
