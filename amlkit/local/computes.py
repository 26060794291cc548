"""The one compute of an embedded workspace: this machine, with as many slots as cores."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from amlkit.config import number
from amlkit.errors import NotFound, NotSupported
from amlkit.local.folder import Folder
from amlkit.local.locks import is_locked
from amlkit.records import JSON, Compute

NAME = "local"


class LocalComputes:
    """This machine. Every compute name of a spec means it."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def list(self) -> Sequence[Compute]:
        """Return this machine."""
        return [self._machine()]

    def get(self, name: str) -> Compute:
        """Return this machine. Raises: NotFound: another name."""
        if name != NAME:
            raise NotFound(f"no compute is called `{name}`", hint=f"this machine is `{NAME}`")
        return self._machine()

    def _machine(self) -> Compute:
        count = slots()
        used = sum(is_locked(self._folder.slots / f"{n}.lock") for n in range(count))
        return Compute(
            name=NAME,
            type="local",
            state="Running",
            cores=cores(),
            memory=memory(),
            gpus=gpus(),
            slots=count,
            slots_in_use=used,
        )

    def create(self, spec: Mapping[str, JSON]) -> Compute:
        """Raises: NotSupported: there is only this machine."""
        raise _only_this_machine("create")

    def start(self, name: str) -> Compute:
        """Raises: NotSupported: there is only this machine."""
        raise _only_this_machine("start")

    def stop(self, name: str) -> Compute:
        """Raises: NotSupported: there is only this machine."""
        raise _only_this_machine("stop")

    def delete(self, name: str) -> None:
        """Raises: NotSupported: there is only this machine."""
        raise _only_this_machine("delete")


def _only_this_machine(verb: str) -> NotSupported:
    return NotSupported(
        f"the embedded workspace has one compute, this machine; nothing to {verb}",
        hint="use an Azure ML workspace: amlkit -w NAME compute ...",
    )


def slots() -> int:
    """Return how many jobs may run at once: AMLKIT_SLOTS, else one a core."""
    return max(1, int(number("slots") or cores()))


def cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int | None:
    """Return the machine's memory in bytes, or None where it cannot be told."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def gpus() -> int:
    """Return how many NVIDIA GPUs there are; 0 where there is no driver."""
    if sys.platform == "linux" and not Path("/dev/nvidiactl").exists():
        return 0
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    try:
        listed = subprocess.run(
            [tool, "-L"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
