"""Computes: what `amlkit compute ...` means, on every workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from amlkit import references
from amlkit.errors import UsageError
from amlkit.records import JSON, Compute
from amlkit.workspace import Workspace


class Computes:
    """Where the jobs of one workspace run."""

    def __init__(self, workspace: Workspace) -> None:
        self._computes = workspace.computes
        self.changeable = workspace.kind != "local"

    def list(self) -> Sequence[Compute]:
        """Return every compute."""
        return self._computes.list()

    def show(self, name: str) -> Compute:
        """Return one. Raises: NotFound."""
        return self._computes.get(name)

    def spec(
        self, file: Path | None, flags: Mapping[str, JSON], *, overrides: Sequence[str] = ()
    ) -> Mapping[str, JSON]:
        """Return the spec of a YAML file, of flags, or of both, flags winning.

        Raises: UsageError: no name. InvalidSpec, NotFound: the file.
        """
        given = {key: value for key, value in flags.items() if value is not None}
        if file is None:
            if overrides:
                raise UsageError("--set changes a file", hint="give -f FILE, or the flags")
            document: dict[str, JSON] = {"type": "amlcompute", **given}
        else:
            from amlkit import specs

            document = {**specs.load(file, kind="compute", overrides=overrides).document, **given}
        if not document.get("name"):
            raise UsageError("the compute has no name", hint="add --name, or `name:` in the file")
        references.check_name(str(document["name"]), "compute")
        return document

    def create(self, spec: Mapping[str, JSON]) -> Compute:
        """Create a compute from a validated spec. Raises: NotSupported: not on this workspace."""
        return self._computes.create(spec)

    def start(self, name: str) -> Compute:
        """Start it. Raises: NotSupported: not on this workspace."""
        return self._computes.start(name)

    def stop(self, name: str) -> Compute:
        """Stop it. Raises: NotSupported: not on this workspace."""
        return self._computes.stop(name)

    def delete(self, name: str) -> None:
        """Delete it. Raises: NotSupported: not on this workspace."""
        self._computes.delete(name)
