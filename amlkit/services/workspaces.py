"""The workspaces that `-w` knows: what `amlkit workspace ...` means."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from amlkit import references
from amlkit.config import (
    LOCAL_NAME,
    WorkspaceChoice,
    choose_workspace,
    home,
    known_workspaces,
    user_config,
    write_user_config,
)
from amlkit.errors import AmlkitError, Conflict, NotFound
from amlkit.records import Record, WorkspaceInfo
from amlkit.services import Workspace


@dataclass(frozen=True)
class Check(Record):
    """One thing that `workspace doctor` looked at. fix: what to do when it is not well."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("name", "well", "found", "fix")

    name: str
    well: bool
    found: str
    fix: str | None = None


def login_local(folder: Path | None, name: str | None) -> WorkspaceInfo:
    """Make (or take up) an embedded workspace in `folder/.amlkit` and use it from now on.

    Without a folder: the default embedded workspace.
    Raises: Conflict: the name means another workspace. WorkspaceUnusable.
    """
    if folder is None:
        choice = replace(known_workspaces()[LOCAL_NAME], chosen_by="login")
    else:
        place = folder.expanduser().absolute()
        chosen = references.check_name(name or place.name, "workspace")
        choice = WorkspaceChoice(chosen, "local", "login", folder=place / ".amlkit")
        known = known_workspaces().get(chosen)
        if known is not None and known.folder != choice.folder:
            raise Conflict(
                f"workspace `{chosen}` is `{known.folder}`", hint="choose another --name"
            )
    opened = Workspace.of(choice)
    opened.backend.assets.list(references.DATA)
    opened.close()
    config = user_config()
    entries = dict(config.get("workspaces") or {})
    entries[choice.name] = {"kind": "local", "folder": str(choice.folder)}
    write_user_config({**config, "workspaces": entries, "workspace": choice.name})
    return _info(choice, current=True)


def logout(name: str) -> WorkspaceInfo:
    """Forget a workspace; its folder stays. Raises: NotFound."""
    config = user_config()
    entries = dict(config.get("workspaces") or {})
    if name not in entries:
        raise NotFound(f"no workspace called `{name}` is remembered", hint="amlkit workspace list")
    choice = known_workspaces()[name]
    del entries[name]
    kept = {**config, "workspaces": entries}
    if kept.get("workspace") == name:
        del kept["workspace"]
    write_user_config(kept)
    return _info(choice, current=False)


def listed(flag: str | None = None) -> Sequence[WorkspaceInfo]:
    """Return every known workspace; `current` marks the one that commands use here."""
    current = choose_workspace(flag)
    known = known_workspaces()
    known.setdefault(current.name, current)
    return [_info(each, current=_same(each, current)) for each in known.values()]


def shown(choice: WorkspaceChoice) -> WorkspaceInfo:
    """Return the chosen workspace and what chose it."""
    return _info(choice, current=True)


def use(name: str) -> WorkspaceInfo:
    """Make a workspace the one that commands use when nothing else says so. Raises: NotFound."""
    choice = choose_workspace(name)
    write_user_config({**user_config(), "workspace": name})
    return _info(choice, current=True)


def doctor(choice: WorkspaceChoice) -> Sequence[Check]:
    """Look at what an embedded workspace needs: its folder, its catalogue, space, uv."""
    return [_catalogue(choice), _space(choice), _uv(), _writable_home()]


def _catalogue(choice: WorkspaceChoice) -> Check:
    try:
        workspace = Workspace.of(choice)
        count = len(workspace.backend.assets.list(references.DATA))
        workspace.close()
    except AmlkitError as error:
        return Check("catalogue", False, error.message, error.hint)
    return Check("catalogue", True, f"{choice.folder}: {count} data assets")


def _space(choice: WorkspaceChoice) -> Check:
    place = next(each for each in (choice.folder, *choice.folder.parents) if each.exists())
    free = shutil.disk_usage(place).free
    well = free > 1024**3
    return Check(
        "disk", well, f"{free // 1024**2} MiB free", None if well else "free at least 1 GiB"
    )


def _uv() -> Check:
    try:
        import uv

        return Check("uv", True, str(uv.find_uv_bin()))
    except (ImportError, FileNotFoundError):
        return Check("uv", False, "not found", "pip install uv")


def _writable_home() -> Check:
    place = home()
    existing = next(each for each in (place, *place.parents) if each.exists())
    well = os.access(existing, os.W_OK)
    return Check("home", well, str(place), None if well else "set AMLKIT_HOME to a folder of yours")


def _same(one: WorkspaceChoice, other: WorkspaceChoice) -> bool:
    return (one.name, one.kind, one.folder) == (other.name, other.kind, other.folder)


def _info(choice: WorkspaceChoice, *, current: bool) -> WorkspaceInfo:
    azure = choice.kind == "azure"
    location = (
        f"{choice.subscription_id}/{choice.resource_group}/{choice.name}"
        if azure
        else str(choice.folder)
    )
    return WorkspaceInfo(
        choice.name,
        choice.kind,
        location,
        current,
        subscription_id=choice.subscription_id or None,
        resource_group=choice.resource_group or None,
        chosen_by=choice.chosen_by,
    )
