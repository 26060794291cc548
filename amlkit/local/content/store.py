"""Keep files and folders by content. A tree is seen only when everything in it is stored.

Order of a write: objects and packs, then the tree that names them; each appears by a rename.
Writers and readers share a lock; only `collect` holds it alone.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from amlkit.errors import Conflict, NotFound
from amlkit.local.content import collection, verification
from amlkit.local.content.links import followed
from amlkit.local.content.objects import SMALL, Objects
from amlkit.local.content.records import (
    Damage,
    Entry,
    Freed,
    Tree,
    read_list,
    read_manifest,
    write_manifest,
)
from amlkit.local.content.restore import restore
from amlkit.local.content.writing import Progress, Writing, disk_full_told, found_below, root_of
from amlkit.local.locks import lock, shared_lock
from amlkit.placing import placed
from amlkit.snapshots.ignore import IgnoreRules
from amlkit.snapshots.statcache import StatCache


class ContentStore:
    """A content store in a folder. Any number of processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.trees = folder / "trees"
        self.views = folder / "views"
        self.tmp = folder / "tmp"
        self.stats = folder / "stats"
        self.pins = folder / "pins"
        self.torn = folder / "torn"
        self.objects = Objects(folder)
        for each in (self.trees, self.views, self.tmp, self.stats, self.pins, self.torn):
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
        with self.locked(), self.scratch() as scratch:
            return self._gather(path, ignore, includes, progress, scratch)[0]

    def digest(
        self, path: Path, *, ignore: IgnoreRules | None = None, includes: Sequence[Path] = ()
    ) -> Tree:
        """Return the tree that `add` would store, without storing it."""
        return self._gather(path, ignore, includes, None, None)[0]

    def survey(
        self, path: Path, *, ignore: IgnoreRules | None = None, includes: Sequence[Path] = ()
    ) -> list[Entry]:
        """Return the entries of the tree that `add` would store, without storing it."""
        return read_manifest(self._gather(path, ignore, includes, None, None)[1])[1]

    def entries(self, digest: str) -> Iterator[Entry]:
        """Yield what is in a tree (or was, when it was pinned), by path. Raises: NotFound."""
        return iter(self.read_tree(digest)[1])

    def read_tree(self, digest: str) -> tuple[str, list[Entry]]:
        """Return the kind and the entries of a tree. Raises: NotFound."""
        for place in self.lists(digest):
            try:
                return read_list(place)
            except FileNotFoundError:
                continue
        raise NotFound(f"the content `{digest}` is not in this workspace")

    def lists(self, digest: str) -> tuple[Path, ...]:
        """Return where a list of files may be: of a tree, of a pin, of a tree that is torn."""
        name = digest.removeprefix("sha256:")
        return self.trees / name, self.pins / name, self.torn / name

    def tree_path(self, digest: str) -> Path:
        """Return where a tree is written down."""
        return self.trees / digest.removeprefix("sha256:")

    def materialise(self, digest: str, target: Path) -> None:
        """Write a tree to `target` as private, writable copies.

        Raises: NotFound: no such tree. Conflict: `target` is there already.
        """
        with self.locked(), placed(target) as made:
            kind, entries = self.read_tree(digest)
            with disk_full_told(target, sum(each.size for each in entries)):
                restore(self.objects, kind, entries, made, shared=False)

    def subset(self, digest: str, paths: Iterable[str]) -> Tree:
        """Store a folder with some files of a tree; a link becomes the file that it leads to.

        Raises: NotFound: no such tree. KeyError: no such file in it.
        """
        with self.locked(), self.scratch() as scratch:
            known = followed(self.read_tree(digest)[1])
            tree, manifest = write_manifest("folder", [known[path] for path in paths])
            self.keep_tree(tree, manifest, scratch)
        return tree

    def copy(self, digest: str, paths: Iterable[str], target: Path) -> None:
        """Write some files of a tree to `target`, as private copies.

        Raises: as `subset`, and Conflict: `target` is there already.
        """
        with self.locked(), placed(target) as made:
            known = followed(self.read_tree(digest)[1])
            chosen = [known[path] for path in paths]
            with disk_full_told(target, sum(each.size for each in chosen)):
                restore(self.objects, "folder", chosen, made, shared=False)

    def touch_tree(self, tree: Tree) -> bool:
        """Whether a tree is stored; if so, it is in use now."""
        try:
            os.utime(self.tree_path(tree.digest))
        except FileNotFoundError:
            return False
        return True

    def keep_tree(self, tree: Tree, manifest: bytes, scratch: Path) -> None:
        """Make a tree visible, in one step: everything in it has been stored."""
        if self.touch_tree(tree):
            return
        written = scratch / "tree"
        with written.open("wb") as target:
            target.write(manifest)
            target.flush()
            os.fsync(target.fileno())
        written.replace(self.tree_path(tree.digest))
        self.lists(tree.digest)[-1].unlink(missing_ok=True)

    def view(self, digest: str) -> Path:
        """Return a read-only file or folder with the content, made once and shared."""
        kind, entries = self.read_tree(digest)
        place = self.views / digest.removeprefix("sha256:")
        if not place.exists():
            self._make_view(digest, place)
        elif hasattr(os, "geteuid") and os.geteuid() == 0:
            # Root may write read-only files, and so change what other versions share.
            for each in entries:
                if each.kind == "file" and each.size > SMALL and not each.executable:
                    self.objects.check(each.digest, each.path)
        return place / entries[0].path if kind == "file" else place

    def _make_view(self, digest: str, place: Path) -> None:
        with self.locked(), self.scratch() as scratch:
            kind, entries = self.read_tree(digest)
            made = scratch / "view"
            inside = made / entries[0].path if kind == "file" else made
            with disk_full_told(place, sum(each.size for each in entries)):
                restore(self.objects, kind, entries, inside, shared=True)
            try:
                made.rename(place)
            except OSError as cause:
                if cause.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
                    raise
            else:
                place.chmod(0o555)

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
            yield from verification.verify(self)

    def set_aside(self, damages: Sequence[Damage]) -> None:
        """Take what is damaged out of use: adding its source again stores it whole."""
        with self.locked(alone=True):
            self.objects.forget()
            verification.set_aside(self, damages)
            self.objects.forget()

    def collect(
        self, live: Callable[[], set[str]], *, dry_run: bool, grace_seconds: float = 3600.0
    ) -> Freed:
        """Free what no tree in `live` needs.

        live: asked when nobody writes any more: that may take longer than the grace.
        grace_seconds: trees used this recently stay: somebody may be about to register them.
        """
        with self.locked(alone=not dry_run):
            self.objects.forget()
            return collection.collect(self, live(), dry_run=dry_run, grace_seconds=grace_seconds)

    @contextmanager
    def locked(self, *, alone: bool = False) -> Iterator[None]:
        """Hold the store's lock; it goes with the process, however that ends."""
        held = (lock if alone else shared_lock)(self.root / "lock")
        try:
            yield
        finally:
            held.release()

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Lend a folder beside the objects: what is made in it can be renamed into its place."""
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
    ) -> tuple[Tree, bytes]:
        root, kind = root_of(path)
        if ignore is None and self.root.resolve().is_relative_to(root.resolve()):
            raise Conflict(
                f"`{path}` holds the workspace itself: `{self.root.parent}`",
                hint="name the folder of the data alone",
            )
        cache = StatCache(self.stats, root)
        found = found_below(root, path.name or root.name, ignore, includes)
        writing = Writing(self, cache, scratch, progress, found)
        tree = writing.run(kind)
        cache.save()
        return tree, writing.manifest
