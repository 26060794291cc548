"""Write a tree back to disk, as private copies or as a shared read-only view."""

from __future__ import annotations

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

    Raises: AmlkitError: an object is missing.
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
    if place.pack:
        target.write_bytes(objects.read(place))
    elif shared and not entry.executable:
        os.link(place.path, target)
    else:
        shutil.copyfile(place.path, target)
    mode = 0o444 if shared else 0o644
    if not (shared and not place.pack and not entry.executable):
        target.chmod(mode | (0o111 if entry.executable else 0))
