"""What blob storage knows of a blob and a plain file cannot carry: metadata, and its MD5."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlkit.emulator.state import write_private
from amlkit.light import dataclass, field


@dataclass(frozen=True)
class Note:
    """What was sent with a blob. md5: base64, as in `Content-MD5`; etag: of the file it is of."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    md5: str | None = None
    etag: str = ""


class Notes:
    """The notes of all blobs, each in a file that lies beside them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, container: str, name: str, note: Note) -> None:
        """Replace what is known of a blob."""
        body = {"metadata": dict(note.metadata), "md5": note.md5, "etag": note.etag}
        write_private(self._place(container, name), json.dumps(body).encode())

    def of(self, container: str, name: str, path: Path) -> Note:
        """Return what is known of a blob; no MD5 where its file was written by something else."""
        try:
            found: dict[str, Any] = json.loads(self._place(container, name).read_bytes())
        except (OSError, ValueError):
            return Note()
        if not isinstance(found.get("metadata"), dict):
            return Note(metadata=found)
        same = found.get("etag") == etag(path)
        return Note(found["metadata"], found.get("md5") if same else None, str(found.get("etag")))

    def drop(self, container: str, name: str) -> None:
        """Forget a blob."""
        self._place(container, name).unlink(missing_ok=True)

    def _place(self, container: str, name: str) -> Path:
        return self._folder / f"{key(container, name)}.json"


def key(container: str, name: str) -> str:
    """Return a file name for a blob, whatever its own name is."""
    return hashlib.sha256(f"{container}/{name}".encode()).hexdigest()


def etag(path: Path) -> str:
    """Return what changes with a file."""
    facts = path.stat()
    return f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'


def md5_of(content: bytes) -> str:
    """Return the MD5 of some bytes in base64, as `Content-MD5` has it."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
