"""Blocks of blobs that are not put together yet. Source: "Put Block", "Get Block List"."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape

from amlkit.emulator.blob_notes import key
from amlkit.emulator.messages import PIECE, Refused
from amlkit.emulator.state import is_scratch, write_private

_LONGEST_ID = 88
"""64 bytes in base64."""


class Blocks:
    """The blocks of one blob, a file each, named by the block's id."""

    def __init__(self, folder: Path, container: str, name: str) -> None:
        self._folder = folder / key(container, name)

    def put(self, block: str, content: bytes) -> None:
        """Keep a block. Raises: Refused: its id is none, or not as long as the others'."""
        if not block or len(block) > _LONGEST_ID:
            raise Refused(400, "InvalidQueryParameterValue", "the block id is empty or too long")
        if len(next(self._ids(), block)) != len(block):
            raise Refused(400, "InvalidBlobOrBlock", "the ids of a blob's blocks are equally long")
        write_private(self._place(block), content)

    def sizes(self) -> Mapping[str, int]:
        """Return the sizes of all blocks, by their ids."""
        return {each: self._place(each).stat().st_size for each in sorted(self._ids())}

    def join(self, body: bytes, handle: BinaryIO) -> None:
        """Write the blocks that a list names, in its order. Raises: Refused: one is not there."""
        text = body.decode("utf-8", "replace")
        named = re.findall(r"<(?:Latest|Uncommitted|Committed)>([^<]+)<", text)
        there = self.sizes()
        if any(each not in there for each in named):
            raise Refused(400, "InvalidBlockList", "a block was not uploaded")
        for each in named:
            with self._place(each).open("rb") as block:
                shutil.copyfileobj(block, handle, PIECE)

    def drop(self) -> None:
        """Forget all of them."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def listed(self) -> bytes:
        """Return the list of blocks that are in no blob, in XML."""
        found = "".join(
            f"<Block><Name>{escape(name)}</Name><Size>{size}</Size></Block>"
            for name, size in self.sizes().items()
        )
        head = '<?xml version="1.0" encoding="utf-8"?>'
        inner = f"<UncommittedBlocks>{found}</UncommittedBlocks>"
        return f"{head}<BlockList><CommittedBlocks />{inner}</BlockList>".encode()

    def _ids(self) -> Iterator[str]:
        if self._folder.is_dir():
            names = (each.name for each in self._folder.iterdir())
            yield from (
                bytes.fromhex(each).decode("utf-8", "replace")
                for each in names
                if not is_scratch(each)
            )

    def _place(self, block: str) -> Path:
        return self._folder / block.encode().hex()
