"""Datastores of the embedded workspace: four built in, each a folder, as a workspace has them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from amlkit.errors import Conflict, NotFound, NotSupported, UsageError, did_you_mean
from amlkit.local.catalogue import AssetTable
from amlkit.local.folder import BUILT_IN_DATASTORES, DEFAULT_DATASTORE, Folder
from amlkit.records import JSON, Datastore, StoredFile
from amlkit.workspace import Progress


class LocalDatastores:
    """Named places for files."""

    def __init__(self, table: AssetTable, folder: Folder) -> None:
        self._table = table
        self._folder = folder

    def create(self, name: str, spec: Mapping[str, JSON]) -> Datastore:
        """Define a datastore. Raises: Conflict: the name means something else."""
        if name in BUILT_IN_DATASTORES:
            raise Conflict(f"datastore `{name}` is built in", hint="choose another name")
        self._table.add_datastore(name, spec)
        return self.get(name)

    def get(self, name: str) -> Datastore:
        """Return one. Raises: NotFound."""
        known = {each.name: each for each in self.list()}
        if name not in known:
            close = did_you_mean(name, known)
            hint = f"did you mean `{close}`?" if close else "see `amlkit datastore list`"
            raise NotFound(f"no datastore is called `{name}`", hint=hint)
        return known[name]

    def list(self) -> Sequence[Datastore]:
        """Return all, the default first."""
        built_in = [
            Datastore(name, kind, str(self._folder.datastore(name)), name == DEFAULT_DATASTORE)
            for name, kind in BUILT_IN_DATASTORES.items()
        ]
        defined = [
            Datastore(
                name,
                str(spec.get("type", "local")),
                str(spec.get("path") or spec.get("account_name") or ""),
                description=str(spec["description"]) if spec.get("description") else None,
                spec=spec,
                created_at=created_at,
            )
            for name, spec, created_at in self._table.datastores()
        ]
        return built_in + defined

    def delete(self, name: str) -> None:
        """Forget a definition; the files stay. Raises: NotFound, Conflict: it is built in."""
        self.get(name)
        if name in BUILT_IN_DATASTORES:
            raise Conflict(f"datastore `{name}` is built in", hint="it cannot be deleted")
        self._table.delete_datastore(name)

    def local_folder(self, name: str) -> Path:
        """Return the folder behind a datastore. Raises: NotSupported: it is not on this machine."""
        store = self.get(name)
        if name not in BUILT_IN_DATASTORES and store.type != "local":
            raise NotSupported(
                f"datastore `{name}` is `{store.type}`, not a folder of this machine",
                hint="download from it first: amlkit datastore download",
            )
        return Path(store.path)

    def resolve(self, name: str, path: str) -> Path:
        """Return the place of a path in a datastore. Raises: UsageError: it leads outside."""
        folder = self.local_folder(name)
        relative = PurePosixPath(path.lstrip("/"))
        if ".." in relative.parts:
            raise UsageError(f"`{path}` leads out of datastore `{name}`", hint="leave `..` out")
        return folder / relative

    def files(self, name: str, prefix: str = "") -> Iterator[StoredFile]:
        """Yield the files below a prefix, sorted by path."""
        folder = self.local_folder(name)
        start = self.resolve(name, prefix)
        paths = [start] if start.is_file() else sorted(p for p in start.rglob("*") if p.is_file())
        for path in paths:
            facts = path.stat()
            modified = datetime.fromtimestamp(facts.st_mtime, UTC).isoformat(timespec="seconds")
            yield StoredFile(path.relative_to(folder).as_posix(), facts.st_size, modified)

    def upload(self, name: str, source: Path, target: str, progress: Progress | None) -> int:
        """Copy a file or folder into the datastore; return how many files were copied."""
        place = self.resolve(name, target)
        return _copy(source, place / source.name if source.is_file() else place, progress)

    def download(self, name: str, prefix: str, target: Path, progress: Progress | None) -> int:
        """Copy files out of the datastore; return how many. Raises: NotFound."""
        source = self.resolve(name, prefix)
        if not source.exists():
            raise NotFound(
                f"datastore `{name}` has no `{prefix}`", hint=f"amlkit datastore ls {name}"
            )
        return _copy(source, target / source.name if source.is_file() else target, progress)


def _copy(source: Path, target: Path, progress: Progress | None) -> int:
    files = [source] if source.is_file() else [p for p in source.rglob("*") if p.is_file()]
    size = 0
    for count, path in enumerate(files, start=1):
        place = target if source.is_file() else target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        size += path.stat().st_size
        if progress:
            progress(count, size)
    return len(files)
