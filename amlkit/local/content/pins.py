"""Data that stays where it is: the hash of every file is noted, and checked before it is used."""

from __future__ import annotations

from pathlib import Path

from amlkit.errors import AmlkitError
from amlkit.local.content.records import Entry, Tree, read_manifest
from amlkit.local.content.store import ContentStore
from amlkit.local.content.writing import Progress, Writing, found_below, root_of
from amlkit.snapshots.statcache import StatCache


def pin(store: ContentStore, path: Path, *, progress: Progress | None = None) -> Tree:
    """Note the hashes of a file or folder and return the tree that it is. Raises: NotFound."""
    tree, manifest = _hashed(store, path, progress)
    with store.locked(), store.scratch() as scratch:
        written = scratch / "pin"
        written.write_bytes(manifest)
        written.replace(store.pins / tree.digest.removeprefix("sha256:"))
    return tree


def check(store: ContentStore, digest: str, path: Path) -> None:
    """Raises: AmlkitError: `path` is gone, or a file is not as it was; the message names it."""
    if not path.exists():
        raise AmlkitError(
            f"`{path}` is gone; it was registered by reference",
            hint="put it back, or register what there is now",
        )
    tree, manifest = _hashed(store, path, None)
    if tree.digest == digest:
        return
    before = {each.path: each for each in store.entries(digest)}
    after = {each.path: each for each in read_manifest(manifest)[1]}
    changed = sorted(each for each in {*before, *after} if before.get(each) != after.get(each))
    place = path / changed[0] if path.is_dir() else path
    more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
    raise AmlkitError(
        f"`{place}` {_fate(changed[0], before, after)} since it was registered by reference{more}",
        hint="register it again: that is a new version",
    )


def _fate(name: str, before: dict[str, Entry], after: dict[str, Entry]) -> str:
    if name not in after:
        return "was removed"
    return "was changed" if name in before else "was added"


def _hashed(store: ContentStore, path: Path, progress: Progress | None) -> tuple[Tree, bytes]:
    root, kind = root_of(path)
    cache = StatCache(store.stats, root)
    found = found_below(root, path.name or root.name, None, ())
    writing = Writing(store, cache, None, progress, found)
    tree = writing.run(kind)
    cache.save()
    return tree, writing.manifest
