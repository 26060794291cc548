"""From the outputs that a job declares to where each is written, and where it goes from there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit import references
from amlkit.errors import AmlkitError, NotSupported, UsageError
from amlkit.local import outgoing
from amlkit.local.folder import BUILT_IN_DATASTORES
from amlkit.local.plans import RUN_FOLDER, OutputPlan, customized

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace

STORAGE = ("azureml://datastores/", "wasbs://", "wasb://", "abfss://")
"""How the addresses start that an output can have."""
_ELSEWHERE = ("azureml://", "http://", "https://", "adl://", "hdfs://", "s3://", "gs://")
_PLACEHOLDER = re.compile(r"\$\{\{\s*([^}]*?)\s*\}\}")


class DeclaredOutputs:
    """Resolves the outputs of the jobs of one submission; storage is looked at once."""

    def __init__(self, workspace: LocalWorkspace) -> None:
        self._workspace = workspace
        self._opened: set[str] = set()
        self.notes: list[str] = []

    def plan(
        self,
        outputs: Mapping[str, Mapping[str, Any]],
        *,
        default_datastore: str,
        resolve_path: Callable[[str], Path],
    ) -> dict[str, OutputPlan]:
        """Return the plan of every output.

        default_datastore: what `${{default_datastore}}` means. resolve_path: of a local path.
        Raises: NotFound, NotLoggedIn: the storage of one cannot be opened.
        """
        where = self._default_path(default_datastore)
        found = {}
        for port, declared in outputs.items():
            references.check_port(port, "output")
            text = declared.get("path") or (where if port != "artifacts" else None)
            try:
                place = self._place(port, declared, text, default_datastore, resolve_path)
            except AmlkitError as error:
                raise error.about(f"output `{port}`") from None
            asset, version = declared.get("name"), declared.get("version")
            found[port] = OutputPlan(
                type=str(declared.get("type") or "uri_folder").lower(),
                mode=_mode(declared),
                **place,
                name=str(asset) if asset else None,
                version=str(version) if version else None,
            )
        return found

    def _default_path(self, datastore: str) -> str | None:
        """Return where outputs go that say nothing of it, or None for the workspace's own place.

        Source: "Manage inputs and outputs of component and pipeline", default output path.
        """
        if datastore in BUILT_IN_DATASTORES:
            return None
        if datastore not in {each.name for each in self._workspace.datastores.list()}:
            note = f"datastore `{datastore}` is not defined here: outputs stay in the workspace"
            self.notes += [] if note in self.notes else [note]
            return None
        return (
            "azureml://datastores/${{default_datastore}}/paths/azureml/${{name}}/${{output_name}}/"
        )

    def _place(
        self,
        port: str,
        declared: Mapping[str, Any],
        path: object,
        default_datastore: str,
        resolve_path: Callable[[str], Path],
    ) -> dict[str, str | None]:
        """Return `path`, on this machine, or `uri`, in Azure storage, or none of them."""
        if port == "artifacts" and not declared:
            # Azure ML's own name for what a run leaves in its folder.
            return {"path": RUN_FOLDER}
        if path is None:
            return {}
        text = customized(str(path), port, default_datastore)
        references.check_address(text)
        if not text.startswith(STORAGE):
            if text.startswith(_ELSEWHERE):
                raise NotSupported(
                    f"`{text}` is not a place that jobs here can write to",
                    hint="leave `path` out, or write azureml://datastores/NAME/paths/...",
                )
            return {"path": str(resolve_path(text))}
        _check_placeholders(text)
        if str(declared.get("type")).lower() == "uri_file" and text.endswith("/"):
            text += port
        return self._in_datastore(text, _mode(declared))

    def _in_datastore(self, uri: str, mode: str) -> dict[str, str | None]:
        local = self._workspace.remote.folder_of(uri)
        if local is not None:
            return {"path": str(local)}
        if mode != "direct" and (opened := uri.partition("${{")[0]) not in self._opened:
            outgoing.check(self._workspace, uri)
            self._opened.add(opened)
        return {"uri": uri}


def _mode(declared: Mapping[str, Any]) -> str:
    return str(declared.get("mode") or "rw_mount").lower()


def _check_placeholders(uri: str) -> None:
    """Raises: UsageError: an expression in a URI that nothing fills in.

    Source: "Expressions in Azure Machine Learning SDK and CLI v2", server expressions.
    """
    for found in _PLACEHOLDER.finditer(uri):
        if found[1] != "name":
            raise UsageError(
                f"`{found[0]}` means nothing in the path of an output",
                hint="${{name}}, ${{output_name}} and ${{default_datastore}} do",
            )
