"""One file as storage lists it, and the hash by which two are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

Moved = Callable[[int], None]
"""Called with the bytes that have moved since it was last called."""


@dataclass(frozen=True)
class Stored:
    """A file of a datastore. path: from the root; size: bytes; etag: changes with the content."""

    path: str
    size: int
    modified: datetime
    etag: str | None = None


def hash_of(path: Path) -> str:
    """Return the MD5 of a file, as storage keeps it to detect damage."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
