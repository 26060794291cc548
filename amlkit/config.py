"""Where settings come from: one table drives look-up, help and documentation.

Precedence: flag > `AMLKIT_*` environment > the nearest `.amlkit/`, `.azureml/config.json` or
`config.json` upward > the user's config > `az configure` defaults > the embedded workspace.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amlkit.errors import AmlkitError, NotFound, UsageError, did_you_mean
from amlkit.light import dataclass, field


@dataclass(frozen=True)
class Setting:
    """One row of the table. secret: it is read from the environment alone, and not passed on."""

    key: str
    default: str | None
    environment: str
    sentence: str
    secret: bool = False


PASSPHRASE = "AMLKIT_SECRETS_PASSPHRASE"  # noqa: S105  the name of a variable


SETTINGS = (
    Setting("home", None, "AMLKIT_HOME", "Folder of config, default workspace and caches."),
    Setting("workspace", None, "AMLKIT_WORKSPACE", "Workspace that commands use."),
    Setting("slots", None, "AMLKIT_SLOTS", "Jobs that may run at once; default: the cores."),
    Setting(
        "stop_grace_seconds",
        "10",
        "AMLKIT_STOP_GRACE_SECONDS",
        "Seconds between TERM and KILL when a job is stopped.",
    ),
    Setting(
        "snapshot_limit_mb",
        "300",
        "AMLKIT_SNAPSHOT_LIMIT_MB",
        "Largest code folder that is stored, in megabytes (Azure ML's limit is 300).",
    ),
    Setting(
        "login",
        None,
        "AMLKIT_LOGIN",
        "How to log in to an Azure workspace that no login is remembered for, as in CI.",
    ),
    Setting(
        "azure_poll_seconds",
        "2",
        "AMLKIT_AZURE_POLL_SECONDS",
        "Seconds between two looks at what is waited for on Azure: jobs, logs, computes.",
    ),
    Setting("python", None, "AMLKIT_PYTHON", "Python version when an environment names none."),
    Setting(
        "secrets_passphrase",
        None,
        PASSPHRASE,
        "Encrypts the secrets of datastores in files, where the machine has no keyring.",
        secret=True,
    ),
)
_BY_KEY = {each.key: each for each in SETTINGS}


def setting(key: str) -> str | None:
    """Return a setting from the environment, the project, the user's config or its default."""
    row = _BY_KEY[key]
    if value := os.environ.get(row.environment):
        return value
    if row.secret:
        return None
    for source in (_project_config(Path.cwd()), user_config()):
        value = source.get(key)
        if value is not None:
            return str(value)
    return row.default


def environment() -> dict[str, str]:
    """Return the variables of this process that jobs and other programs may have."""
    secret = {each.environment for each in SETTINGS if each.secret}
    return {key: value for key, value in os.environ.items() if key not in secret}


def number(key: str) -> float | None:
    """Return a numeric setting. Raises: UsageError: it is not a number."""
    text = setting(key)
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise UsageError(
            f"setting `{key}` is `{text}`, not a number", hint=f"set {_BY_KEY[key].environment}"
        ) from None


def home() -> Path:
    """Return the folder of config, default workspace and caches (`AMLKIT_HOME` moves it)."""
    if text := os.environ.get("AMLKIT_HOME"):
        return Path(text).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("amlkit", appauthor=False))


@dataclass(frozen=True)
class WorkspaceChoice:
    """Which workspace to open. kind: `local` or `azure`; chosen_by: what decided it.

    name: what `-w` takes; workspace_name: Azure's own name for it.
    cloud: a cloud's name, or the URL of its metadata; endpoints: what that said at login.
    credential: how to log in, no secret.
    """

    name: str
    kind: str
    chosen_by: str
    folder: Path = field(default_factory=Path)
    subscription_id: str = ""
    resource_group: str = ""
    workspace_name: str = ""
    credential: Mapping[str, str] = field(default_factory=dict)
    cloud: str = "AzureCloud"
    endpoints: Mapping[str, str] = field(default_factory=dict)
    tenant_id: str | None = None


LOCAL_NAME = "local"


def choose_workspace(flag: str | None = None) -> WorkspaceChoice:
    """Return the workspace that a command should use, by the precedence above.

    Raises: NotFound: a name that no config knows.
    """
    if flag:
        return _named(flag, "--workspace")
    if value := os.environ.get("AMLKIT_WORKSPACE"):
        return _named(value, "AMLKIT_WORKSPACE")
    for folder in _upward(Path.cwd()):
        if found := _from_folder(folder):
            return found
    if value := user_config().get("workspace"):
        return _named(str(value), str(_user_config_path()))
    return _azure_cli_default() or _named(LOCAL_NAME, "default")


def known_workspaces() -> dict[str, WorkspaceChoice]:
    """Return every workspace of the user's config, and the embedded default one."""
    entries = user_config().get("workspaces") or {}
    known = {name: _from_entry(name, entry, "config") for name, entry in entries.items()}
    known.setdefault(LOCAL_NAME, _embedded("default"))
    return known


def _named(name: str, chosen_by: str) -> WorkspaceChoice:
    known = known_workspaces()
    if name in known:
        return _replace_source(known[name], chosen_by)
    if os.sep in name or name in {".", ".."}:
        folder = Path(name).expanduser().absolute()
        inner = folder if (folder / "catalogue.db").exists() else folder / ".amlkit"
        return WorkspaceChoice(folder.name, "local", chosen_by, folder=inner)
    for folder in _upward(Path.cwd()):
        found = _from_folder(folder)
        if found and found.name == name:
            return _replace_source(found, chosen_by)
    close = did_you_mean(name, known)
    hint = f"did you mean `{close}`?" if close else "see `amlkit workspace list`"
    raise NotFound(f"no workspace is called `{name}` ({chosen_by})", hint=hint)


def _replace_source(choice: WorkspaceChoice, chosen_by: str) -> WorkspaceChoice:
    from amlkit.light import replace

    return replace(choice, chosen_by=chosen_by)


def _embedded(chosen_by: str) -> WorkspaceChoice:
    return WorkspaceChoice(
        LOCAL_NAME, "local", chosen_by, folder=home() / "workspaces" / LOCAL_NAME
    )


def _from_entry(name: str, entry: Mapping[str, Any], chosen_by: str) -> WorkspaceChoice:
    if entry.get("kind", "local") == "local":
        return WorkspaceChoice(name, "local", chosen_by, folder=Path(str(entry["folder"])))
    return WorkspaceChoice(
        name,
        "azure",
        chosen_by,
        workspace_name=str(entry.get("workspace_name") or name),
        subscription_id=str(entry["subscription_id"]),
        resource_group=str(entry["resource_group"]),
        credential=dict(entry.get("credential") or {}),
        cloud=str(entry.get("cloud") or "AzureCloud"),
        endpoints=dict(entry.get("endpoints") or {}),
        tenant_id=entry.get("tenant_id"),
    )


def _from_folder(folder: Path) -> WorkspaceChoice | None:
    dot = folder / ".amlkit"
    if (dot / "catalogue.db").is_file() and dot != home():
        return WorkspaceChoice(folder.name or "root", "local", str(dot), folder=dot)
    if name := _read_json(dot / "config.json").get("workspace"):
        return _named(str(name), str(dot / "config.json"))
    for path in (folder / ".azureml" / "config.json", folder / "config.json"):
        found = _read_json(path, lenient=True)
        if {"subscription_id", "resource_group", "workspace_name"} <= found.keys():
            return _azure(found, str(path))
    return None


def _azure(found: Mapping[str, Any], chosen_by: str) -> WorkspaceChoice:
    """Return an Azure workspace, with the login remembered for it, if there is one."""
    name = str(found["workspace_name"])
    for alias, entry in (user_config().get("workspaces") or {}).items():
        same = all(
            str(entry.get(key) or "").lower() == str(found.get(key) or "").lower()
            for key in ("workspace_name", "resource_group", "subscription_id")
        )
        if entry.get("kind") == "azure" and same:
            return _from_entry(alias, entry, chosen_by)
    return _from_entry(name, {**found, "kind": "azure"}, chosen_by)


def _azure_cli_default() -> WorkspaceChoice | None:
    folder = Path(os.environ.get("AZURE_CONFIG_DIR") or Path.home() / ".azure")
    if not (folder / "config").is_file():
        return None
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(folder / "config", encoding="utf-8")
        defaults = dict(parser["defaults"]) if parser.has_section("defaults") else {}
    except (configparser.Error, OSError, UnicodeDecodeError):
        return None
    if not (defaults.get("workspace") and defaults.get("group")):
        return None
    return _azure(
        {
            "workspace_name": defaults["workspace"],
            "resource_group": defaults["group"],
            "subscription_id": defaults.get("subscription") or _az_subscription(folder),
        },
        "az configure defaults",
    )


def _az_subscription(folder: Path) -> str:
    profile = _read_json(folder / "azureProfile.json", lenient=True)
    for each in profile.get("subscriptions") or []:
        if each.get("isDefault"):
            return str(each["id"])
    return ""


def _upward(start: Path) -> Iterator[Path]:
    yield start
    yield from start.parents


def _project_config(start: Path) -> dict[str, Any]:
    for folder in _upward(start):
        path = folder / ".amlkit" / "config.json"
        if path.is_file():
            return _read_json(path)
    return {}


def _user_config_path() -> Path:
    return home() / "config.json"


def user_config() -> dict[str, Any]:
    """Return the user's config as it is on disk; empty when there is none."""
    return _read_json(_user_config_path())


def write_user_config(content: Mapping[str, Any]) -> None:
    """Replace the user's config in one step."""
    import tempfile

    path = _user_config_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=".config-", delete=False, encoding="utf-8"
        ) as handle:
            json.dump(content, handle, indent=2)
            handle.write("\n")
        Path(handle.name).replace(path)
    except OSError as cause:
        raise AmlkitError(
            f"`{path}` cannot be written: {cause.strerror}",
            hint="set AMLKIT_HOME to a folder of yours",
        ) from None


def _read_json(path: Path, *, lenient: bool = False) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as cause:
        if lenient:
            return {}
        raise AmlkitError(f"`{path}` cannot be read: {cause}", hint="mend or delete it") from None
    return content if isinstance(content, dict) else {}
