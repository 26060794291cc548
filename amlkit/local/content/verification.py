"""Check everything in a store, and take what is damaged out of use."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.local.content.collection import empty, remove_view, repack
from amlkit.local.content.objects import (
    Objects,
    Place,
    hash_of,
    read_index,
    salvaged,
)
from amlkit.local.content.records import Damage, Damaged, Entry, read_list

if TYPE_CHECKING:
    from amlkit.local.content.store import ContentStore


def verify(store: ContentStore) -> Iterator[Damage]:
    """Yield every tree and object that is missing or has other bytes than its name says."""
    wanted: dict[str, list[tuple[str, str]]] = {}
    for index in sorted(store.objects.packs.glob("*.idx")):
        if (found := _damaged_index(index)) is not None:
            where = index.relative_to(store.root).as_posix()
            yield Damage("index", index.stem, found.problem, (("", where),))
    lists = [*store.trees.iterdir(), *store.torn.iterdir(), *store.pins.iterdir()]
    for path in sorted(lists):
        digest = f"sha256:{path.name}"
        try:
            _, entries = read_list(path)
        except FileNotFoundError:
            # It was torn, and is made whole beside us.
            continue
        except Damaged as cause:
            fault = "is damaged" if cause.cause is None else cause.problem
            yield Damage("tree", digest, f"the list of files {fault}", ((digest, ""),))
            continue
        if path.parent == store.pins:
            continue
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
        problem = "the shared copy that jobs read was changed"
        try:
            changed = _is_changed(view / each.path, each.digest)
        except OSError as cause:
            changed, problem = True, f"the shared copy that jobs read {_unreadable(cause)}"
        if changed:
            yield Damage("view", each.digest, problem, ((tree, each.path),))


def _is_changed(place: Path, digest: str) -> bool:
    if not place.exists():
        return True
    # What is linked to its object is hashed with it.
    return place.stat().st_nlink == 1 and hash_of(place) != digest


def _damaged_index(index: Path) -> Damaged | None:
    try:
        read_index(index)
    except Damaged as cause:
        return cause
    return None


def _problem(objects: Objects, digest: str) -> str | None:
    try:
        found = _hash(objects, digest)
    except Damaged as cause:
        return f"{cause.path.name} {cause.problem}"
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
    except (OSError, Damaged) as cause:
        # Whoever may read it finds it sound, perhaps.
        return not _is_refused(cause)


def _is_refused(cause: OSError | Damaged) -> bool:
    """Whether only the permission to read something is missing."""
    return isinstance(cause.cause if isinstance(cause, Damaged) else cause, PermissionError)


def _is_sound(objects: Objects, digest: str, place: Place) -> bool:
    try:
        return f"sha256:{hashlib.sha256(objects.read(place)).hexdigest()}" == digest
    except Damaged:
        return False


def _unreadable(cause: OSError) -> str:
    return f"cannot be read: {cause.strerror}"


def set_aside(store: ContentStore, damages: Sequence[Damage]) -> None:
    """Take what is damaged out of use. The caller holds the lock alone.

    A list of files that names a lost one moves to `torn`: it is still known what was lost, and
    storing the same files again makes it whole.
    """
    _mend_indexes(store)
    lost = {each.digest for each in damages if each.kind == "object"}
    lost = {digest for digest in lost if _is_lost(store.objects, digest)}
    for each in (damage for damage in damages if damage.kind != "index"):
        for tree, _ in each.users:
            remove_view(store, tree.removeprefix("sha256:"))
            path = store.tree_path(tree)
            if each.kind == "tree":
                _forget_damaged_lists(store, tree)
            elif each.digest in lost and path.exists():
                path.rename(store.torn / path.name)
    for digest in lost:
        store.objects.path(digest).unlink(missing_ok=True)
    for index in sorted(store.objects.packs.glob("*.idx")):
        places = _places(index)
        if not lost.isdisjoint(places):
            sound = {k: v for k, v in places.items() if k not in lost}
            kept = {k: v for k, v in sound.items() if _is_sound(store.objects, k, v)}
            repack(store, index, kept)
    empty(store.tmp)


def _forget_damaged_lists(store: ContentStore, tree: str) -> None:
    for path in store.lists(tree):
        try:
            read_list(path)
        except FileNotFoundError:
            continue
        except Damaged as cause:
            if not _is_refused(cause):
                path.unlink()


def _mend_indexes(store: ContentStore) -> None:
    """Put what is sound of damaged indexes in their place: they are in the way of all others."""
    for index in sorted(store.objects.packs.glob("*.idx")):
        found = _damaged_index(index)
        if found is None or _is_refused(found):
            continue
        try:
            places = dict(salvaged(index))
        except OSError:
            places = {}
        sound = {k: v for k, v in places.items() if _is_sound(store.objects, k, v)}
        repack(store, index, sound)
    store.objects.forget()


def _places(index: Path) -> dict[str, Place]:
    try:
        return dict(read_index(index))
    except Damaged:
        # Only the permission to read it is missing; all others are mended.
        return {}
