"""The body of a request: as long as it says it is, or nothing of it counts."""

from __future__ import annotations

import re
from email.message import Message
from io import BufferedIOBase

from amlkit.emulator.messages import Refused

BODY_LIMIT = 256 * 1024 * 1024
SMALL = 64 * 1024
_LENGTH = re.compile(r"[0-9]{1,18}")
_SIZE = re.compile(rb"[0-9a-fA-F]{1,15}")


def read(stream: BufferedIOBase, headers: Message) -> bytes:
    """Return the body of a request.

    After an error nobody knows where the next request begins: the connection is to be closed.
    Raises: Refused: its length makes no sense, or is over the limit. ConnectionError: it broke off.
    """
    if _is_chunked(headers):
        return _chunks(stream)
    return _exactly(stream, _length(headers))


def is_small(headers: Message) -> bool:
    """Whether a body is short enough to be read before anybody knows who sends it."""
    return not _is_chunked(headers) and _length(headers) <= SMALL


def _is_chunked(headers: Message) -> bool:
    return "chunked" in headers.get("Transfer-Encoding", "").lower()


def _length(headers: Message) -> int:
    text = headers.get("Content-Length") or "0"
    if not _LENGTH.fullmatch(text):
        raise Refused(400, "InvalidHeaderValue", "Content-Length is not a number of bytes")
    return _within_limit(int(text))


def _chunks(stream: BufferedIOBase) -> bytes:
    found = bytearray()
    while size := _chunk_size(stream):
        _within_limit(len(found) + size)
        found += _exactly(stream, size)
        if _line(stream).strip():
            raise Refused(400, "InvalidInput", "a chunk is longer than its size")
    while _line(stream).strip():
        pass
    return bytes(found)


def _chunk_size(stream: BufferedIOBase) -> int:
    text = _line(stream).split(b";")[0].strip()
    if not _SIZE.fullmatch(text):
        raise Refused(400, "InvalidInput", "a chunk has no size")
    return int(text, 16)


def _line(stream: BufferedIOBase) -> bytes:
    line = stream.readline(1024)
    if not line:
        raise ConnectionError("the request broke off")
    return line


def _exactly(stream: BufferedIOBase, size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise ConnectionError("the request broke off")
    return found


def _within_limit(size: int) -> int:
    if size > BODY_LIMIT:
        raise Refused(413, "RequestBodyTooLarge", f"a body may have {BODY_LIMIT} bytes")
    return size
