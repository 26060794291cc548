"""Faults on request, for tests of what a client does on a bad day.

`429:3` answers the next three requests with 429 and `Retry-After`; `500:2`; `reset:1` closes the
connection. A third part is a pattern for `METHOD PATH`: `503:1:PUT .*/data/`.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

from amlkit.emulator.messages import Refused
from amlkit.errors import UsageError

RETRY_AFTER_SECONDS = 1


class Reset(Exception):
    """The connection is to be closed without an answer."""


@dataclass
class Fault:
    """So many more requests fail. status: None closes the connection."""

    status: int | None
    left: int
    pattern: re.Pattern[str]


def parse(text: str) -> Fault:
    """Return the fault that a text asks for. Raises: UsageError."""
    kind, _, rest = text.partition(":")
    count, _, pattern = rest.partition(":")
    try:
        status = None if kind == "reset" else int(kind)
        fault = Fault(status, int(count or 1), re.compile(pattern or "", re.IGNORECASE))
    except (ValueError, re.error):
        fault = None
    if fault is None or fault.left < 1 or (status is not None and not 400 <= status <= 599):
        raise UsageError(
            f"`{text}` is not a fault", hint="write 429:3, 500:1:'PUT .*/jobs/' or reset:1"
        )
    return fault


class Faults:
    """The faults that are still to come, in the order they were asked for."""

    def __init__(self, faults: list[Fault]) -> None:
        self._faults = faults
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Ask for one more."""
        with self._lock:
            self._faults.append(fault)

    def strike(self, method: str, path: str) -> None:
        """Fail a request if it is one of those. Raises: Refused, Reset."""
        with self._lock:
            for fault in self._faults:
                if fault.left > 0 and fault.pattern.search(f"{method} {path}"):
                    fault.left -= 1
                    break
            else:
                return
        if fault.status is None:
            raise Reset
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if fault.status in {429, 503} else {}
        code = "TooManyRequests" if fault.status == 429 else f"Fault{fault.status}"
        raise Refused(fault.status, code, "this failure was asked for", headers)
