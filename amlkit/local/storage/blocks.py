"""Blocks of a blob over plain HTTP, with a SAS or a token: obstore cannot go on with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote, urlencode

from amlkit import block_upload
from amlkit.copying import Moved
from amlkit.local.storage.refusals import Refused
from amlkit.local.storage.tokens import Tokens

_ATTEMPTS = 5
_PASSING = {408, 429, 500, 502, 503, 504}
_SECONDS = 300
_VERSION = "2020-12-06"


def put(
    address: str, source: Path, md5_name: str, moved: Moved, token: Tokens | None = None
) -> None:
    """Write a file as blocks; it is there whole or not at all.

    address: the URL of the blob, with a SAS unless there is a token.
    md5_name: the metadata that gets the file's MD5.
    Raises: Refused.
    """
    block_upload.put(_Blob(address, md5_name, token), source, moved)


class _Blob:
    """A blob at a URL."""

    def __init__(self, address: str, md5_name: str, token: Tokens | None) -> None:
        self._address = address
        self._md5_name = md5_name
        self._token = token

    def staged(self) -> Mapping[str, int]:
        try:
            answer = self._ask("GET", "comp=blocklist&blocklisttype=uncommitted")
            text = answer.decode("utf-8", "replace")
        except Refused as refused:
            if "<Code>BlobNotFound</Code>" in str(refused):
                return {}
            raise
        found = re.findall(r"<Block><Name>([^<]*)</Name><Size>(\d+)</Size></Block>", text)
        return {_plain(name): int(size) for name, size in found}

    def stage(self, name: str, content: bytes) -> None:
        self._ask("PUT", f"comp=block&blockid={quote(_encoded(name), safe='')}", content)

    def commit(self, names: Sequence[str], md5: str) -> None:
        blocks = "".join(f"<Latest>{_encoded(name)}</Latest>" for name in names)
        body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{blocks}</BlockList>'
        headers = {
            f"x-ms-meta-{self._md5_name}": md5,
            "x-ms-blob-content-md5": base64.b64encode(bytes.fromhex(md5)).decode(),
            "Content-Type": "application/xml",
        }
        self._ask("PUT", "comp=blocklist", body.encode(), headers)

    def _ask(
        self,
        method: str,
        query: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        url = f"{self._address}{'&' if '?' in self._address else '?'}{query}"
        if self._token is None:
            return _request(method, url, content, headers)
        if (token := self._token()) is None:
            raise Refused("401 there is no token any more")
        return _request(
            method, url, content, {**(headers or {}), "Authorization": f"Bearer {token}"}
        )


def _encoded(name: str) -> str:
    return base64.b64encode(name.encode()).decode()


def _plain(block: str) -> str:
    """Return the name of a block; of one that something else sent, nothing that is ours."""
    return base64.b64decode(block).decode("utf-8", "replace")


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
