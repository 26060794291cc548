"""Locks that the operating system lets go of when their process dies, however it dies."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class Lock:
    """An exclusive lock on a file. `fd` may be handed to a child, which then holds it too."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def release(self) -> None:
        """Let go. A child that was handed `fd` goes on holding the lock."""
        os.close(self.fd)


def try_lock(path: Path) -> Lock | None:
    """Take the lock if it is free; return None when somebody holds it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return Lock(fd)


def lock(path: Path) -> Lock:
    """Wait for the lock and take it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(fd, msvcrt.LK_LOCK, 1)
    else:
        fcntl.flock(fd, fcntl.LOCK_EX)
    return Lock(fd)


def shared_lock(path: Path) -> Lock:
    """Wait until nobody holds the lock alone, and hold it with others; alone on Windows.

    Where nothing can be written, reading the file is enough.
    """
    if sys.platform == "win32":
        return lock(path)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as cause:
        if cause.errno not in {errno.EROFS, errno.EACCES, errno.EPERM}:
            raise
        fd = os.open(path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)
    return Lock(fd)


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock now; a file that is not there is not locked."""
    if not path.exists():
        return False
    held = try_lock(path)
    if held is None:
        return True
    held.release()
    return False
