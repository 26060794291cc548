"""A large file as blocks: those that storage has from an attempt before are not sent again.

A block's name is made from its content, so a file that changed meanwhile has other ones. Blocks
that are not put together stay a week. Source: "Put Block", "Get Block List", "Put Block List".
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from amlkit.copying import change_told, changed

if TYPE_CHECKING:
    from concurrent.futures import Future

LARGE = 16 * 1024 * 1024
"""Larger files are sent as blocks."""
BLOCK = 8 * 1024 * 1024
_MOST = 50_000
_PARALLEL = 4
_AT_ONCE = threading.BoundedSemaphore(4)
"""So many large files at once: each has 4 blocks in memory."""


class Blob(Protocol):
    """A blob that is made of blocks."""

    def staged(self) -> Mapping[str, int]:
        """Return the blocks that are there and in no file yet, with their sizes."""
        ...

    def stage(self, name: str, content: bytes) -> None:
        """Send a block."""
        ...

    def commit(self, names: Sequence[str], md5: str) -> None:
        """Make the file of its blocks. md5: of all of it, in hexadecimal."""
        ...


def put(
    blob: Blob,
    source: Path,
    moved: Callable[[int], None],
    facts: os.stat_result | None = None,
) -> None:
    """Write a file as blocks; it is there whole or not at all.

    moved: told the bytes sent. facts: of the file as it has to be, where not as it is now.
    Raises: AmlkitError: it changed meanwhile.
    """
    from concurrent.futures import ThreadPoolExecutor

    facts = facts or source.stat()
    size = max(BLOCK, -(-facts.st_size // _MOST))
    whole = hashlib.md5(usedforsecurity=False)
    with _AT_ONCE, ThreadPoolExecutor(_PARALLEL) as pool:
        there = blob.staged()
        running: deque[Future[tuple[str, int]]] = deque()
        names: list[str] = []

        def finish(most: int) -> None:
            while len(running) > most:
                name, count = running.popleft().result()
                names.append(name)
                moved(count)

        for index, content in enumerate(_read(source, size)):
            # No more blocks in memory than are on their way; an error ends it here.
            finish(_PARALLEL)
            running.append(pool.submit(_send, blob, index, content, there))
            whole.update(content)
        finish(0)
        if changed(source, facts):
            raise change_told(source)
        blob.commit(names, whole.hexdigest())


def name_of(index: int, content: str) -> str:
    """Return the name of a block: its place in the file and the hash of what is in it.

    All are equally long, and it has to go through base64 on its way.
    """
    return f"{index:08}{content[:40]}"


def _send(blob: Blob, index: int, content: bytes, there: Mapping[str, int]) -> tuple[str, int]:
    """Send a block unless it is there; return its name and its size."""
    name = name_of(index, hashlib.sha256(content).hexdigest())
    if there.get(name) != len(content):
        blob.stage(name, content)
    return name, len(content)


def _read(source: Path, size: int) -> Iterator[bytes]:
    with source.open("rb") as content:
        while block := content.read(size):
            yield block
