"""A folder of this machine, with the same verbs as a container."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from amlkit import placing
from amlkit.copying import Moved, Stored, hash_of
from amlkit.errors import NotFound
from amlkit.transfers import files_below, inside


class FolderStore:
    """The files below a folder.

    What is being written lies at the top, under a name that is not listed: a data asset of a folder
    below has nothing of an upload that was killed.
    """

    remote = False

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder

    def files(self, prefix: str) -> Iterator[Stored]:
        """Yield the file at a path, or those below it.

        Raises: NotFound: the folder itself is gone, as a disk that is not mounted.
        """
        if not self.folder.is_dir():
            raise NotFound(
                f"the folder of datastore `{self.name}` is gone: `{self.folder}`",
                hint="put it back, or mount its disk",
            )
        start = self._path(prefix)
        paths = [start] if start.is_file() else sorted(files_below(start))
        for path in paths:
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue
            modified = datetime.fromtimestamp(facts.st_mtime, UTC)
            mark = f"{facts.st_mtime_ns}-{facts.st_ino}"
            yield Stored(path.relative_to(self.folder).as_posix(), facts.st_size, modified, mark)

    def key(self, path: str) -> str:
        """Return what is the same for all ways to write a path."""
        return path

    def md5(self, path: str) -> str | None:
        """Return the MD5 of a file."""
        return hash_of(self._path(path))

    def put(self, path: str, source: Path, moved: Moved) -> None:
        """Write a file; it is there whole or not at all."""
        target = self._path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        # A folder below may be on another disk, where nothing can be renamed to.
        one_disk = target.parent.stat().st_dev == self.folder.stat().st_dev
        folder = self.folder if one_disk else target.parent
        _copy(source, target, folder / placing.part_name(path))
        moved(source.stat().st_size)

    def fetch(self, stored: Stored, target: Path, moved: Moved) -> None:
        """Write a file to `target`."""
        source = self._path(stored.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(source, target, target.with_name(placing.part_name(target.name)))
        moved(stored.size)

    def delete(self, path: str) -> None:
        """Remove a file."""
        self._path(path).unlink()

    def tidy(self, *, dry_run: bool = False) -> int:
        """Remove what writers left that were killed; return how many bytes that was."""
        return placing.tidy(self.folder, dry_run=dry_run)

    def _path(self, path: str) -> Path:
        return self.folder / inside(path, self.name)


def _copy(source: Path, target: Path, part: Path) -> None:
    with placing.alone(part):
        try:
            shutil.copyfile(source, part)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
