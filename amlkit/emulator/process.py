"""The emulator as a process of its own: started, found ready, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from amlkit.config import WorkspaceChoice
from amlkit.emulator.state import Area, Running
from amlkit.errors import AmlkitError, Conflict, NotSupported, UsageError

START_SECONDS = 60
STOP_SECONDS = 20


def area_of(choice: WorkspaceChoice) -> Area:
    """Return where a workspace keeps its emulator. Raises: NotSupported: it is on Azure."""
    if choice.kind != "local":
        raise NotSupported(
            f"`{choice.name}` is on Azure; the emulator serves an embedded workspace",
            hint="amlkit -w local emulator ...",
        )
    return Area(choice.folder)


def start_detached(
    choice: WorkspaceChoice,
    port: int,
    faults: Sequence[str],
    *,
    current_python: bool,
    record: Path | None = None,
) -> Running:
    """Start an emulator that goes on after this process; return when it answers.

    Raises: Conflict: one runs already. AmlkitError: it did not start.
    """
    area = area_of(choice)
    # Takes the lock for a moment: who runs already is told at once, by name.
    area.lock().release()
    arguments = {
        "name": choice.name,
        "folder": str(choice.folder),
        "port": port,
        "faults": list(faults),
        "current_python": current_python,
        "record": str(record.absolute()) if record is not None else None,
    }
    log = area.root / "emulator.log"
    with log.open("wb") as handle:
        process = subprocess.Popen(
            [sys.executable, "-m", "amlkit.emulator", json.dumps(arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=handle,
            start_new_session=True,
        )
    line = _first_line(process)
    if line.strip() != b"ready":
        code = _code(process)
        text = log.read_text(encoding="utf-8", errors="replace").strip()
        raise _failure(code, text or f"the emulator did not start\thint:see {log}")
    # It outlives this process on purpose.
    process.returncode = 0
    return area.running()


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """Return what the emulator says first; what says nothing in time does not go on either."""
    assert process.stdout is not None
    try:
        with process.stdout, selectors.DefaultSelector() as said:
            said.register(process.stdout, selectors.EVENT_READ)
            if said.select(START_SECONDS):
                return process.stdout.readline()
    except BaseException:
        process.kill()
        raise
    process.kill()
    process.wait()
    raise AmlkitError(
        f"the emulator did not start within {START_SECONDS} seconds",
        hint="try again, or without --detach to see where it stops",
    )


def _code(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _failure(code: int, text: str) -> AmlkitError:
    message, _, hint = text.splitlines()[-1].partition("\thint:")
    kinds = (Conflict, UsageError, NotSupported)
    kind = next((each for each in kinds if each.exit_code == code), AmlkitError)
    return kind(message, hint=hint or None)


def stop(choice: WorkspaceChoice) -> Running:
    """Stop the emulator and wait until it has gone. Raises: NotFound: none runs."""
    area = area_of(choice)
    running = area.running()
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while area.holds(running):
        if time.monotonic() > deadline:
            raise AmlkitError(
                f"the emulator (process {running.pid}) does not stop",
                hint=f"kill -9 {running.pid}",
            )
        time.sleep(0.02)
    return running


def main(text: str) -> int:
    """Serve as `start_detached` asks: say `ready` on stdout, or why not on stderr."""
    from amlkit.emulator import faults, server

    asked = json.loads(text)

    def ready(_: Running) -> None:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    choice = WorkspaceChoice(asked["name"], "local", "emulator", folder=Path(asked["folder"]))
    try:
        server.serve(
            choice,
            asked["port"],
            [faults.parse(each) for each in asked["faults"]],
            current_python=asked["current_python"],
            record=Path(asked["record"]) if asked["record"] else None,
            ready=ready,
        )
    except AmlkitError as error:
        sys.stderr.write(f"{error.message}\thint:{error.hint or ''}\n")
        return error.exit_code
    return 0
