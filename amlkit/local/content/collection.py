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

from amlkit.local.content.objects import Objects, PackWriter, Place, copy_and_hash, read_index
from amlkit.local.content.records import Damage, Entry, Freed, read_manifest
from amlkit.snapshots.statcache import remove_unused

if TYPE_CHECKING:
    from amlkit.local.content.store import ContentStore


def verify(store: ContentStore) -> Iterator[Damage]:
    """Yield every tree and object that is missing or has other bytes than its name says."""
    wanted: dict[str, list[tuple[str, str]]] = {}
    for path in sorted([*store.trees.iterdir(), *store.torn.iterdir()]):
        data = path.read_bytes()
        digest = f"sha256:{path.name}"
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
        place = view / each.path
        # What is linked to its object is hashed with it.
        if each.kind == "file" and not (place.exists() and place.stat().st_nlink > 1):
            found = copy_and_hash(place, None)[0] if place.exists() else None
            if found != each.digest:
                problem = "the shared copy that jobs read was changed"
                yield Damage("view", each.digest, problem, ((tree, each.path),))


def _problem(objects: Objects, digest: str) -> str | None:
    place = objects.find(digest)
    if place is None:
        return "missing"
    if place.pack:
        found = f"sha256:{hashlib.sha256(objects.read(place)).hexdigest()}"
    else:
        found, _ = copy_and_hash(place.path, None)
    return None if found == digest else "other bytes than its hash says"


def set_aside(store: ContentStore, damages: Sequence[Damage]) -> None:
    """Take what is damaged out of use. The caller holds the lock alone.

    A list of files that names a lost one moves to `torn`: it is still known what was lost, and
    storing the same files again makes it whole.
    """
    lost = {each.digest for each in damages if each.kind == "object"}
    lost = {digest for digest in lost if _problem(store.objects, digest) is not None}
    for each in damages:
        for tree, _ in each.users:
            _remove_view(store, tree.removeprefix("sha256:"))
            path = store.tree_path(tree)
            if each.kind == "tree":
                path.unlink(missing_ok=True)
            elif each.digest in lost and path.exists():
                path.rename(store.torn / path.name)
    for digest in lost:
        store.objects.path(digest).unlink(missing_ok=True)
    for index in sorted(store.objects.packs.glob("*.idx")):
        places = dict(read_index(index))
        if not lost.isdisjoint(places):
            _repack(store, index, {k: v for k, v in places.items() if k not in lost})
    _empty(store.tmp)


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
