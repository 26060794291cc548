"""One file of a web server: asked about, fetched, resumed, compared with what the server says."""

from __future__ import annotations

import base64
import hashlib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from amlkit.errors import AmlkitError, NotFound, NotLoggedIn
from amlkit.light import dataclass
from amlkit.placing import part_name
from amlkit.workspace import Progress

_SECONDS = 60
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Facts:
    """What a server says of a file. size: bytes, or None; md5: in hexadecimal, or None."""

    name: str
    size: int | None
    etag: str | None
    modified: str | None
    md5: str | None

    @property
    def marked(self) -> bool:
        """Whether the server says anything that changes with the content."""
        return self.etag is not None or self.modified is not None

    @property
    def version(self) -> str:
        """A text that is another one when the content is."""
        return f"{self.etag} {self.modified} {self.size} {self.md5}"


def facts(url: str) -> Facts:
    """Ask about a file. Raises: NotFound. NotLoggedIn: refused. AmlkitError: no answer."""
    with _translated(url):
        try:
            with _open(url, {}, method="HEAD") as answer:
                return _facts(url, answer.headers)
        except urllib.error.HTTPError as error:
            # Some servers answer GET only, or sign addresses for one method.
            if error.code not in {400, 403, 405, 501}:
                raise
            error.close()
        with _open(url, {}) as answer:
            return _facts(url, answer.headers)


def fetch(url: str, target: Path, found: Facts, progress: Progress | None) -> None:
    """Write a file to `target`, going on where an earlier attempt at the same stopped.

    Raises: AmlkitError: what came is not what the server has.
    """
    part = target.with_name(part_name(f"{target.name} {found.version}"))
    if not found.marked:
        part.unlink(missing_ok=True)
    start = part.stat().st_size if part.exists() else 0
    if found.size is None or start != found.size or not start:
        _append(url, part, found, start, progress)
    _check(url, part, found)
    part.replace(target)


def _append(url: str, part: Path, found: Facts, start: int, progress: Progress | None) -> None:
    guard = found.etag if found.etag and not found.etag.startswith("W/") else found.modified
    more = {"Range": f"bytes={start}-", "If-Range": guard} if start and guard else {}
    with _translated(url), _open(url, more) as answer:
        resumed = answer.status == 206
        done = start if resumed else 0
        with part.open("ab" if resumed else "wb") as sink:
            while block := answer.read(_BLOCK):
                sink.write(block)
                done += len(block)
                if progress:
                    progress(0, done)


def _check(url: str, part: Path, found: Facts) -> None:
    size = part.stat().st_size
    if found.size is not None and size < found.size:
        raise AmlkitError(
            f"`{shown(url)}` broke off after {size} of {found.size} bytes",
            hint="do it again: it goes on from there",
        )
    whole = found.size is None or size == found.size
    if whole and found.md5 is not None:
        with part.open("rb") as content:
            whole = _md5(content) == found.md5
    if not whole:
        part.unlink()
        raise AmlkitError(
            f"`{shown(url)}` did not come as the server has it: its checksum differs",
            hint="do it again; the file may have changed meanwhile",
        )


def _md5(content: Any) -> str:
    return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _facts(url: str, headers: Mapping[str, str]) -> Facts:
    size, md5 = headers.get("Content-Length"), headers.get("Content-MD5")
    name = unquote(urlsplit(url).path).rstrip("/").rsplit("/", 1)[-1]
    return Facts(
        name or "data",
        int(size) if size and not headers.get("Content-Encoding") else None,
        headers.get("ETag"),
        headers.get("Last-Modified"),
        base64.b64decode(md5).hex() if md5 else None,
    )


@contextmanager
def _open(url: str, more: Mapping[str, str], *, method: str = "GET") -> Iterator[Any]:
    request = urllib.request.Request(
        url, headers={"User-Agent": "amlkit", "Accept-Encoding": "identity", **more}, method=method
    )
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        yield answer


@contextmanager
def _translated(url: str) -> Iterator[None]:
    address = shown(url)
    try:
        yield
    except urllib.error.HTTPError as error:
        with error:
            code, reason = error.code, error.reason
        if code in {404, 410}:
            raise NotFound(f"`{address}` does not exist", hint="check the address") from None
        if code in {401, 403}:
            raise NotLoggedIn(
                f"`{address}` is refused ({code} {reason})",
                hint="a public address is needed; for Azure storage define a datastore",
            ) from None
        raise AmlkitError(
            f"`{address}` cannot be fetched ({code} {reason})", hint="try again later"
        ) from None
    except (OSError, HTTPException) as error:
        cause = getattr(error, "reason", error)
        raise AmlkitError(
            f"`{address}` cannot be fetched: {cause}", hint="check the network and HTTPS_PROXY"
        ) from None


def shown(url: str) -> str:
    """Return an address without its query and its login, which may hold secrets."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()
