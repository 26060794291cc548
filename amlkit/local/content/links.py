"""Follow the links of a tree on paper: which file each path means."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from amlkit.local.content.records import Entry

_STEPS = 40


def followed(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Return every file by its path, and by the paths of the links that lead to it."""
    found = {each.path: each for each in entries if each.kind == "file"}
    links = {each.path: each.digest for each in entries if each.kind == "link"}
    for path in links:
        aim = _resolved(path, links)
        if aim is not None and aim in found:
            found[path] = found[aim]._replace(path=path)
    return found


def _resolved(path: str, links: Mapping[str, str]) -> str | None:
    """Return a path without links in it; None when they lead in a circle, or out."""
    for _ in range(_STEPS):
        parts = path.split("/")
        heads = ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
        link = next((head for head in heads if head in links), None)
        if link is None:
            return path
        rest = path[len(link) :]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(link), links[link] + rest))
        if path.startswith(".."):
            return None
    return None
