"""What Azure ML refuses in endpoints, deployments, schedules and workspaces.

Source: the azure-ai-ml SDK's own loaders, field by field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlkit.errors import AmlkitError, InvalidSpec, Problem
from amlkit.specs.source import Path as Keys
from amlkit.specs.source import Source

_DEPLOYMENT_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9-]{2,31}$")
_ARM_ID = re.compile(
    r"/subscriptions/[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}/resourcegroups/.*"
    r"/providers/[a-z.]*/[a-z]*/.*",
    re.IGNORECASE,
)
_ARM_FIELDS = ("storage_account", "container_registry", "key_vault", "application_insights")
_REMOTE = ("azureml:", "http://", "https://", "wasbs://", "abfss://", "runs:/", "/subscriptions/")


def check(kind: str, source: Source, base: Path) -> list[Problem]:
    """Return what Azure ML refuses in a document whose fields are well formed."""
    rules = _ServiceRules(source, base)
    family = kind.partition(".")[0]
    if family in {"online_endpoint", "online_deployment", "batch_deployment", "schedule"}:
        getattr(rules, family)()
    elif family == "workspace":
        rules.workspace()
    return rules.found


class _ServiceRules:
    def __init__(self, source: Source, base: Path) -> None:
        self._source = source
        self._base = base
        self._data: Mapping[str, Any] = source.data
        self.found: list[Problem] = []

    def _add(self, path: Keys, message: str, hint: str | None, code: str) -> None:
        self.found.append(self._source.problem(path, message, hint, code=code))

    def online_endpoint(self) -> None:
        """Check that the traffic of the deployments is at most all of it."""
        for field in ("traffic", "mirror_traffic"):
            total = sum(int(each) for each in (self._data.get(field) or {}).values())
            if total > 100:
                message = f"the percentages are {total} % together, more than 100"
                self._add((field,), message, "lower them", "range")

    def online_deployment(self) -> None:
        """Check a deployment's name, and that its files are there."""
        name = str(self._data.get("name") or "")
        if not _DEPLOYMENT_NAME.match(name):
            hint = "use 3 to 32 letters, digits and `-`, starting with a letter"
            self._add(("name",), f"`{name}` cannot be the name of a deployment", hint, "name")
        self._files()

    def batch_deployment(self) -> None:
        """Check that a deployment's files are there."""
        self._files()

    def _files(self) -> None:
        for keys in (("model", "path"), ("code_configuration", "code"), ("environment", "build")):
            value = self._data.get(keys[0])
            found = value.get(keys[1]) if isinstance(value, Mapping) else None
            if isinstance(found, Mapping):
                self._exists((*keys, "path"), found.get("path"))
            else:
                self._exists(keys, found)

    def _exists(self, path: Keys, value: Any) -> bool:
        if not isinstance(value, str) or value.startswith(_REMOTE) or "${{" in value:
            return True
        if (self._base / Path(value.removeprefix("file:")).expanduser()).exists():
            return True
        hint = "paths are relative to the folder of the YAML file"
        self._add(path, f"`{value}` does not exist", hint, "missing-path")
        return False

    def schedule(self) -> None:
        """Check when a schedule starts and the job that it makes."""
        if self._data.get("trigger") is None:
            hint = 'add `trigger: {type: cron, expression: "0 3 * * *"}`'
            self._add(("trigger",), "`trigger` is missing", hint, "missing-field")
        for field in ("start_time", "end_time"):
            if ("trigger", field) in self._source.dates:
                message = "this is a date of YAML; Azure ML takes a text here"
                self._add(("trigger", field), message, "write it in quotes", "wrong-type")
        job = self._data.get("create_job")
        if isinstance(job, Mapping):
            self._job(("create_job", "job"), job.get("job"))
        else:
            self._job(("create_job",), job)

    def _job(self, path: Keys, value: Any) -> None:
        if not isinstance(value, str) or value.startswith(_REMOTE):
            return
        if value.startswith("file:"):
            hint = f"write `{value.removeprefix('file:')}`"
            self._add(path, "`file:` is not taken here", hint, "reference")
        elif self._exists(path, value):
            self._read(path, self._base / Path(value).expanduser())

    def _read(self, path: Keys, file: Path) -> None:
        from amlkit import specs

        try:
            specs.load(file, kind="job")
        except InvalidSpec as error:
            self.found += error.problems
        except AmlkitError as error:
            self._add(path, error.message, error.hint, "unreadable")

    def workspace(self) -> None:
        """Check that what a workspace refers to is named by its whole ARM id."""
        for field in _ARM_FIELDS:
            value = self._data.get(field)
            if isinstance(value, str) and not _ARM_ID.match(value):
                hint = "write /subscriptions/ID/resourceGroups/NAME/providers/TYPE/NAME"
                self._add((field,), f"`{value}` is not an ARM id", hint, "reference")
