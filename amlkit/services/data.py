"""Data assets: what `amlkit data ...` means, on every workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from amlkit.errors import NotFound, UsageError
from amlkit.records import Asset, AssetDraft, AssetKind
from amlkit.services import references
from amlkit.workspace import Progress, Workspace

TYPES = ("uri_file", "uri_folder", "mltable")


class Data:
    """Data assets of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._assets = workspace.assets

    def create(
        self,
        *,
        name: str,
        path: str | Path,
        type: str | None = None,
        version: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> Asset:
        """Register a version of a data asset; `type` is read off the path when it is None.

        Raises: NotFound: no such path. Conflict: the version exists with other content.
        """
        references.check_name(name, "data asset")
        return self._assets.create(
            AssetDraft(
                AssetKind.DATA,
                name,
                {"type": _type(Path(path), type)},
                version=version,
                path=str(path),
                description=description,
                tags=dict(tags or {}),
            ),
            progress=progress,
        )

    def list(self, name: str | None = None, *, archived: bool = False) -> Sequence[Asset]:
        """Return every version of a name, or the latest of every name."""
        return self._assets.list(AssetKind.DATA, name, archived=archived)

    def show(self, reference: str) -> Asset:
        """Return one version. Raises: NotFound."""
        return self._assets.get(AssetKind.DATA, *references.split(reference))

    def download(self, reference: str, target: Path, *, progress: Progress | None = None) -> Path:
        """Write the files below `target` and return where they are."""
        return self._assets.download(self.show(reference), target, progress=progress)


def _type(path: Path, asked: str | None) -> str:
    if asked is not None and asked not in TYPES:
        raise UsageError(f"`{asked}` is not a type of data", hint=f"use one of {', '.join(TYPES)}")
    if not path.exists():
        raise NotFound(f"`{path}` does not exist", hint="check the path; it is relative to here")
    if asked is None:
        return "uri_folder" if path.is_dir() else "uri_file"
    return asked
