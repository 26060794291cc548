"""Copy a large file into the store and hash it in one pass.

Three things run beside each other: reading, hashing, writing. What is very large is written past
the page cache: 2 GiB are then on the disk in the time that hashing takes, where `cp` fills memory
first and has the disk still before it.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from pathlib import Path

CHUNK = 1024 * 1024
PAST_THE_CACHE = 256 * CHUNK
"""Files of so many bytes and more are not kept in memory while they are written."""
_BUFFERS = 4
_FLUSHED = 64
_PAGE = 4096


def copy_and_hash(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file and return the hash and size of what was copied.

    The copy is on the disk when this returns. Blocks of zeros become holes in it.
    Raises: OSError: it cannot be read, or written.
    """
    hasher = hashlib.sha256()
    zeros = bytes(CHUNK)
    # Memory by the page, as writing past the cache wants it; new memory each time would be slower.
    buffers = [mmap.mmap(-1, CHUNK) for _ in range(_BUFFERS)]
    busy: list[list[Future[None]]] = [[] for _ in buffers]
    size = turn = 0
    with (
        source.open("rb", buffering=0) as reader,
        _Sink(target, os.fstat(reader.fileno()).st_size) as sink,
        ThreadPoolExecutor(1) as hashing,
        ThreadPoolExecutor(1) as writing,
    ):
        while True:
            buffer = buffers[turn % _BUFFERS]
            for each in busy[turn % _BUFFERS]:
                each.result()
            read = _fill(reader, buffer)
            block = memoryview(buffer)[:read]
            work = [hashing.submit(hasher.update, block)]
            # Most blocks are told from zeros by one byte.
            if buffer[0] or buffer[:read] != zeros:
                work.append(writing.submit(sink.write, block, size))
            busy[turn % _BUFFERS] = work
            size += read
            turn += 1
            if read < CHUNK:
                break
        for each in (each for works in busy for each in works):
            each.result()
        sink.finish(size)
    return f"sha256:{hasher.hexdigest()}", size


def _fill(reader: FileIO, buffer: mmap.mmap) -> int:
    """Read until a buffer is full or the file ends; return the bytes read."""
    view = memoryview(buffer)
    read = 0
    while read < len(view) and (some := reader.readinto(view[read:])):
        read += some
    return read


class _Sink:
    """The file that is written. size: about what will come."""

    def __init__(self, target: Path, size: int) -> None:
        self._direct = -1
        self._written = 0
        self._flushing = ThreadPoolExecutor(1)
        self._flushed: Future[None] | None = None
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
        self._fd = os.open(target, flags, 0o666)
        if size >= PAST_THE_CACHE and hasattr(os, "O_DIRECT"):
            try:
                self._direct = os.open(target, os.O_WRONLY | os.O_DIRECT)
            except OSError:
                # A file system in memory, say, has nothing past its cache.
                self._direct = -1

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, *error: object) -> None:
        self._flushing.shutdown()
        for fd in {self._fd, self._direct} - {-1}:
            os.close(fd)

    def write(self, block: memoryview, offset: int) -> None:
        """Write a block at a place in the file."""
        done = 0
        if self._direct != -1 and len(block) % _PAGE == 0:
            try:
                done = os.pwrite(self._direct, block, offset)
            except OSError as cause:
                if cause.errno != errno.EINVAL:
                    raise
        if done < len(block):
            os.lseek(self._fd, offset + done, os.SEEK_SET)
            write_all(self._fd, block[done:])
        self._written += 1
        if self._direct == -1 and self._written % _FLUSHED == 0:
            self._flush()

    def _flush(self) -> None:
        """Have the disk begin: waiting once, at the end, takes as long as all the rest."""
        if self._flushed is None or self._flushed.done():
            if self._flushed is not None:
                # A disk that cannot keep what it took says so once.
                self._flushed.result()
            self._flushed = self._flushing.submit(os.fsync, self._fd)

    def finish(self, size: int) -> None:
        """Set the size, and wait until everything is on the disk."""
        if self._flushed is not None:
            self._flushed.result()
        os.ftruncate(self._fd, size)
        os.fsync(self._fd)


def write_all(fd: int, chunk: bytes | memoryview) -> None:
    """Write every byte, however many writes that takes."""
    view = memoryview(chunk)
    while view:
        view = view[os.write(fd, view) :]
