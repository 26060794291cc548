"""Check everything in a store, and free what nothing needs."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.local.content.objects import Objects, PackWriter, Place, hash_of, read_index
from amlkit.local.content.records import Damage, Entry, Freed, read_manifest
from amlkit.snapshots.statcache import remove_unused

if TYPE_CHECKING:
    from amlkit.local.content.store import ContentStore


def verify(store: ContentStore) -> Iterator[Damage]:
    """Yield every tree and object that is missing or has other bytes than its name says."""
    wanted: dict[str, list[tuple[str, str]]] = {}
    for path in sorted([*store.trees.iterdir(), *store.torn.iterdir()]):
        digest = f"sha256:{path.name}"
        try:
            data = path.read_bytes()
        except OSError as cause:
            yield Damage("tree", digest, f"the list of files {_unreadable(cause)}", ((digest, ""),))
            continue
        if hashlib.sha256(data).hexdigest() != path.name:
            yield Damage("tree", digest, "the list of files is damaged", ((digest, ""),))
            continue
        _, entries = read_manifest(data)
        yield from _changed_view(store.views / path.name, digest, entries)
        for entry in entries:
            if entry.kind == "file":
                wanted.setdefault(entry.digest, []).append((digest, entry.path))
    for digest, users in sorted(wanted.items()):
        problem = _problem(store.objects, digest)
        if problem is not None:
            yield Damage("object", digest, problem, tuple(users))


def _changed_view(view: Path, tree: str, entries: list[Entry]) -> Iterator[Damage]:
    if not view.exists():
        return
    for each in entries:
        if each.kind != "file":
            continue
        try:
            changed = _is_changed(view / each.path, each.digest)
            problem = "the shared copy that jobs read was changed"
        except OSError as cause:
            changed, problem = True, f"the shared copy that jobs read {_unreadable(cause)}"
        if changed:
            yield Damage("view", each.digest, problem, ((tree, each.path),))


def _is_changed(place: Path, digest: str) -> bool:
    if not place.exists():
        return True
    # What is linked to its object is hashed with it.
    return place.stat().st_nlink == 1 and hash_of(place) != digest


def _problem(objects: Objects, digest: str) -> str | None:
    try:
        found = _hash(objects, digest)
    except OSError as cause:
        return _unreadable(cause)
    if found is None:
        return "missing"
    return None if found == digest else "other bytes than its hash says"


def _hash(objects: Objects, digest: str) -> str | None:
    """Return the hash of what is stored as an object, or None when nothing is."""
    place = objects.find(digest)
    if place is None:
        return None
    if place.pack:
        return f"sha256:{hashlib.sha256(objects.read(place)).hexdigest()}"
    return hash_of(place.path)


def _is_lost(objects: Objects, digest: str) -> bool:
    try:
        return _hash(objects, digest) != digest
    except PermissionError:
        # Whoever may read it finds it sound, perhaps.
        return False
    except OSError:
        return True


def _is_readable(objects: Objects, place: Place) -> bool:
    try:
        objects.read(place)
    except OSError:
        return False
    return True


def _unreadable(cause: OSError) -> str:
    return f"cannot be read: {cause.strerror}"


def set_aside(store: ContentStore, damages: Sequence[Damage]) -> None:
    """Take what is damaged out of use. The caller holds the lock alone.

    A list of files that names a lost one moves to `torn`: it is still known what was lost, and
    storing the same files again makes it whole.
    """
    _forget_unreadable_indexes(store)
    lost = {each.digest for each in damages if each.kind == "object"}
    lost = {digest for digest in lost if _is_lost(store.objects, digest)}
    for each in damages:
        for tree, _ in each.users:
            _remove_view(store, tree.removeprefix("sha256:"))
            path = store.tree_path(tree)
            if each.kind == "tree":
                if os.access(path, os.R_OK):
                    path.unlink()
            elif each.digest in lost and path.exists():
                path.rename(store.torn / path.name)
    for digest in lost:
        store.objects.path(digest).unlink(missing_ok=True)
    for index in sorted(store.objects.packs.glob("*.idx")):
        places = _places(index)
        if not lost.isdisjoint(places):
            sound = {k: v for k, v in places.items() if k not in lost}
            kept = {k: v for k, v in sound.items() if _is_readable(store.objects, v)}
            _repack(store, index, kept)
    _empty(store.tmp)


def _forget_unreadable_indexes(store: ContentStore) -> None:
    """Let go of what says where lost objects are: it is in the way of finding all others."""
    for index in store.objects.packs.glob("*.idx"):
        try:
            index.read_bytes()
        except PermissionError:
            continue
        except OSError:
            index.unlink()
    store.objects.forget()


def _places(index: Path) -> dict[str, Place]:
    try:
        return dict(read_index(index))
    except PermissionError:
        return {}


def collect(store: ContentStore, live: set[str], *, dry_run: bool, grace_seconds: float) -> Freed:
    """Free trees, views and objects that are not needed. The caller holds the lock alone."""
    oldest = time.time() - grace_seconds
    dead: list[Path] = []
    needed: set[str] = set()
    for path in (*store.trees.iterdir(), *store.torn.iterdir()):
        if f"sha256:{path.name}" not in live and path.stat().st_mtime < oldest:
            dead.append(path)
        else:
            entries = read_manifest(path.read_bytes())[1]
            needed.update(each.digest for each in entries if each.kind == "file")
    unused = [
        path for path in store.objects.large.glob("*/*") if f"sha256:{path.name}" not in needed
    ]
    count = len(unused)
    size = sum(path.stat().st_size for path in unused)
    if not dry_run:
        # Trees first: one that is seen has everything it names.
        for path in dead:
            path.unlink()
        for view in store.views.iterdir():
            if not (store.trees / view.name).exists():
                _remove_view(store, view.name)
        for path in unused:
            path.unlink()
        _empty(store.tmp)
        for pin in store.pins.iterdir():
            if f"sha256:{pin.name}" not in live and pin.stat().st_mtime < oldest:
                pin.unlink()
        remove_unused(store.stats)
    for index in sorted(store.objects.packs.glob("*.idx")):
        places = dict(read_index(index))
        out = {digest: each for digest, each in places.items() if digest not in needed}
        count += len(out)
        size += sum(each.size for each in out.values())
        if out and not dry_run:
            _repack(store, index, {k: v for k, v in places.items() if k not in out})
    if not dry_run:
        for pack in store.objects.packs.glob("*.pack"):
            if not pack.with_suffix(".idx").exists():
                pack.unlink()
        store.objects.forget()
    return Freed(len(dead), count, size)


def _repack(store: ContentStore, index: Path, kept: dict[str, Place]) -> None:
    if kept:
        writer = PackWriter(store.objects, store.tmp)
        for digest, place in kept.items():
            writer.add(digest, store.objects.read(place))
        writer.finish()
    index.unlink()
    index.with_suffix(".pack").unlink()


def _remove_view(store: ContentStore, name: str) -> None:
    """Take a shared copy out of sight in one step: half of one must never be taken for a whole."""
    view = store.views / name
    if view.exists():
        view.chmod(0o755)
        view.rename(Path(tempfile.mkdtemp(dir=store.tmp)) / name)


def _empty(folder: Path) -> None:
    for left in folder.iterdir():
        if not left.is_dir():
            left.unlink()
            continue
        for inside, _, _ in os.walk(left):
            Path(inside).chmod(0o755)
        shutil.rmtree(left)
