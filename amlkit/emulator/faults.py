"""Faults on request, for tests of what a client does on a bad day.

`429:3` answers the next three requests with 429 and `Retry-After`; `500:2`; `reset:1` closes the
connection; `failed:1` accepts a request, and its long-running operation fails. A third part is a
pattern for `METHOD PATH`: `503:1:PUT .*/data/`.
"""

from __future__ import annotations

import re
import threading

from amlkit.emulator.messages import Refused, Reply
from amlkit.errors import UsageError
from amlkit.light import dataclass

RETRY_AFTER_SECONDS = 1
OPERATION = "/emulator/operations/failed"


class Reset(Exception):
    """The connection is to be closed without an answer."""


@dataclass
class Fault:
    """So many more requests fail. kind: a status, `reset` or `failed`."""

    kind: int | str
    left: int
    pattern: re.Pattern[str]


def parse(text: str) -> Fault:
    """Return the fault that a text asks for. Raises: UsageError."""
    kind, _, rest = text.partition(":")
    count, _, pattern = rest.partition(":")
    try:
        found = Fault(
            kind if kind in {"reset", "failed"} else int(kind),
            int(count or 1),
            re.compile(pattern or "", re.IGNORECASE),
        )
    except (ValueError, re.error):
        found = None
    if (
        found is None
        or found.left < 1
        or (isinstance(found.kind, int) and not 400 <= found.kind <= 599)
    ):
        raise UsageError(
            f"`{text}` is not a fault",
            hint="write 429:3, 500:1:'PUT .*/jobs/', reset:1 or failed:1",
        )
    return found


class Faults:
    """The faults that are still to come, in the order they were asked for."""

    def __init__(self, faults: list[Fault]) -> None:
        self._faults = faults
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Ask for one more."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget those that are still to come."""
        with self._lock:
            self._faults.clear()

    def strike(self, url: str, method: str, path: str) -> Reply | None:
        """Fail a request if it is one of those; None: it goes on. Raises: Refused, Reset."""
        fault = self._next(f"{method} {path}")
        if fault is None:
            return None
        if fault.kind == "failed":
            return _accepted(method, f"{url}{OPERATION}?api-version=x")
        if isinstance(fault.kind, str):
            raise Reset
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if fault.kind in {429, 503} else {}
        code = "TooManyRequests" if fault.kind == 429 else f"Fault{fault.kind}"
        raise Refused(fault.kind, code, "this failure was asked for", headers)

    def _next(self, request: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.left > 0 and fault.pattern.search(request):
                    fault.left -= 1
                    return fault
        return None


def operation() -> Reply:
    """Return how the long-running operation of a `failed` fault stands."""
    error = {"code": "OperationFailed", "message": "this failure was asked for"}
    return Reply(200, {"status": "Failed", "error": error})


def _accepted(method: str, url: str) -> Reply:
    headers = {"Azure-AsyncOperation": url, "Location": url, "Retry-After": "0"}
    if method == "PUT":
        return Reply(201, {"properties": {"provisioningState": "Creating"}}, headers)
    return Reply(202, None, headers)
