"""Computes: what `amlkit compute ...` means, on every workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amlkit.records import JSON, Compute
from amlkit.workspace import Workspace


class Computes:
    """Where the jobs of one workspace run."""

    def __init__(self, workspace: Workspace) -> None:
        self._computes = workspace.computes

    def list(self) -> Sequence[Compute]:
        """Return every compute."""
        return self._computes.list()

    def show(self, name: str) -> Compute:
        """Return one. Raises: NotFound."""
        return self._computes.get(name)

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
