"""A record of requests, for whoever wants to know what a script or an SDK asks of Azure.

One JSON object a line: method, path, query, the names of the fields in the body, and the status of
the answer. No value of a body and no signature is written down.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amlkit.emulator.messages import Refused, Request
from amlkit.errors import UsageError

DEPTH = 2
_OPEN = ("api-version", "comp", "restype", "listViewType", "$top", "$orderBy", "isDefault")


class Recorder:
    """Appends requests to a file."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("a", encoding="utf-8")
        except OSError as cause:
            raise UsageError(f"cannot record to `{path}`: {cause.strerror}") from None
        self._lock = threading.Lock()

    def note(self, request: Request, status: int) -> None:
        """Write one request down."""
        query = {k: v if k in _OPEN else "..." for k, v in request.query.items()}
        line = {
            "method": request.method,
            "path": request.path,
            "query": query,
            "fields": sorted(fields(_body(request))),
            "status": status,
        }
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def fields(value: Any, depth: int = DEPTH) -> Iterator[str]:
    """Yield the names of an object's fields, those inside as `properties.dataUri`."""
    if not isinstance(value, Mapping):
        return
    for key, each in value.items():
        inner = list(fields(each, depth - 1)) if depth > 1 else []
        yield from (f"{key}.{name}" for name in inner)
        if not inner:
            yield str(key)


def _body(request: Request) -> Mapping[str, Any]:
    if "json" not in request.headers.get("content-type", ""):
        return {}
    try:
        return request.json()
    except Refused:
        return {}
