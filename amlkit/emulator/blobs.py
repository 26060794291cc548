"""The blob endpoint: the part of Azure's "Blob service REST API" that the SDK uses.

Blobs are plain files of the workspace. What a file cannot carry (metadata) lies beside them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from amlkit.emulator.blob_blocks import Blocks
from amlkit.emulator.blob_notes import Note, Notes, etag, md5_of
from amlkit.emulator.context import ACCOUNT, SUFFIX, Context
from amlkit.emulator.messages import Part, Refused, Reply, Request
from amlkit.emulator.places import Places
from amlkit.emulator.state import replacing
from amlkit.errors import NotFound
from amlkit.light import replace

HOST = f"/{ACCOUNT}.blob.{SUFFIX}/"
_COMMON = {"x-ms-version": "2023-11-03"}
_COPIED_AT_ONCE = 256 * 1024 * 1024
"""Of larger blobs only parts are copied in one request. Source: "Copy Blob From URL"."""


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
        self._places = Places(context)
        self._signer = context.signer
        self._request = request
        self._container = container
        self._name = name
        self._notes = Notes(context.area.root / "metadata")
        self._blocks = Blocks(context.area.root / "blocks", container, name)

    def answer(self) -> Reply:
        method, what = self._request.method, self._request.query.get("comp", "")
        if not self._name.strip("/"):
            return self._list() if method == "GET" and what == "list" else self._about_container()
        found = {
            ("PUT", "metadata"): self._set_metadata,
            ("PUT", "block"): self._put_block,
            ("PUT", "blocklist"): self._put_blocks,
            ("GET", "blocklist"): self._list_blocks,
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
        note = self._notes.of(self._container, name, path)
        known = f"<Content-MD5>{note.md5}</Content-MD5>" if note.md5 else ""
        properties = (
            f"<Last-Modified>{_date(facts.st_mtime)}</Last-Modified><Etag>{etag(path)}</Etag>"
            f"<Content-Length>{facts.st_size}</Content-Length>{known}"
            "<Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType>"
        )
        noted = note.metadata if with_metadata else {}
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
        _check_unchanged(path, self._request.headers.get("if-match"))
        size = str(path.stat().st_size)
        return Reply(
            200, None, {**self._about(path), "Content-Length": size}, "application/octet-stream"
        )

    def _get(self) -> Reply:
        path = self._found()
        _check_unchanged(path, self._request.headers.get("if-match"))
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
        headers = self._request.headers
        if headers.get("if-none-match") == "*" and target.exists():
            raise Refused(409, "BlobAlreadyExists", "the specified blob already exists")
        if "x-ms-copy-source" in headers:
            return self._copy(target)
        md5 = headers.get("x-ms-blob-content-md5") or md5_of(self._request.body)
        note = Note(self._sent_metadata(), md5)
        reply = self._write(target, lambda handle: handle.write(self._request.body), note)
        # Source: "Put Blob": uncommitted blocks of that name are discarded.
        self._blocks.drop()
        return reply

    def _write(self, target: Path, fill: Callable[[BinaryIO], object], note: Note) -> Reply:
        digest = self._checked_md5()
        if target.is_dir():
            raise Refused(409, "ResourceTypeMismatch", "there is a folder of that name")
        try:
            with replacing(target) as handle:
                fill(handle)
        except (FileExistsError, NotADirectoryError):
            raise Refused(409, "ResourceTypeMismatch", "there is a file above that name") from None
        self._notes.write(self._container, self._name, replace(note, etag=etag(target)))
        return Reply(201, None, {**self._about(target), "Content-MD5": digest})

    def _checked_md5(self) -> str:
        digest = md5_of(self._request.body)
        if self._request.headers.get("content-md5", digest) != digest:
            raise Refused(400, "Md5Mismatch", "the content is not what its Content-MD5 says")
        return digest

    def _put_block(self) -> Reply:
        self._checked_md5()
        content = self._request.body
        if "x-ms-copy-source" in self._request.headers:
            source, _ = self._source()
            size = source.stat().st_size
            asked = self._request.headers.get("x-ms-source-range", "bytes=0-")
            first, last = _range(asked, size)
            with source.open("rb") as handle:
                handle.seek(first)
                content = handle.read(last - first + 1)
        self._blocks.put(self._request.query.get("blockid", ""), content)
        return Reply(201, headers=_COMMON)

    def _list_blocks(self) -> Reply:
        there = self._places.find(self._container, self._name)
        if there is None and not self._blocks.sizes():
            raise Refused(404, "BlobNotFound", "the specified blob does not exist")
        return Reply(200, self._blocks.listed(), _COMMON, "application/xml")

    def _put_blocks(self) -> Reply:
        target = self._places.target(self._container, self._name)
        note = Note(self._sent_metadata(), self._request.headers.get("x-ms-blob-content-md5"))
        body = self._request.body
        reply = self._write(target, lambda handle: self._blocks.join(body, handle), note)
        self._blocks.drop()
        return reply

    def _copy(self, target: Path) -> Reply:
        """Answer "Put Blob From URL", which says the type of the blob, and "Copy Blob From URL"."""
        source, known = self._source()
        is_put = "x-ms-blob-type" in self._request.headers
        if not is_put and source.stat().st_size > _COPIED_AT_ONCE:
            raise Refused(409, "InvalidOperation", "the source is larger than 256 MiB")
        sent = self._sent_metadata()
        note = replace(known, metadata=sent if is_put or sent else known.metadata)
        with source.open("rb") as content:
            reply = self._write(target, lambda handle: shutil.copyfileobj(content, handle), note)
        self._blocks.drop()
        if is_put:
            return reply
        done = {"x-ms-copy-id": "copied", "x-ms-copy-status": "success"}
        return Reply(202, headers={**self._about(target), **done})

    def _source(self) -> tuple[Path, Note]:
        """Return the blob to copy from. Raises: Refused: elsewhere, not there, or no permission."""
        url = urlsplit(self._request.headers["x-ms-copy-source"])
        token = self._request.headers.get("x-ms-copy-source-authorization")
        container, _, name = unquote(url.path.removeprefix(HOST)).partition("/")
        query = dict(parse_qsl(url.query))
        allowed = self._signer.accepts_sas(container, query) or self._signer.accepts(token)
        if not url.path.startswith(HOST) or not allowed:
            raise Refused(403, "CannotVerifyCopySource", "the source may not be read")
        path = self._places.find(container, name)
        if path is None:
            raise Refused(404, "CannotVerifyCopySource", "the source does not exist")
        _check_unchanged(path, self._request.headers.get("x-ms-source-if-match"))
        return path, self._notes.of(container, name, path)

    def _set_metadata(self) -> Reply:
        path = self._found()
        known = self._notes.of(self._container, self._name, path)
        changed = replace(known, metadata=self._sent_metadata(), etag=etag(path))
        self._notes.write(self._container, self._name, changed)
        return Reply(200, headers={**_COMMON, "ETag": etag(path), "Last-Modified": _date(0)})

    def _delete(self) -> Reply:
        target = self._places.target(self._container, self._name)
        if not target.is_file():
            raise Refused(404, "BlobNotFound", "the specified blob does not exist")
        target.unlink()
        self._notes.drop(self._container, self._name)
        return Reply(202, headers=_COMMON)

    def _about(self, path: Path) -> dict[str, str]:
        note = self._notes.of(self._container, self._name, path)
        modified = _date(path.stat().st_mtime)
        return {
            **_COMMON,
            **{f"x-ms-meta-{k}": v for k, v in note.metadata.items()},
            **({self._md5_header: note.md5} if note.md5 else {}),
            "ETag": etag(path),
            "Last-Modified": modified,
            "x-ms-creation-time": modified,
            "x-ms-blob-type": "BlockBlob",
            "x-ms-server-encrypted": "true",
            "x-ms-request-server-encrypted": "true",
            "Accept-Ranges": "bytes",
        }

    @property
    def _md5_header(self) -> str:
        """Where the whole blob's MD5 stands: `Content-MD5` is of what an answer carries."""
        headers = self._request.headers
        part = headers.get("x-ms-range") or headers.get("range")
        return "x-ms-blob-content-md5" if part else "Content-MD5"

    def _sent_metadata(self) -> dict[str, str]:
        named = self._request.headers.items()
        return {k[10:]: v for k, v in named if k.startswith("x-ms-meta-")}


def _check_unchanged(path: Path, wanted: str | None) -> None:
    """Raise: Refused: the file is not as a condition names it."""
    if wanted not in {None, "*"} and str(wanted).strip('"') != etag(path).strip('"'):
        raise Refused(412, "ConditionNotMet", "the blob has been written to since")


def _range(text: str, size: int) -> tuple[int, int]:
    found = re.match(r"bytes=(\d+)-(\d*)$", text)
    if found is None or int(found[1]) >= size:
        raise Refused(416, "InvalidRange", "the range is not in the blob")
    first, last = int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1)
    if last < first:
        raise Refused(416, "InvalidRange", "the range ends before it begins")
    return first, last


def _date(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)
