"""The blob endpoint: the part of Azure's "Blob service REST API" that the SDK uses.

Blobs are plain files of the workspace. What a file cannot carry (metadata) lies beside them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote
from xml.sax.saxutils import escape

from amlkit.emulator.context import ACCOUNT, SUFFIX, Context
from amlkit.emulator.messages import PIECE, Part, Refused, Reply, Request
from amlkit.emulator.places import Places
from amlkit.emulator.state import replacing, write_private
from amlkit.errors import NotFound

HOST = f"/{ACCOUNT}.blob.{SUFFIX}/"
_COMMON = {"x-ms-version": "2023-11-03"}


def is_blob(request: Request) -> bool:
    """Whether a request is for the blob endpoint."""
    return request.raw_path.startswith(HOST)


def answer(context: Context, request: Request) -> Reply:
    """Answer a request, or refuse it, as the blob service does: in XML."""
    container, name = _named(request)
    try:
        if not is_signed(context, request) and not context.signer.accepts(
            request.headers.get("authorization")
        ):
            raise Refused(403, "AuthenticationFailed", "no signature or token of this emulator")
        return _Blobs(context, request, container, name).answer()
    except NotFound as error:
        return _refuse(Refused(404, "ContainerNotFound", error.message))
    except Refused as error:
        return _refuse(error)


def is_signed(context: Context, request: Request) -> bool:
    """Whether the query has a signature of this start for the container."""
    return context.signer.accepts_sas(_named(request)[0], request.query)


def _named(request: Request) -> tuple[str, str]:
    container, _, name = unquote(request.raw_path[len(HOST) :]).partition("/")
    return container, name


def _refuse(error: Refused) -> Reply:
    text = f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
    body = f'<?xml version="1.0" encoding="utf-8"?><Error>{text}</Error>'.encode()
    headers = {**_COMMON, "x-ms-error-code": error.code, **error.headers}
    return Reply(error.status, body, headers, "application/xml")


class _Blobs:
    def __init__(self, context: Context, request: Request, container: str, name: str) -> None:
        self._area = context.area.root
        self._places = Places(context)
        self._request = request
        self._container = container
        self._name = name

    def answer(self) -> Reply:
        method, what = self._request.method, self._request.query.get("comp", "")
        if not self._name.strip("/"):
            return self._list() if method == "GET" and what == "list" else self._about_container()
        found = {
            ("PUT", "metadata"): self._set_metadata,
            ("PUT", "block"): self._put_block,
            ("PUT", "blocklist"): self._put_blocks,
            ("PUT", ""): self._put,
            ("HEAD", ""): self._head,
            ("GET", ""): self._get,
            ("DELETE", ""): self._delete,
        }.get((method, what))
        if found is None:
            raise Refused(405, "UnsupportedHttpVerb", f"{method} is not served here")
        return found()

    # Containers.

    def _about_container(self) -> Reply:
        folder = self._places.folder(self._container)
        if self._request.method == "PUT":
            folder.mkdir(parents=True, exist_ok=True)
            return Reply(201, headers=_COMMON)
        return Reply(200, headers={**_COMMON, "ETag": '"container"', "Last-Modified": _date(0)})

    def _list(self) -> Reply:
        query = self._request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        with_metadata = "metadata" in query.get("include", "")
        entries, folders = [], set()
        for name, path in self._places.blobs(self._container, prefix):
            rest = name[len(prefix) :]
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.split(delimiter)[0] + delimiter)
            else:
                entries.append(self._entry(name, path, with_metadata))
        entries += [f"<BlobPrefix><Name>{escape(n)}</Name></BlobPrefix>" for n in sorted(folders)]
        body = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f'<EnumerationResults ContainerName="{escape(self._container)}">'
            f"<Prefix>{escape(prefix)}</Prefix><Blobs>{''.join(entries)}</Blobs>"
            "<NextMarker /></EnumerationResults>"
        )
        return Reply(200, body.encode(), _COMMON, "application/xml")

    def _entry(self, name: str, path: Path, with_metadata: bool) -> str:
        facts = path.stat()
        properties = (
            f"<Last-Modified>{_date(facts.st_mtime)}</Last-Modified><Etag>{_etag(path)}</Etag>"
            f"<Content-Length>{facts.st_size}</Content-Length>"
            "<Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType>"
        )
        noted = self._metadata(name) if with_metadata else {}
        words = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in noted.items())
        return (
            f"<Blob><Name>{escape(name)}</Name><Properties>{properties}</Properties>"
            f"<Metadata>{words}</Metadata></Blob>"
        )

    # Blobs.

    def _found(self) -> Path:
        path = self._places.find(self._container, self._name)
        if path is None:
            raise Refused(404, "BlobNotFound", "the specified blob does not exist")
        return path

    def _head(self) -> Reply:
        path = self._found()
        size = str(path.stat().st_size)
        return Reply(
            200, None, {**self._about(path), "Content-Length": size}, "application/octet-stream"
        )

    def _get(self) -> Reply:
        path = self._found()
        asked = self._request.headers.get("x-ms-range") or self._request.headers.get("range")
        about = self._about(path)
        handle = path.open("rb")
        size = os.fstat(handle.fileno()).st_size
        if not asked:
            return Reply(200, Part(handle, 0, size), about, "application/octet-stream")
        try:
            first, last = _range(asked, size)
        except Refused:
            handle.close()
            raise
        headers = {**about, "Content-Range": f"bytes {first}-{last}/{size}"}
        return Reply(
            206, Part(handle, first, last - first + 1), headers, "application/octet-stream"
        )

    def _put(self) -> Reply:
        target = self._places.target(self._container, self._name)
        if self._request.headers.get("if-none-match") == "*" and target.exists():
            raise Refused(409, "BlobAlreadyExists", "the specified blob already exists")
        return self._write(target, lambda handle: handle.write(self._request.body))

    def _write(self, target: Path, fill: Callable[[BinaryIO], object]) -> Reply:
        sent = hashlib.md5(self._request.body, usedforsecurity=False)
        digest = base64.b64encode(sent.digest()).decode()
        if self._request.headers.get("content-md5", digest) != digest:
            raise Refused(400, "Md5Mismatch", "the content is not what its Content-MD5 says")
        if target.is_dir():
            raise Refused(409, "ResourceTypeMismatch", "there is a folder of that name")
        try:
            with replacing(target) as handle:
                fill(handle)
        except (FileExistsError, NotADirectoryError):
            raise Refused(409, "ResourceTypeMismatch", "there is a file above that name") from None
        self._note(self._sent_metadata())
        return Reply(201, None, {**self._about(target), "Content-MD5": digest})

    def _put_block(self) -> Reply:
        folder = self._blocks()
        name = hashlib.sha256(self._request.query.get("blockid", "").encode()).hexdigest()
        write_private(folder / name, self._request.body)
        return Reply(201, headers=_COMMON)

    def _put_blocks(self) -> Reply:
        text = self._request.body.decode("utf-8", "replace")
        blocks = re.findall(r"<(?:Latest|Uncommitted|Committed)>([^<]+)<", text)
        folder = self._blocks()
        parts = [folder / hashlib.sha256(each.encode()).hexdigest() for each in blocks]
        target = self._places.target(self._container, self._name)
        try:
            for part in parts:
                part.stat()
            reply = self._write(target, lambda handle: _join(parts, handle))
        except FileNotFoundError:
            raise Refused(400, "InvalidBlockList", "a block was not uploaded") from None
        shutil.rmtree(folder, ignore_errors=True)
        return reply

    def _set_metadata(self) -> Reply:
        path = self._found()
        self._note(self._sent_metadata())
        return Reply(200, headers={**_COMMON, "ETag": _etag(path), "Last-Modified": _date(0)})

    def _delete(self) -> Reply:
        target = self._places.target(self._container, self._name)
        if not target.is_file():
            raise Refused(404, "BlobNotFound", "the specified blob does not exist")
        target.unlink()
        self._sidecar(self._name).unlink(missing_ok=True)
        return Reply(202, headers=_COMMON)

    # What files cannot carry.

    def _about(self, path: Path) -> dict[str, str]:
        noted = {f"x-ms-meta-{k}": v for k, v in self._metadata(self._name).items()}
        modified = _date(path.stat().st_mtime)
        return {
            **_COMMON,
            **noted,
            "ETag": _etag(path),
            "Last-Modified": modified,
            "x-ms-creation-time": modified,
            "x-ms-blob-type": "BlockBlob",
            "x-ms-server-encrypted": "true",
            "x-ms-request-server-encrypted": "true",
            "Accept-Ranges": "bytes",
        }

    def _sent_metadata(self) -> dict[str, str]:
        named = self._request.headers.items()
        return {k[10:]: v for k, v in named if k.startswith("x-ms-meta-")}

    def _note(self, metadata: Mapping[str, str]) -> None:
        if metadata:
            write_private(self._sidecar(self._name), json.dumps(metadata).encode())
        else:
            self._sidecar(self._name).unlink(missing_ok=True)

    def _metadata(self, name: str) -> dict[str, str]:
        try:
            return dict(json.loads(self._sidecar(name).read_bytes()))
        except (OSError, ValueError):
            return {}

    def _sidecar(self, name: str) -> Path:
        return self._area / "metadata" / f"{self._hash(name)}.json"

    def _blocks(self) -> Path:
        return self._area / "blocks" / self._hash(self._name)

    def _hash(self, name: str) -> str:
        return hashlib.sha256(f"{self._container}/{name}".encode()).hexdigest()


def _join(parts: list[Path], handle: BinaryIO) -> None:
    for part in parts:
        with part.open("rb") as block:
            shutil.copyfileobj(block, handle, PIECE)


def _range(text: str, size: int) -> tuple[int, int]:
    found = re.match(r"bytes=(\d+)-(\d*)$", text)
    if found is None or int(found[1]) >= size:
        raise Refused(416, "InvalidRange", "the range is not in the blob")
    first, last = int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1)
    if last < first:
        raise Refused(416, "InvalidRange", "the range ends before it begins")
    return first, last


def _etag(path: Path) -> str:
    facts = path.stat()
    return f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'


def _date(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)
