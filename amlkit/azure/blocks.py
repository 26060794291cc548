"""Files on their way into blobs through azure-storage-blob: large ones as blocks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amlkit import block_upload
from amlkit.copying import MD5, change_told, changed


def put(
    client: Any,
    path: str,
    source: Path,
    moved: Callable[[int], None],
    facts: os.stat_result | None = None,
) -> None:
    """Write a file to a path of a container; it is there whole or not at all, with its MD5.

    client: of the container. A large file goes on with the blocks of an attempt before.
    facts: of the file as it has to be, where not as it is now.
    Raises: AmlkitError: it changed meanwhile.
    """
    if source.stat().st_size > block_upload.LARGE:
        block_upload.put(Blocks(client.get_blob_client(path)), source, moved, facts)
        return
    content = source.read_bytes()
    if facts is not None and changed(source, facts):
        raise change_told(source)
    # Of what is sent, even if the file changes just now.
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    client.upload_blob(path, content, overwrite=True, **noted(md5))
    moved(len(content))


class Blocks:
    """A blob that is made of blocks."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def staged(self) -> Mapping[str, int]:
        """Return the blocks that are there and in no file yet, with their sizes."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            _, found = self._client.get_block_list("uncommitted")
        except ResourceNotFoundError:
            return {}
        return {_id(each): int(each.size) for each in found}

    def stage(self, name: str, content: bytes) -> None:
        """Send a block."""
        self._client.stage_block(name, content, length=len(content))

    def commit(self, names: Sequence[str], md5: str | None) -> None:
        """Make the file of its blocks. md5: of all of it, in hexadecimal, where it is known."""
        from azure.storage.blob import BlobBlock

        blocks = [BlobBlock(block_id=each) for each in names]
        self._client.commit_block_list(blocks, **(noted(md5) if md5 else {}))


def noted(md5: str) -> dict[str, Any]:
    """Return what stores an MD5 with a blob, for storage and for amlkit."""
    from azure.storage.blob import ContentSettings

    settings = ContentSettings(content_md5=bytearray.fromhex(md5))
    return {"metadata": {MD5: md5}, "content_settings": settings}


def _id(block: Any) -> str:
    return str(block.id)
