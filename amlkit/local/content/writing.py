"""Write what was found on disk into a store: objects and packs, then the tree that names them."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.errors import AmlkitError, Conflict, NotFound, unreadable
from amlkit.local.content.objects import SMALL, STORED_NS, PackWriter, hash_of
from amlkit.local.content.records import Entry, Tree, write_manifest
from amlkit.snapshots.ignore import IgnoreRules
from amlkit.snapshots.statcache import StatCache
from amlkit.snapshots.walk import Found, walk

if TYPE_CHECKING:
    from amlkit.local.content.store import ContentStore

Progress = Callable[[int, int], None]
_TRIES = 4
"""So often a file is read that is written to meanwhile."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def root_of(path: Path) -> tuple[Path, str]:
    """Return where a path really is, and its kind: `file` or `folder`. Raises: NotFound."""
    if not path.exists():
        raise NotFound(f"`{path}` does not exist", hint="check the path; it is relative to here")
    root = path.resolve()
    if not (root.is_dir() or root.is_file()):
        raise AmlkitError(
            f"`{path}` is neither a file nor a folder", hint="copy it to a file first"
        )
    return root, "folder" if root.is_dir() else "file"


def found_below(
    root: Path, name: str, ignore: IgnoreRules | None, includes: Sequence[Path]
) -> list[Found]:
    """Return what is in a folder (or the one file, as `name`), and `includes` beside it."""
    found = _found(root, name, ignore)
    for each in includes:
        found += _included(each, ignore, {item.relative.split("/")[0] for item in found})
    return found


def _found(root: Path, name: str, ignore: IgnoreRules | None) -> list[Found]:
    if root.is_dir():
        return list(walk(root, ignore))
    return [Found(name, str(root), "file", root.stat())]


def _included(path: Path, ignore: IgnoreRules | None, taken: set[str]) -> list[Found]:
    if not path.exists():
        raise NotFound(f"`{path}` does not exist", hint="mend additional_includes")
    root = path.resolve()
    if root.name in taken:
        raise Conflict(f"`{path}` would replace `{root.name}` of the code folder")
    if root.is_file():
        return [Found(root.name, str(root), "file", root.stat())]
    inside = walk(root, ignore)
    return [each._replace(relative=f"{root.name}/{each.relative}") for each in inside]


def _size(found: Found) -> int:
    return found.stat.st_size if found.kind == "file" else 0


class Writing:
    """One `add`, or one `digest` where there is no scratch folder."""

    def __init__(
        self,
        store: ContentStore,
        cache: StatCache,
        scratch: Path | None,
        progress: Progress | None,
        found: list[Found],
    ) -> None:
        self._store = store
        self._cache = cache
        self._scratch = scratch
        self._progress = progress
        self._found = found
        self._total = sum(_size(each) for each in found)
        self._pack: PackWriter | None = None
        self.manifest = b""

    def run(self, kind: str) -> Tree:
        """Store (or only hash) everything and return its tree."""
        found = self._found
        known = [self._cache.get(each.path, each.stat) for each in found]
        pairs = list(zip(found, known, strict=True))
        if all(digest is not None or each.kind != "file" for each, digest in pairs):
            entries = [_entry(each, digest or "") for each, digest in pairs]
            tree, self.manifest = write_manifest(kind, entries)
            if self._scratch is None or self._store.touch_tree(tree):
                return tree
        with disk_full_told(self._store.root, self._total):
            return self._store_all(kind, found, known)

    def _store_all(self, kind: str, found: list[Found], known: list[str | None]) -> Tree:
        self._store.objects.refresh()
        entries = []
        size = 0
        try:
            for count, (each, digest) in enumerate(zip(found, known, strict=True), start=1):
                entry = self._one(each, digest)
                entries.append(entry)
                size += entry.size
                if self._progress and (count % 256 == 0 or count == len(found)):
                    self._progress(count, size)
            if self._pack is not None:
                self._pack.finish()
                self._pack = None
        finally:
            if self._pack is not None:
                self._pack.abandon()
        tree, self.manifest = write_manifest(kind, entries)
        if self._scratch is not None:
            self._store.keep_tree(tree, self.manifest, self._scratch)
        return tree

    def _one(self, found: Found, digest: str | None) -> Entry:
        if found.kind != "file":
            return _entry(found, "")
        stored = digest is not None and self._store.objects.find(digest) is not None
        if digest is None or not (stored or self._scratch is None):
            try:
                found, digest, size = self._steady(found)
            except FileNotFoundError:
                raise AmlkitError(
                    f"`{found.path}` was removed while it was stored", hint="run it again"
                ) from None
            except OSError as cause:
                if cause.errno in _FULL:
                    raise
                raise unreadable(Path(found.path), cause) from None
            if size == found.stat.st_size:
                self._cache.put(found.path, found.stat, digest)
            return _entry(found, digest)._replace(size=size)
        return _entry(found, digest)

    def _steady(self, found: Found) -> tuple[Found, str, int]:
        """Return a file as it was all the time that it was read, with its hash and size.

        Raises: AmlkitError: something goes on writing to it; half of that must not be stored.
        """
        for _ in range(_TRIES):
            digest, size, now = self._read(found)
            if _is_as_it_was(now, found.stat):
                return found, digest, size
            found = found._replace(stat=now)
        raise AmlkitError(
            f"`{found.path}` changes while it is stored",
            hint="let what writes to it end, then run it again",
        )

    def _read(self, found: Found) -> tuple[str, int, os.stat_result]:
        if found.stat.st_size > SMALL:
            return self._read_large(Path(found.path))
        fd = os.open(found.path, os.O_RDONLY)
        try:
            data = os.read(fd, SMALL + 1)
            now = os.fstat(fd)
        finally:
            os.close(fd)
        if len(data) > SMALL:
            return self._read_large(Path(found.path))
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if self._scratch is not None and not self._store.objects.known(digest):
            if self._pack is None:
                self._pack = PackWriter(self._store.objects, self._scratch)
            self._pack.add(digest, data)
        return digest, len(data), now

    def _read_large(self, path: Path) -> tuple[str, int, os.stat_result]:
        if self._scratch is None:
            digest = hash_of(path)
            now = path.stat()
            return digest, now.st_size, now
        from amlkit.local.content.copying import copy_and_hash

        scratch = self._scratch / "large"
        digest, size = copy_and_hash(path, scratch)
        now = path.stat()
        if self._store.objects.find(digest) is None:
            place = self._store.objects.path(digest)
            place.parent.mkdir(exist_ok=True)
            os.utime(scratch, ns=(STORED_NS, STORED_NS))
            scratch.chmod(0o444)
            scratch.replace(place)
        else:
            scratch.unlink()
        return digest, size, now


def _is_as_it_was(now: os.stat_result, before: os.stat_result) -> bool:
    """Whether nothing was written to a file, and it is the same one."""
    return (
        now.st_mtime_ns == before.st_mtime_ns
        and now.st_size == before.st_size
        and now.st_ino == before.st_ino
    )


def _entry(found: Found, digest: str) -> Entry:
    if found.kind == "link":
        return Entry(found.relative, found.target, 0, executable=False, kind="link")
    if found.kind == "folder":
        return Entry(found.relative, "", 0, executable=False, kind="folder")
    executable = bool(found.stat.st_mode & 0o100)
    return Entry(found.relative, digest, found.stat.st_size, executable, "file")


@contextmanager
def disk_full_told(place: Path, needed: int) -> Iterator[None]:
    """Say so where a write fails for want of space. needed: bytes."""
    try:
        yield
    except OSError as cause:
        if cause.errno not in _FULL:
            raise
        if cause.errno == errno.EFBIG:
            raise AmlkitError(
                f"`{place}` cannot be written: a file of it is larger than is allowed",
                hint="see `ulimit -f`, or use a file system that takes larger files",
            ) from None
        free = shutil.disk_usage(place if place.exists() else place.parent).free
        raise AmlkitError(
            f"the disk is full: `{place}` needs {needed} bytes and {free} are free",
            hint="free some space, then run it again",
        ) from None
