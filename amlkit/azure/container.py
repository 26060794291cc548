"""The container behind a datastore of an Azure ML workspace, with the verbs that copying needs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlkit.azure import blocks
from amlkit.azure.blobs import Place
from amlkit.azure.errors import translated
from amlkit.copying import MD5, Moved, Stored, begun, check


class ContainerStore:
    """The files of one container, through azure-storage-blob."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.name = place.datastore

    def files(self, prefix: str) -> Iterator[Stored]:
        """Yield the file at a path and those below it, with the MD5 where storage has one."""
        with self._translated():
            listed = self._place.client.list_blobs(
                name_starts_with=prefix or None, include=["metadata"]
            )
            for blob in listed:
                # What stands for a folder where storage has a hierarchy is no file.
                if (blob.metadata or {}).get("hdi_isfolder") == "true":
                    continue
                if not prefix or blob.name == prefix or blob.name.startswith(f"{prefix}/"):
                    modified = blob.last_modified or datetime.now(UTC)
                    size = int(blob.size or 0)
                    yield Stored(blob.name, size, modified, blob.etag, _md5(blob))

    def key(self, path: str) -> str:
        """Return what is the same for all ways to write a path."""
        return path

    def md5(self, path: str) -> str | None:
        """Return the MD5 that was stored with a file, or None."""
        with self._translated():
            return _md5(self._place.client.get_blob_client(path).get_blob_properties())

    def md5_of(self, stored: Stored) -> str:
        """Return the MD5 of a file's content, which is read."""
        digest = hashlib.md5(usedforsecurity=False)
        with self._translated():
            for chunk in self._place.client.download_blob(stored.path).chunks():
                digest.update(chunk)
        return digest.hexdigest()

    def put(self, path: str, source: Path, moved: Moved) -> None:
        """Write a file; it is there whole or not at all, with its MD5 beside it."""
        with self._translated():
            blocks.put(self._place.client, path, source, moved)

    def fetch(self, stored: Stored, target: Path, moved: Moved) -> None:
        """Write a file to `target`, going on where an earlier attempt at the same stopped.

        Raises: AmlkitError: what came is not what was stored.
        """

        with begun(target, stored) as (part, start):
            moved(start)
            with self._translated(), part.open("ab") as sink:
                if start < stored.size:
                    found = self._place.client.download_blob(
                        stored.path, offset=start, **unchanged(stored)
                    )
                    for chunk in found.chunks():
                        sink.write(chunk)
                        moved(len(chunk))
            check(part, stored, stored.md5 or self.md5(stored.path))
            part.replace(target)

    def tidy(self) -> None:
        """Do nothing: storage lets go by itself of blocks that became no file."""

    def head(self, path: str, length: int) -> bytes:
        """Return the first bytes of a file."""
        with self._translated():
            found = self._place.client.download_blob(path, offset=0, length=length)
            return bytes(found.readall())

    def delete(self, path: str) -> None:
        """Remove a file."""
        with self._translated():
            self._place.client.delete_blob(path)

    def _translated(self) -> Any:
        return translated(f"datastore `{self.name}`")


def _md5(blob: Any) -> str | None:
    """Return the MD5 of a blob: what storage knows itself, or what amlkit noted."""
    known = blob.content_settings.content_md5 if blob.content_settings else None
    if known:
        return bytes(known).hex() if not isinstance(known, str) else base64.b64decode(known).hex()
    noted: str | None = (blob.metadata or {}).get(MD5)
    return noted


def unchanged(stored: Stored, prefix: str = "") -> dict[str, Any]:
    """Return the condition that a blob is what it was when it was listed."""
    from azure.core import MatchConditions

    if not stored.etag:
        return {}
    # A listing has it without the quotes that belong to it.
    etag = f'"{stored.etag.strip(chr(34))}"'
    return {f"{prefix}etag": etag, f"{prefix}match_condition": MatchConditions.IfNotModified}
