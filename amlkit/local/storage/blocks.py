"""A large file as blocks: those that storage has from an attempt before are not sent again.

A block's name is made from its content, so a file that changed meanwhile has other ones. Blocks
that are not put together stay a week. Source: "Put Block", "Get Block List", "Put Block List".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote, urlencode

from amlkit.copying import Moved
from amlkit.local.storage.refusals import Refused

BLOCK = 8 * 1024 * 1024
_MOST = 50_000
_PARALLEL = 4
_LARGE = threading.BoundedSemaphore(4)
"""So many large files at once: each has 4 blocks in memory."""
_ATTEMPTS = 5
_PASSING = {408, 429, 500, 502, 503, 504}
_SECONDS = 300
_VERSION = "2020-12-06"


def put(address: str, source: Path, md5_name: str, moved: Moved) -> None:
    """Write a file as blocks; it is there whole or not at all.

    address: the URL of the blob with a SAS. md5_name: the metadata that gets the file's MD5.
    Raises: Refused.
    """
    size = max(BLOCK, -(-source.stat().st_size // _MOST))
    whole = hashlib.md5(usedforsecurity=False)
    with _LARGE, ThreadPoolExecutor(_PARALLEL) as pool:
        there = _staged(address)
        running: deque[Future[tuple[str, int]]] = deque()
        names: list[str] = []

        def finish(most: int) -> None:
            while len(running) > most:
                name, count = running.popleft().result()
                names.append(name)
                moved(count)

        for index, content in enumerate(_read(source, size)):
            # No more blocks in memory than are on their way; an error ends it here.
            finish(_PARALLEL)
            running.append(pool.submit(_send, address, index, content, there))
            whole.update(content)
        finish(0)
        _commit(address, names, {md5_name: whole.hexdigest()})


def _send(address: str, index: int, content: bytes, there: Mapping[str, int]) -> tuple[str, int]:
    """Send a block unless it is there; return its name and its size."""
    mark = f"{index:08}{hashlib.sha256(content).hexdigest()[:40]}"
    name = base64.b64encode(mark.encode()).decode()
    if there.get(name) != len(content):
        _request("PUT", f"{address}&comp=block&blockid={quote(name, safe='')}", content)
    return name, len(content)


def _read(source: Path, size: int) -> Iterator[bytes]:
    with source.open("rb") as content:
        while block := content.read(size):
            yield block


def _staged(address: str) -> dict[str, int]:
    """Return the blocks that are there and in no file yet, with their sizes."""
    query = "&comp=blocklist&blocklisttype=uncommitted"
    try:
        text = _request("GET", address + query).decode("utf-8", "replace")
    except Refused as refused:
        if "<Code>BlobNotFound</Code>" in str(refused):
            return {}
        raise
    found = re.findall(r"<Block><Name>([^<]*)</Name><Size>(\d+)</Size></Block>", text)
    return {name: int(size) for name, size in found}


def _commit(address: str, names: list[str], metadata: Mapping[str, str]) -> None:
    blocks = "".join(f"<Latest>{name}</Latest>" for name in names)
    body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{blocks}</BlockList>'
    headers = {f"x-ms-meta-{key}": value for key, value in metadata.items()}
    headers["Content-Type"] = "application/xml"
    _request("PUT", f"{address}&comp=blocklist", body.encode(), headers)


def _request(
    method: str, url: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    for attempt in range(_ATTEMPTS):
        request = urllib.request.Request(
            url, data=content, headers={"x-ms-version": _VERSION, **(headers or {})}, method=method
        )
        last = attempt == _ATTEMPTS - 1
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            text = _text(error)
            if error.code not in _PASSING or last:
                raise Refused(f"{error.code} {text}") from None
        except (OSError, HTTPException) as error:
            if last:
                raise Refused(f"Connect: {error}") from None
        time.sleep(0.5 * 2**attempt)
    raise AssertionError("the last attempt returns or raises")


def _text(error: urllib.error.HTTPError) -> str:
    """Return what a refusal says, as far as it came."""
    with error:
        try:
            return error.read().decode("utf-8", "replace")
        except (OSError, HTTPException):
            return str(error.reason)


def signed(url: str, account: str, container: str, path: str, key: str) -> str:
    """Return a blob's URL with a SAS for a day, made from the account's key.

    Source: "Create a service SAS", version 2020-12-06 and later.
    """
    now = datetime.now(UTC)
    start, end = (
        moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        for moment in (now - timedelta(minutes=15), now + timedelta(days=1))
    )
    resource = f"/blob/{account}/{container}/{path}"
    fields = ["rcw", start, end, resource, "", "", "", _VERSION, "b", *[""] * 7]
    digest = hmac.new(base64.b64decode(key), "\n".join(fields).encode(), hashlib.sha256).digest()
    query = {
        "sv": _VERSION,
        "sr": "b",
        "sp": "rcw",
        "st": start,
        "se": end,
        "sig": base64.b64encode(digest).decode(),
    }
    return f"{url}/{container}/{quote(path)}?{urlencode(query)}"
