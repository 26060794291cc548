"""Free what nothing in a store needs."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.local.content.objects import PackWriter, Place, read_index
from amlkit.local.content.records import Freed, read_list
from amlkit.snapshots.statcache import remove_unused

if TYPE_CHECKING:
    from amlkit.local.content.store import ContentStore


def collect(store: ContentStore, live: set[str], *, dry_run: bool, grace_seconds: float) -> Freed:
    """Free trees, views and objects that are not needed. The caller holds the lock alone.

    Raises: Damaged: what says which are needed, or where they are; nothing is freed then.
    """
    oldest = time.time() - grace_seconds
    dead: list[Path] = []
    needed: set[str] = set()
    for path in (*store.trees.iterdir(), *store.torn.iterdir()):
        if f"sha256:{path.name}" not in live and path.stat().st_mtime < oldest:
            dead.append(path)
        else:
            entries = read_list(path)[1]
            needed.update(each.digest for each in entries if each.kind == "file")
    packs = [
        (index, dict(read_index(index))) for index in sorted(store.objects.packs.glob("*.idx"))
    ]
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
                remove_view(store, view.name)
        for path in unused:
            path.unlink()
        empty(store.tmp)
        for pin in store.pins.iterdir():
            if f"sha256:{pin.name}" not in live and pin.stat().st_mtime < oldest:
                pin.unlink()
        remove_unused(store.stats)
    for index, places in packs:
        out = {digest: each for digest, each in places.items() if digest not in needed}
        count += len(out)
        size += sum(each.size for each in out.values())
        if out and not dry_run:
            repack(store, index, {k: v for k, v in places.items() if k not in out})
    if not dry_run:
        for pack in store.objects.packs.glob("*.pack"):
            if not pack.with_suffix(".idx").exists():
                pack.unlink()
        store.objects.forget()
    return Freed(len(dead), count, size)


def repack(store: ContentStore, index: Path, kept: dict[str, Place]) -> None:
    """Write a pack anew with some of its objects."""
    if kept:
        writer = PackWriter(store.objects, store.tmp)
        for digest, place in kept.items():
            writer.add(digest, store.objects.read(place))
        writer.finish()
    index.unlink()
    index.with_suffix(".pack").unlink(missing_ok=True)


def remove_view(store: ContentStore, name: str) -> None:
    """Take a shared copy out of sight in one step: half of one must never be taken for a whole."""
    view = store.views / name
    if view.exists():
        view.chmod(0o755)
        view.rename(Path(tempfile.mkdtemp(dir=store.tmp)) / name)


def empty(folder: Path) -> None:
    """Remove everything in a folder."""
    for left in folder.iterdir():
        if not left.is_dir():
            left.unlink()
            continue
        for inside, _, _ in os.walk(left):
            Path(inside).chmod(0o755)
        shutil.rmtree(left)
