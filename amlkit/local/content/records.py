"""What the content store speaks of: entries, trees, and how a tree is written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from amlkit.errors import AmlkitError
from amlkit.light import dataclass

CHANGED = "has other bytes than were written"


class Damaged(AmlkitError):
    """A file of the store is not what was written. cause: of what cannot be read."""

    def __init__(self, path: Path, problem: str, cause: OSError | None = None) -> None:
        refused = isinstance(cause, PermissionError)
        super().__init__(
            f"`{path}` {problem}",
            hint="mend its permissions"
            if refused
            else "see what needs it: amlkit workspace verify; --repair takes it out of use",
        )
        self.path = path
        self.problem = problem
        self.cause = cause


class Entry(NamedTuple):
    """One thing in a tree. path: posix, relative; size: bytes.

    kind: `file`, `folder` (only empty ones are listed) or `link` (`digest` is then its target).
    """

    path: str
    digest: str
    size: int
    executable: bool
    kind: str


@dataclass(frozen=True)
class Tree:
    """A file or folder in the store. kind: `file` or `folder`; size: bytes of all its files."""

    digest: str
    kind: str
    files: int
    size: int


@dataclass(frozen=True)
class Damage:
    """Something in the store that is not what it was. users: (tree, path) of all that need it.

    kind: `object`, `tree` (a list of files) or `view` (a shared copy, which can be made again).
    """

    kind: str
    digest: str
    problem: str
    users: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Freed:
    """What a collection freed (or would free). size: bytes."""

    trees: int
    objects: int
    size: int


def write_manifest(kind: str, entries: Sequence[Entry]) -> tuple[Tree, bytes]:
    """Return a tree and the bytes that describe it; equal content gives equal bytes."""
    ordered = sorted(entries)
    text = json.dumps({"version": 1, "kind": kind, "entries": ordered}, separators=(",", ":"))
    data = text.encode("ascii")
    files = [each for each in ordered if each.kind == "file"]
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return Tree(digest, kind, len(files), sum(each.size for each in files)), data


def read_manifest(data: bytes) -> tuple[str, list[Entry]]:
    """Return the kind and the entries of a tree. Raises: AmlkitError: it is damaged."""
    try:
        found = json.loads(data)
        return found["kind"], [Entry(*each) for each in found["entries"]]
    except (ValueError, KeyError, TypeError):
        raise AmlkitError(
            "a list of files in the content store is damaged",
            hint="see whose it is: amlkit workspace verify",
        ) from None


def read_list(path: Path) -> tuple[str, list[Entry]]:
    """Return the kind and the entries of a tree, from where it is written down.

    Raises: FileNotFoundError. Damaged.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as cause:
        raise Damaged(path, f"cannot be read: {cause.strerror}", cause) from None
    if hashlib.sha256(data).hexdigest() != path.name:
        raise Damaged(path, f"(a list of files) {CHANGED}")
    return read_manifest(data)
