"""A request, a reply, and errors in the shape of Azure Resource Manager's."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from amlkit.errors import (
    AmlkitError,
    Conflict,
    InvalidSpec,
    NotFound,
    NotSupported,
    UsageError,
)
from amlkit.light import dataclass, field

PIECE = 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One request. path: decoded; raw_path: as it came; headers: by lower-case name."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    raw_path: str = ""

    def json(self) -> dict[str, Any]:
        """Return the body's object; `{}` without one. Raises: Refused: it is no JSON object."""
        if not self.body:
            return {}
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError) as cause:
            raise Refused(400, "InvalidRequestContent", f"the body is not JSON: {cause}") from None
        if not isinstance(found, dict):
            raise Refused(400, "InvalidRequestContent", "the body is not a JSON object")
        return found

    def properties(self) -> dict[str, Any]:
        """Return the body's `properties`. Raises: Refused: there are none."""
        found = self.json().get("properties")
        if not isinstance(found, dict):
            raise Refused(400, "InvalidRequestContent", "the body has no `properties` object")
        return found


@dataclass(frozen=True)
class Part:
    """So many bytes of an open file, from a place on; read while they are sent."""

    handle: BinaryIO
    first: int
    size: int

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes; fewer where the file has become shorter. The file is closed then."""
        left = self.size
        with self.handle:
            self.handle.seek(self.first)
            while left and (piece := self.handle.read(min(left, PIECE))):
                left -= len(piece)
                yield piece


@dataclass(frozen=True)
class Reply:
    """One reply. content: JSON-ready, or bytes as they are, or part of a file, or None."""

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str = "application/json"

    @property
    def part(self) -> Part:
        """The bytes to send."""
        if isinstance(self.content, Part):
            return self.content
        if self.content is None:
            body = b""
        else:
            given = isinstance(self.content, bytes)
            body = self.content if given else json.dumps(self.content).encode()
        return Part(io.BytesIO(body), 0, len(body))


class Refused(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def reply(self) -> Reply:
        """Return the error as Resource Manager writes it."""
        kind = {"type": "ComponentName", "info": {"value": "amlkit-emulator"}}
        error = {
            "code": self.code,
            "message": self.message,
            "details": [],
            "additionalInfo": [kind],
        }
        return Reply(self.status, {"error": error}, self.headers)


_STATUS: tuple[tuple[type[AmlkitError], int, str], ...] = (
    (NotFound, 404, "ResourceNotFound"),
    (Conflict, 409, "Conflict"),
    (InvalidSpec, 400, "ValidationError"),
    (UsageError, 400, "ValidationError"),
    (NotSupported, 400, "NotSupported"),
    (AmlkitError, 400, "UserError"),
)


def refusal(error: AmlkitError) -> Refused:
    """Return what an error of the workspace is in Resource Manager's words."""
    status, code = next((s, c) for kind, s, c in _STATUS if isinstance(error, kind))
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    return Refused(status, code, message)


def page(items: list[Any]) -> Reply:
    """Return a list; all of it is one page."""
    return Reply(200, {"value": items})
