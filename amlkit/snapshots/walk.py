"""Find the files of a folder, in one pass, without entering what is ignored."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from amlkit.errors import AmlkitError, unreadable
from amlkit.placing import is_part
from amlkit.snapshots.ignore import IgnoreRules


class Found(NamedTuple):
    """One thing on disk. relative: posix; kind: `file`, `folder` (empty) or `link`."""

    relative: str
    path: str
    kind: str
    stat: os.stat_result
    target: str = ""


def walk(root: Path, ignore: IgnoreRules | None) -> Iterator[Found]:
    """Yield every file, link and empty folder below `root`. Links are never followed.

    Raises: AmlkitError: something cannot be read, or a link leads out of the folder.
    """
    yield from _walk(str(root), "", str(root), ignore)


def _walk(folder: str, relative: str, root: str, ignore: IgnoreRules | None) -> Iterator[Found]:
    rules = ignore.entering(folder, relative) if ignore is not None else None
    try:
        with os.scandir(folder) as found:
            children = list(found)
        if not children and relative:
            yield Found(relative, folder, "folder", Path(folder).stat())
    except OSError as cause:
        if relative and isinstance(cause, FileNotFoundError):
            return
        raise unreadable(Path(folder), cause) from None
    for child in children:
        name = f"{relative}/{child.name}" if relative else child.name
        if is_part(child.name):
            continue
        is_folder = child.is_dir(follow_symlinks=False)
        if rules is not None and rules.match(name, is_folder=is_folder):
            continue
        if is_folder:
            yield from _walk(child.path, name, root, ignore=rules)
            continue
        try:
            one = _found(child, name, root, ignore)
        except FileNotFoundError:
            # It was removed since the folder was listed.
            continue
        yield one


def _found(child: os.DirEntry[str], name: str, root: str, ignore: IgnoreRules | None) -> Found:
    facts = child.stat(follow_symlinks=False)
    if child.is_symlink():
        return Found(name, child.path, "link", facts, _inside(child.path, name, root, ignore))
    if child.is_file(follow_symlinks=False):
        return Found(name, child.path, "file", facts)
    raise AmlkitError(
        f"`{child.path}` is neither a file nor a folder", hint=_way_out("remove it", ignore)
    )


def _inside(path: str, name: str, root: str, ignore: IgnoreRules | None) -> str:
    target = os.readlink(path)  # noqa: PTH115
    aim = os.path.normpath(os.path.join(os.path.dirname(path), target))  # noqa: PTH118, PTH120
    # The real path too: `a -> b` and `b -> /etc` together lead out.
    real = os.path.realpath(path)
    base = os.path.realpath(root)
    if not (_below(aim, root) or _below(aim, base)) or not _below(real, base):
        raise AmlkitError(
            f"`{name}` is a link that leads out of the folder, to `{target}`",
            hint=_way_out("copy what it points to", ignore),
        )
    if not os.path.isabs(target):  # noqa: PTH117
        return target
    return os.path.relpath(aim, os.path.dirname(path))  # noqa: PTH120


def _way_out(what: str, ignore: IgnoreRules | None) -> str:
    """Return the remedy: data has no ignore files, so all of it is meant."""
    return what if ignore is None else f"{what}, or leave it out with a line in .amlignore"


def _below(path: str, root: str) -> bool:
    return path == root or path.startswith(root + os.sep)
