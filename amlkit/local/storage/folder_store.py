"""A folder of this machine, with the same verbs as a container."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from amlkit.copying import Moved, Stored, hash_of
from amlkit.transfers import inside


class FolderStore:
    """The files below a folder."""

    remote = False

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder

    def files(self, prefix: str) -> Iterator[Stored]:
        """Yield the file at a path, or those below it."""
        start = self._path(prefix)
        paths = [start] if start.is_file() else sorted(p for p in start.rglob("*") if p.is_file())
        for path in paths:
            facts = path.stat()
            modified = datetime.fromtimestamp(facts.st_mtime, UTC)
            mark = f"{facts.st_mtime_ns}-{facts.st_ino}"
            yield Stored(path.relative_to(self.folder).as_posix(), facts.st_size, modified, mark)

    def md5(self, path: str) -> str | None:
        """Return the MD5 of a file."""
        return hash_of(self._path(path))

    def put(self, path: str, source: Path, moved: Moved) -> None:
        """Write a file; it is there whole or not at all."""
        _copy(source, self._path(path))
        moved(source.stat().st_size)

    def fetch(self, stored: Stored, target: Path, moved: Moved) -> None:
        """Write a file to `target`."""
        _copy(self._path(stored.path), target)
        moved(stored.size)

    def delete(self, path: str) -> None:
        """Remove a file."""
        self._path(path).unlink()

    def _path(self, path: str) -> Path:
        return self.folder / inside(path, self.name)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    mark = hashlib.sha256(f"{os.getpid()}{source}".encode()).hexdigest()[:12]
    part = target.with_name(f".{target.name[:200]}.{mark}.part")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
