"""Process groups: started, stopped with TERM then KILL, and never left behind.

A guardian process waits beside each supervisor. When the supervisor dies, even by kill -9, the
pipe between them closes and the guardian kills the groups that the supervisor had started.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

_GUARDIAN = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    sign, number = line[0], int(line[1:])
    groups.add(number) if sign == "+" else groups.discard(number)
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""


class Guardian:
    """Kills what is left when this process is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        if sys.platform != "win32":
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _GUARDIAN],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
            )

    def watch(self, group: int) -> None:
        """Kill this group if this process dies."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """The group has ended by itself."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with self._lock, contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def close(self) -> None:
        """Send the guardian home."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait()


def start(
    command: list[str], *, folder: Path, environment: Mapping[str, str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own, its stdout and stderr to `log`."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def stop(group: int, ended: threading.Event, *, grace_seconds: float) -> None:
    """Ask a group to end with TERM; after the grace, KILL."""
    _signal(group, signal.SIGTERM)
    if not ended.wait(grace_seconds):
        kill(group)


def kill(group: int) -> None:
    """KILL whatever is left of a group."""
    _signal(group, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            os.kill(group, number)
        else:
            os.killpg(group, number)


def started(pid: int) -> str:
    """Return when a process was started, in the kernel's own clock: its number may come again."""
    with contextlib.suppress(OSError):
        return (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="ascii", errors="replace")
            .rsplit(")", 1)[-1]
            .split()[19]
        )
    return ""


def sleep_unless_gone(pid: int | None, seconds: float) -> bool:
    """Sleep; wake when a process ends, where the system can tell. Return whether it has."""
    try:
        if pid is None or not hasattr(os, "pidfd_open"):
            raise ProcessLookupError
        watched = os.pidfd_open(pid)
    except OSError:
        time.sleep(seconds)
        return False
    try:
        gone = bool(select.select([watched], [], [], seconds)[0])
    finally:
        os.close(watched)
    if gone:
        # What comes of its end may take a moment: nobody is to ask for it without a pause.
        time.sleep(0.001)
    return gone


def kill_if_same(pid: int, was_started: str) -> bool:
    """Kill a process group noted earlier, unless its number belongs to somebody else by now."""
    if not was_started or started(pid) != was_started:
        return False
    kill(pid)
    return True


def describe_exit(code: int) -> str:
    """Return how a command ended: `exit code 3`, `killed by signal 9 (SIGKILL)`."""
    number = -code if code < 0 else code - 128
    if code < 0 or 128 < code <= 192:
        with contextlib.suppress(ValueError):
            return f"killed by signal {number} ({signal.Signals(number).name})"
    return f"exit code {code}"
