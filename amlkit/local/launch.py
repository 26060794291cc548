"""Starting supervisors. One can be started ahead, while what it will run is still being checked.

A supervisor that is started ahead imports everything, then waits on a socket for its job and the
job's lock. When none comes (the spec is wrong, or nothing has to run), the socket closes and it
ends without a trace. That takes its start-up time off every submission.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.light import dataclass

if TYPE_CHECKING:
    import socket

    from amlkit.local.locks import Lock


@dataclass
class _Ahead:
    process: subprocess.Popen[bytes]
    line: socket.socket


_ahead: _Ahead | None = None


def warm() -> None:
    """Start a supervisor for the job that is about to be submitted, where that saves time."""
    global _ahead
    if _ahead is not None or sys.platform == "win32" or (os.cpu_count() or 1) < 2:
        return
    import socket

    ours, theirs = socket.socketpair()
    process = _start(["--ahead", str(theirs.fileno())], (theirs.fileno(),), None)
    theirs.close()
    _ahead = _Ahead(process, ours)


def start(folder: Path, workspace: str, job: str, held: Lock) -> None:
    """Let a supervisor run a job. The job's lock goes to it, and lives exactly as long as it."""
    global _ahead
    place = folder / "jobs" / job
    ahead, _ahead = _ahead, None
    pid = _send(ahead, folder, workspace, job, held) if ahead is not None else None
    if pid is None:
        with (place / "supervisor.log").open("ab") as log:
            fds = (held.fd,) if os.name == "posix" else ()
            given = [str(folder), workspace, job, *map(str, fds)]
            pid = _start(given, fds, log.fileno()).pid
    (place / "supervisor.pid").write_text(str(pid), encoding="ascii")


def _start(arguments: list[str], fds: tuple[int, ...], log: int | None) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "amlkit.local.supervisor", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log if log is not None else subprocess.DEVNULL,
        stderr=subprocess.STDOUT if log is not None else subprocess.DEVNULL,
        pass_fds=fds,
        start_new_session=True,
        cwd=Path(sys.executable).anchor,
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
    )
    # It outlives this process on purpose; nothing here waits for it.
    process.returncode = 0
    return process


def _send(ahead: _Ahead, folder: Path, workspace: str, job: str, held: Lock) -> int | None:
    """Hand a job to the supervisor that waits; None when it is gone."""
    import json
    import socket

    with (folder / "jobs" / job / "supervisor.log").open("ab") as log, ahead.line as line:
        message = json.dumps([str(folder), workspace, job]).encode()
        try:
            socket.send_fds(line, [message], [held.fd, log.fileno()])
        except OSError:
            return None
    return ahead.process.pid


def has_come(line: int) -> bool:
    """Tell whether a job, or the end, has come over a line that `receive` would wait for."""
    import select

    return bool(select.select([line], [], [], 0)[0])


def receive(line: int) -> tuple[Path, str, str, int | None] | None:
    """Wait for a job, in a supervisor that was started ahead; None when there is none.

    The lock that comes with it, last, is held until this process ends.
    """
    import json
    import socket

    with socket.socket(fileno=line) as connection:
        message, fds, _, _ = socket.recv_fds(connection, 1 << 16, 2)
    if not message:
        return None
    os.dup2(fds[1], 1)
    os.dup2(fds[1], 2)
    folder, workspace, job = json.loads(message)
    return Path(folder), workspace, job, fds[0]
