"""The workspaces that `-w` knows: what `amlkit workspace ...` means."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
from amlkit.errors import AmlkitError, Conflict, NotFound, UsageError
from amlkit.light import replace
from amlkit.records import Check, WorkspaceInfo
from amlkit.services import Workspace
from amlkit.workspace import open_account

if TYPE_CHECKING:
    from collections.abc import Callable


def login_local(folder: Path | None, name: str | None) -> WorkspaceInfo:
    """Make (or take up) an embedded workspace in `folder/.amlkit` and use it from now on.

    Without a folder: the default embedded workspace.
    Raises: Conflict: the name means another workspace. WorkspaceUnusable.
    """
    if folder is None:
        choice = replace(known_workspaces()[LOCAL_NAME], chosen_by="login")
    else:
        place = folder.expanduser().absolute()
        chosen = _folder_name(place) if name is None else references.check_name(name, "workspace")
        choice = WorkspaceChoice(chosen, "local", "login", folder=place / ".amlkit")
        known = known_workspaces().get(chosen)
        if known is not None and known.folder != choice.folder:
            raise Conflict(
                f"workspace `{chosen}` is `{known.folder}`", hint="choose another --name"
            )
    opened = Workspace.of(choice)
    opened.backend.assets.list(references.DATA)
    opened.close()
    if folder is not None and not (ignored := choice.folder / ".gitignore").exists():
        # Data, logs and built environments are no code: git need not ask.
        ignored.write_text("*\n", encoding="utf-8")
    config = user_config()
    entries = dict(config.get("workspaces") or {})
    entries[choice.name] = {"kind": "local", "folder": str(choice.folder)}
    write_user_config({**config, "workspaces": entries, "workspace": choice.name})
    return _info(choice, current=True)


def _folder_name(place: Path) -> str:
    try:
        return references.check_name(place.name, "workspace")
    except UsageError as error:
        raise UsageError(
            error.message, hint="give it a name: amlkit workspace login --local DIR --name NAME"
        ) from None


def azure_choice(
    *,
    name: str | None,
    subscription: str | None,
    resource_group: str | None,
    alias: str | None = None,
    tenant: str | None = None,
    cloud: str | None = None,
    credential: Mapping[str, str],
) -> WorkspaceChoice:
    """Return the Azure ML workspace to log in to; what is not given is what commands use here.

    Raises: UsageError: neither given nor to be found in a config.json or `az configure`.
    """
    here = choose_workspace(alias if alias in known_workspaces() else None)
    found = here if here.kind == "azure" else None
    given = {
        "--subscription": subscription or (found.subscription_id if found else None),
        "--resource-group": resource_group or (found.resource_group if found else None),
        "--name": name or (found.workspace_name if found else None),
    }
    if missing := [flag for flag, value in given.items() if not value]:
        raise UsageError(
            f"which workspace is not said: {', '.join(missing)} missing",
            hint="add them, or save the config.json of the workspace's overview page here",
        )
    workspace = str(given["--name"])
    return WorkspaceChoice(
        alias or workspace,
        "azure",
        "login",
        subscription_id=str(given["--subscription"]),
        resource_group=str(given["--resource-group"]),
        workspace_name=workspace,
        credential={key: value for key, value in credential.items() if value},
        cloud=cloud or (found.cloud if found else "AzureCloud"),
        tenant_id=tenant or (found.tenant_id if found else None),
    )


def login_azure(
    choice: WorkspaceChoice,
    *,
    secret: str | None = None,
    tell: Callable[[str], None] = print,
    may_cache_plain: Callable[[], bool] = bool,
) -> WorkspaceInfo:
    """Log in to an Azure ML workspace, remember how under its name, and use it from now on.

    secret: a service principal's; used now and kept nowhere.
    tell: is given what a person has to do, as with a device code.
    Raises: NotLoggedIn: Azure refuses. NotFound: no such workspace. Conflict: the name is taken.
        Nothing is remembered then.
    """
    alias = references.check_name(choice.name, "workspace")
    by_a_person = choice.credential["method"] in {"interactive", "device-code"}
    if by_a_person:
        choice = replace(choice, credential={**choice.credential, "record": _record_key(choice)})
    config = user_config()
    entries = dict(config.get("workspaces") or {})
    known = known_workspaces().get(alias)
    if known is not None and not _same(known, choice):
        raise Conflict(
            f"workspace `{alias}` is `{_info(known, current=False).location}`",
            hint="choose another name for -w with --alias",
        )
    # The cloud is asked afresh at every login.
    account = open_account(replace(choice, endpoints={}))
    remembered = account.sign_in(secret=secret, tell=tell, may_cache_plain=may_cache_plain)
    entries[alias] = {
        "kind": "azure",
        "workspace_name": choice.workspace_name,
        "subscription_id": choice.subscription_id,
        "resource_group": choice.resource_group,
        "tenant_id": choice.tenant_id,
        **remembered,
    }
    write_user_config({**config, "workspaces": entries, "workspace": alias})
    return _info(replace(choice, chosen_by="login"), current=True)


def _record_key(choice: WorkspaceChoice) -> str:
    from hashlib import sha256

    whole = "/".join((str(home()), *(str(each) for each in _identity(choice)))).lower()
    return f"{choice.name}-{sha256(whole.encode()).hexdigest()[:12]}"


def logout(name: str) -> WorkspaceInfo:
    """Forget a workspace: a folder stays, of an Azure login nothing does. Raises: NotFound."""
    config = user_config()
    entries = dict(config.get("workspaces") or {})
    if name not in entries:
        raise NotFound(f"no workspace called `{name}` is remembered", hint="amlkit workspace list")
    choice = known_workspaces()[name]
    if choice.kind == "azure":
        open_account(choice).forget()
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
    """Look at what a workspace needs: a catalogue, space and uv; or the way to Azure, in order."""
    if choice.kind == "azure":
        return list(open_account(choice).checks())
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
    return _identity(one) == _identity(other)


def _identity(choice: WorkspaceChoice) -> tuple[object, ...]:
    group = choice.resource_group.lower()
    name = choice.workspace_name or choice.name
    return (name, choice.kind, choice.folder, choice.subscription_id.lower(), group)


def _info(choice: WorkspaceChoice, *, current: bool) -> WorkspaceInfo:
    azure = choice.kind == "azure"
    location = (
        f"{choice.subscription_id}/{choice.resource_group}/{choice.workspace_name}"
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
