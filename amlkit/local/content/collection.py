"""Check everything in a store, and free what nothing needs."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.local.content.objects import Objects, PackWriter, Place, copy_and_hash, read_index
from amlkit.local.content.records import Damage, Entry, Freed, read_manifest
from amlkit.snapshots.statcache import remove_unused

if TYPE_CHECKING:
    from amlkit.local.content.store import ContentStore


def verify(trees: Path, views: Path, objects: Objects) -> Iterator[Damage]:
    """Yield every tree and object that is missing or has other bytes than its name says."""
    wanted: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(trees.iterdir()):
        data = path.read_bytes()
        digest = f"sha256:{path.name}"
        if hashlib.sha256(data).hexdigest() != path.name:
            yield Damage(digest, "the list of files is damaged", ((digest, ""),))
            continue
        _, entries = read_manifest(data)
        yield from _changed_view(views / path.name, digest, entries)
        for entry in entries:
            if entry.kind == "file":
                wanted.setdefault(entry.digest, []).append((digest, entry.path))
    for digest, users in sorted(wanted.items()):
        problem = _problem(objects, digest)
        if problem is not None:
            yield Damage(digest, problem, tuple(users))


def _changed_view(view: Path, tree: str, entries: list[Entry]) -> Iterator[Damage]:
    if not view.exists():
        return
    for each in entries:
        place = view / each.path
        # What is linked to its object is hashed with it.
        if each.kind == "file" and not (place.exists() and place.stat().st_nlink > 1):
            found = copy_and_hash(place, None)[0] if place.exists() else None
            if found != each.digest:
                problem = f"the shared copy that jobs read was changed: remove `{view}`"
                yield Damage(each.digest, problem, ((tree, each.path),))


def _problem(objects: Objects, digest: str) -> str | None:
    place = objects.find(digest)
    if place is None:
        return "missing"
    if place.pack:
        found = f"sha256:{hashlib.sha256(objects.read(place)).hexdigest()}"
    else:
        found, _ = copy_and_hash(place.path, None)
    return None if found == digest else "other bytes than its hash says"


def collect(store: ContentStore, live: set[str], *, dry_run: bool, grace_seconds: float) -> Freed:
    """Free trees, views and objects that are not needed. The caller holds the lock alone."""
    oldest = time.time() - grace_seconds
    dead = [
        path
        for path in store.trees.iterdir()
        if f"sha256:{path.name}" not in live and path.stat().st_mtime < oldest
    ]
    gone = {path.name for path in dead}
    needed: set[str] = set()
    for path in store.trees.iterdir():
        if path.name not in gone:
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
                # Out of sight in one step: half of a shared copy must never be taken for a whole.
                view.chmod(0o755)
                view.rename(Path(tempfile.mkdtemp(dir=store.tmp)) / view.name)
        for path in unused:
            path.unlink()
        for left in store.tmp.iterdir():
            _remove(left)
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


def _remove(path: Path) -> None:
    if not path.is_dir():
        path.unlink()
        return
    for folder, _, _ in os.walk(path):
        Path(folder).chmod(0o755)
    shutil.rmtree(path)
