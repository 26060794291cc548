"""Keep files and folders by content. A tree is seen only when everything in it is stored.

Order of a write: objects and packs, then the tree that names them; each appears by a rename.
Writers and readers share a lock; only `collect` holds it alone.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from amlkit.errors import AmlkitError, Conflict, NotFound, unreadable
from amlkit.local.content import collection
from amlkit.local.content.objects import SMALL, Objects, PackWriter, copy_and_hash
from amlkit.local.content.records import (
    Damage,
    Entry,
    Freed,
    Tree,
    read_manifest,
    write_manifest,
)
from amlkit.local.content.restore import restore
from amlkit.local.content.statcache import StatCache
from amlkit.snapshots.ignore import IgnoreRules
from amlkit.snapshots.walk import Found, walk

Progress = Callable[[int, int], None]
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class ContentStore:
    """A content store in a folder. Any number of processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.trees = folder / "trees"
        self.views = folder / "views"
        self.tmp = folder / "tmp"
        self.stats = folder / "stats"
        self.objects = Objects(folder)
        for each in (self.trees, self.views, self.tmp, self.stats):
            each.mkdir(parents=True, exist_ok=True)
        self.objects.large.mkdir(exist_ok=True)
        self.objects.packs.mkdir(exist_ok=True)

    def add(
        self,
        path: Path,
        *,
        ignore: IgnoreRules | None = None,
        includes: Sequence[Path] = (),
        progress: Progress | None = None,
    ) -> Tree:
        """Store a file or folder and return its tree; what is stored already is not read again.

        includes: more files or folders, each placed in the tree under its own name.
        Raises: NotFound: no such path. AmlkitError: unreadable, or the disk is full (then nothing
        of the tree is seen).
        """
        with self.locked(), self._scratch() as scratch:
            return self._gather(path, ignore, includes, progress, scratch)

    def digest(
        self, path: Path, *, ignore: IgnoreRules | None = None, includes: Sequence[Path] = ()
    ) -> Tree:
        """Return the tree that `add` would store, without storing it."""
        return self._gather(path, ignore, includes, None, None)

    def entries(self, digest: str) -> Iterator[Entry]:
        """Yield what is in a tree, by path. Raises: NotFound."""
        return iter(self.read_tree(digest)[1])

    def read_tree(self, digest: str) -> tuple[str, list[Entry]]:
        """Return the kind and the entries of a tree. Raises: NotFound."""
        try:
            return read_manifest(self.tree_path(digest).read_bytes())
        except FileNotFoundError:
            raise NotFound(f"the content `{digest}` is not in this workspace") from None

    def tree_path(self, digest: str) -> Path:
        """Return where a tree is written down."""
        return self.trees / digest.removeprefix("sha256:")

    def materialise(self, digest: str, target: Path) -> None:
        """Write a tree to `target` as private, writable copies.

        Raises: NotFound: no such tree. Conflict: `target` is there already.
        """
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            raise Conflict(f"`{target}` exists already", hint="remove it or choose another place")
        target.parent.mkdir(parents=True, exist_ok=True)
        kind, entries = self.read_tree(digest)
        with self.locked(), _disk_full_told(target, sum(each.size for each in entries)):
            restore(self.objects, kind, entries, target, shared=False)

    def view(self, digest: str) -> Path:
        """Return a read-only file or folder with the content, made once and shared."""
        kind, entries = self.read_tree(digest)
        place = self.views / digest.removeprefix("sha256:")
        if not place.exists():
            size = sum(each.size for each in entries)
            with self.locked(), self._scratch() as scratch, _disk_full_told(place, size):
                made = scratch / "view"
                inside = made / entries[0].path if kind == "file" else made
                restore(self.objects, kind, entries, inside, shared=True)
                try:
                    made.rename(place)
                except OSError as cause:
                    if cause.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
                        raise
                else:
                    place.chmod(0o555)
        return place / entries[0].path if kind == "file" else place

    def open(self, digest: str) -> BinaryIO:
        """Open one file by the hash of its content. Raises: NotFound."""
        import io

        place = self.objects.find(digest)
        if place is None:
            raise NotFound(f"the file `{digest}` is not in this workspace")
        return io.BytesIO(self.objects.read(place)) if place.pack else place.path.open("rb")

    def verify(self) -> Iterator[Damage]:
        """Hash everything again and yield what is damaged or missing."""
        with self.locked():
            self.objects.forget()
            yield from collection.verify(self.trees, self.objects)

    def collect(self, live: set[str], *, dry_run: bool, grace_seconds: float = 3600.0) -> Freed:
        """Free what no tree in `live` needs.

        grace_seconds: trees used this recently stay: somebody may be about to register them.
        """
        with self.locked(alone=True):
            self.objects.forget()
            return collection.collect(self, live, dry_run=dry_run, grace_seconds=grace_seconds)

    @contextmanager
    def locked(self, *, alone: bool = False) -> Iterator[None]:
        """Hold the store's lock; it goes with the process, however that ends."""
        fd = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield
        finally:
            os.close(fd)

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(dir=self.tmp))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _gather(
        self,
        path: Path,
        ignore: IgnoreRules | None,
        includes: Sequence[Path],
        progress: Progress | None,
        scratch: Path | None,
    ) -> Tree:
        if not path.exists():
            raise NotFound(
                f"`{path}` does not exist", hint="check the path; it is relative to here"
            )
        root = path.resolve()
        kind = "folder" if root.is_dir() else "file"
        cache = StatCache(self.stats, root)
        found = _found(root, path.name or root.name, ignore)
        for each in includes:
            found += _included(each, ignore, {item.relative.split("/")[0] for item in found})
        writing = _Writing(self, cache, scratch, progress, sum(_size(each) for each in found))
        tree = writing.run(kind, found)
        if scratch is not None:
            cache.save(scratch)
        return tree


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


class _Writing:
    """One `add`, or one `digest` where there is no scratch folder."""

    def __init__(
        self,
        store: ContentStore,
        cache: StatCache,
        scratch: Path | None,
        progress: Progress | None,
        total: int,
    ) -> None:
        self._store = store
        self._cache = cache
        self._scratch = scratch
        self._progress = progress
        self._total = total
        self._pack: PackWriter | None = None

    def run(self, kind: str, found: list[Found]) -> Tree:
        known = [self._cache.get(each.path, each.stat) for each in found]
        pairs = list(zip(found, known, strict=True))
        if all(digest is not None or each.kind != "file" for each, digest in pairs):
            entries = [_entry(each, digest or "") for each, digest in pairs]
            tree, _ = write_manifest(kind, entries)
            if self._scratch is None or self._touch(tree):
                return tree
        with _disk_full_told(self._store.root, self._total):
            return self._store_all(kind, found, known)

    def _touch(self, tree: Tree) -> bool:
        try:
            os.utime(self._store.tree_path(tree.digest))
        except FileNotFoundError:
            return False
        return True

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
        tree, manifest = write_manifest(kind, entries)
        if self._scratch is not None and not self._touch(tree):
            scratch = self._scratch / "tree"
            with scratch.open("wb") as target:
                target.write(manifest)
                target.flush()
                os.fsync(target.fileno())
            scratch.replace(self._store.tree_path(tree.digest))
        return tree

    def _one(self, found: Found, digest: str | None) -> Entry:
        if found.kind != "file":
            return _entry(found, "")
        stored = digest is not None and self._store.objects.find(digest) is not None
        if digest is None or not (stored or self._scratch is None):
            try:
                digest, size = self._read(found)
            except OSError as cause:
                if cause.errno in _FULL:
                    raise
                raise unreadable(Path(found.path), cause) from None
            if size == found.stat.st_size:
                self._cache.put(found.path, found.stat, digest)
            return _entry(found, digest)._replace(size=size)
        return _entry(found, digest)

    def _read(self, found: Found) -> tuple[str, int]:
        if found.stat.st_size > SMALL:
            return self._read_large(Path(found.path))
        fd = os.open(found.path, os.O_RDONLY)
        try:
            data = os.read(fd, SMALL + 1)
        finally:
            os.close(fd)
        if len(data) > SMALL:
            return self._read_large(Path(found.path))
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if self._scratch is not None and not self._store.objects.known(digest):
            if self._pack is None:
                self._pack = PackWriter(self._store.objects, self._scratch)
            self._pack.add(digest, data)
        return digest, len(data)

    def _read_large(self, path: Path) -> tuple[str, int]:
        if self._scratch is None:
            return copy_and_hash(path, None)
        scratch = self._scratch / "large"
        digest, size = copy_and_hash(path, scratch)
        if self._store.objects.find(digest) is None:
            place = self._store.objects.path(digest)
            place.parent.mkdir(exist_ok=True)
            scratch.chmod(0o444)
            scratch.replace(place)
        else:
            scratch.unlink()
        return digest, size


def _entry(found: Found, digest: str) -> Entry:
    if found.kind == "link":
        return Entry(found.relative, found.target, 0, executable=False, kind="link")
    if found.kind == "folder":
        return Entry(found.relative, "", 0, executable=False, kind="folder")
    executable = bool(found.stat.st_mode & 0o100)
    return Entry(found.relative, digest, found.stat.st_size, executable, "file")


@contextmanager
def _disk_full_told(place: Path, needed: int) -> Iterator[None]:
    try:
        yield
    except OSError as cause:
        if cause.errno not in _FULL:
            raise
        free = shutil.disk_usage(place if place.exists() else place.parent).free
        raise AmlkitError(
            f"the disk is full: `{place}` needs {needed} bytes and {free} are free",
            hint="free some space, then run it again",
        ) from None
