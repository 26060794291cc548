"""Datastores: what `amlkit datastore ...` means, on every workspace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from amlkit import references
from amlkit.errors import NotFound, NotSupported, UsageError
from amlkit.records import Datastore, StoredFile
from amlkit.workspace import Progress, Workspace


class Datastores:
    """The datastores of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._datastores = workspace.datastores
        self._local = workspace.kind == "local"

    def create(
        self, *, name: str, path: str | Path, type: str = "local", description: str | None = None
    ) -> Datastore:
        """Define a folder of this machine as a datastore.

        Raises: NotSupported: another type. NotFound: no such folder. Conflict: the name is taken.
        """
        references.check_name(name, "datastore")
        if not self._local:
            raise NotSupported(
                "a datastore of an Azure ML workspace is in Azure storage, not in a folder here",
                hint="describe it in a file: amlkit datastore create -f blob-datastore.yml",
            )
        if type != "local":
            raise NotSupported(
                f"datastores of type `{type}` need Azure; this workspace has folders",
                hint="--type local --path FOLDER",
            )
        folder = Path(path).expanduser().absolute()
        if not folder.is_dir():
            raise NotFound(f"`{path}` is not a folder", hint=f"mkdir -p {path}")
        spec = {"type": type, "path": str(folder), "description": description}
        return self._datastores.create(name, spec)

    def create_from(
        self, file: Path, *, name: str | None = None, overrides: Sequence[str] = ()
    ) -> Datastore:
        """Define the datastore of a YAML file; the same definition again is no change.

        Raises: InvalidSpec, NotFound: the file. NotSupported: not on this workspace.
            Conflict: the name is taken.
        """
        from amlkit import specs

        loaded = specs.load(file, kind="datastore", overrides=overrides)
        document = dict(loaded.document)
        chosen = name or str(document.get("name") or "")
        if self._local or document.get("type") == "local":
            return self.create(
                name=chosen,
                path=loaded.resolve_path(str(document.get("path") or ".")),
                type=str(document.get("type")),
                description=document.get("description"),
            )
        references.check_name(chosen, "datastore")
        return self._datastores.create(chosen, document)

    def list(self) -> Sequence[Datastore]:
        """Return all, the default first."""
        return self._datastores.list()

    def show(self, name: str) -> Datastore:
        """Return one. Raises: NotFound."""
        return self._datastores.get(name)

    def delete(self, name: str) -> None:
        """Forget a definition; its files stay. Raises: NotFound, Conflict: it is built in."""
        self._datastores.delete(name)

    def files(self, name: str, prefix: str = "") -> Sequence[StoredFile]:
        """Return the files below a prefix, sorted by path."""
        return sorted(self._datastores.files(name, prefix), key=lambda each: each.path)

    def upload(
        self, name: str, source: Path, *, target: str = "", progress: Progress | None = None
    ) -> int:
        """Copy a file or folder into a datastore; return how many files were copied."""
        if not source.exists():
            raise NotFound(f"`{source}` does not exist", hint="the path is relative to here")
        if source.is_dir() and not target:
            raise UsageError("a folder needs a place", hint="add --target PATH_IN_THE_DATASTORE")
        return self._datastores.upload(name, source, target, progress)

    def download(
        self, name: str, prefix: str, target: Path, *, progress: Progress | None = None
    ) -> int:
        """Copy files out of a datastore; return how many. Raises: NotFound."""
        return self._datastores.download(name, prefix, target, progress)
