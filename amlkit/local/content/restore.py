"""Write a tree back to disk, as private copies or as a shared read-only view."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from amlkit.errors import AmlkitError
from amlkit.local.content.objects import Objects
from amlkit.local.content.records import Entry


def restore(
    objects: Objects, kind: str, entries: Sequence[Entry], target: Path, *, shared: bool
) -> None:
    """Write the entries at `target`; a tree of kind `file` becomes that one file.

    Raises: AmlkitError: an object is missing, or this disk takes two names for the same.
    """
    if kind == "file":
        target.parent.mkdir(parents=True, exist_ok=True)
        _file(objects, entries[0], target, shared=shared)
        return
    target.mkdir(parents=True, exist_ok=True)
    made = {""}
    for each in entries:
        folder = each.path if each.kind == "folder" else each.path.rpartition("/")[0]
        if folder not in made:
            (target / folder).mkdir(parents=True, exist_ok=True)
            made.add(folder)
        if each.kind == "file":
            _file(objects, each, target / each.path, shared=shared)
        elif each.kind == "link":
            (target / each.path).symlink_to(each.digest)
    if shared:
        # The top stays open until it is in its place: a read-only folder cannot be moved.
        for inside, _, _ in os.walk(target, topdown=False):
            if inside != str(target):
                Path(inside).chmod(0o555)


def _file(objects: Objects, entry: Entry, target: Path, *, shared: bool) -> None:
    place = objects.find(entry.digest)
    if place is None:
        raise AmlkitError(
            f"the content of `{entry.path}` is missing from the store",
            hint="register it again from its source",
        )
    if os.path.lexists(target):
        raise AmlkitError(
            f"`{target}` cannot be written: there is one already, perhaps with other capitals",
            hint="use a disk that tells them apart, or rename one and register the data again",
        )
    if place.pack:
        target.write_bytes(objects.read(place))
    elif shared and not entry.executable:
        os.link(objects.check(entry.digest, entry.path), target)
    else:
        _copy(objects.check(entry.digest, entry.path), target)
    mode = 0o444 if shared else 0o644
    if not (shared and not place.pack and not entry.executable):
        target.chmod(mode | (0o111 if entry.executable else 0))


def _copy(source: Path, target: Path) -> None:
    """Copy a file; its holes stay holes."""
    facts = source.stat()
    if getattr(facts, "st_blocks", 0) * 512 >= facts.st_size or not hasattr(os, "SEEK_DATA"):
        shutil.copyfile(source, target)
        return
    from amlkit.local.content.copying import CHUNK, write_all

    with source.open("rb", buffering=0) as reader, target.open("wb", buffering=0) as writer:
        at = 0
        while (at := _next_data(reader.fileno(), at, facts.st_size)) < facts.st_size:
            end = os.lseek(reader.fileno(), at, os.SEEK_HOLE)
            reader.seek(at)
            writer.seek(at)
            while at < end and (chunk := reader.read(min(CHUNK, end - at))):
                write_all(writer.fileno(), chunk)
                at += len(chunk)
        writer.truncate(facts.st_size)


def _next_data(descriptor: int, at: int, size: int) -> int:
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError as cause:
        if cause.errno == errno.ENXIO:
            return size
        raise
