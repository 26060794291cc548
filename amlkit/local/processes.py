"""Process groups: started, stopped with TERM then KILL, and never left behind.

A guardian process waits beside each supervisor. When the supervisor dies, even by kill -9, the
pipe between them closes and the guardian kills the groups that the supervisor had started. It is
told of each start before it happens, and finds by a mark in its environment the process that was
started while nobody could say so any more.
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

MARK = "AMLKIT_STARTED_AS"

_GUARDIAN = f"""
import os, signal, sys, time
groups, begun = set(), set()
for line in sys.stdin:
    sign, number, mark = line.split()
    if sign == "?":
        begun.add(mark)
    else:
        begun.discard(mark)
        groups.add(int(number)) if sign == "+" else groups.discard(int(number))
def kill(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
for group in groups:
    kill(group)
for _ in range(50):
    if not begun or not os.path.isdir("/proc/self"):
        break
    time.sleep(0.01)
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{{name}}/environ", "rb") as given:
                variables = given.read()
            found = {{mark for mark in begun if b"{MARK}=" + mark.encode() in variables}}
            if found:
                kill(os.getpgid(int(name)))
                begun -= found
        except (OSError, ValueError):
            pass
"""


class Guardian:
    """Kills what is left when this process is gone."""

    def __init__(self, holds: tuple[int, ...] = ()) -> None:
        """holds: descriptors, as of locks, that stay open until what was left is killed."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._mark = os.urandom(12).hex()
        self._begun = 0
        if sys.platform != "win32":
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _GUARDIAN],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=holds,
                start_new_session=True,
                text=True,
            )

    def start(
        self, command: list[str], *, folder: Path, environment: Mapping[str, str], log: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own, its stdout and stderr to `log`.

        The group is killed if this process dies before it says `forget`.
        """
        with self._lock:
            self._begun += 1
            # Of one length: no mark is the beginning of another.
            mark = f"{self._mark}{self._begun:08}"
        self._tell("?", 0, mark)
        pid = 0
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**environment, MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            pid = process.pid
        finally:
            self._tell("+" if pid else "-", pid, mark)
        return process

    def forget(self, group: int) -> None:
        """The group has ended by itself."""
        self._tell("-", group, "none")

    def _tell(self, sign: str, group: int, mark: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with self._lock, contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(f"{sign} {group} {mark}\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """Send the guardian home."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait()


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
