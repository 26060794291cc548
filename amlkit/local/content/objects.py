"""Objects on disk: large files one by one, small ones together in packs.

objects/ab/HASH     one large file, read-only
packs/ID.pack       small files, one after the other
packs/ID.idx        where each begins: 32 bytes of hash, offset, size; then the hash of all that;
                    written after its pack
"""

from __future__ import annotations

import hashlib
import os
import struct
import threading
import uuid
from pathlib import Path
from typing import NamedTuple

from amlkit.errors import AmlkitError
from amlkit.local.content.records import CHANGED, Damaged

SMALL = 128 * 1024
STORED_NS = 946_684_800 * 10**9
"""The time of every large object (2000-01-01, in ns): whoever writes to one changes it."""
_FARTHEST = 2**48
_RECORD = struct.Struct(">32sQQ")


class Place(NamedTuple):
    """Where an object is: a whole file (offset 0, `pack` False) or a part of a pack."""

    path: Path
    offset: int
    size: int
    pack: bool


class Objects:
    """The objects of one store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.large = root / "objects"
        self.packs = root / "packs"
        self._index: dict[str, Place] = {}
        self._read: set[str] = set()
        self._lock = threading.Lock()

    def find(self, digest: str) -> Place | None:
        """Return where an object is, or None."""
        place = self._index.get(digest)
        if place is not None and place.path.exists():
            return place
        path = self.path(digest)
        if path.exists():
            return Place(path, 0, path.stat().st_size, pack=False)
        failed = self._read_new()
        place = self._index.get(digest)
        if place is not None and place.path.exists():
            return place
        if failed is not None:
            raise failed
        return None

    def known(self, digest: str) -> bool:
        """Whether an object is stored, as of the last `refresh`; asks the disk for nothing new."""
        return digest in self._index

    def path(self, digest: str) -> Path:
        """Return the path of a large object."""
        plain = digest.removeprefix("sha256:")
        return self.large / plain[:2] / plain

    def check(self, digest: str, name: str) -> Path:
        """Return a large object that is as it was stored: jobs share it, and root may write it.

        Its time says so; where that is another, the bytes are hashed.
        Raises: AmlkitError: it was changed.
        """
        path = self.path(digest)
        if not path.exists():
            raise AmlkitError(
                f"the content of `{name}` is missing from the store",
                hint="register it again from its source",
            )
        if path.stat().st_mtime_ns == STORED_NS:
            return path
        if hash_of(path) != digest:
            raise AmlkitError(
                f"the stored content of `{name}` was changed",
                hint="amlkit workspace verify --repair, then register it again from its source",
            )
        os.utime(path, ns=(STORED_NS, STORED_NS))
        return path

    def refresh(self) -> None:
        """Read the indexes that other processes wrote since, and forget those that went.

        Raises: Damaged: one of them; the others have been read.
        """
        if (failed := self._read_new()) is not None:
            raise failed

    def _read_new(self) -> Damaged | None:
        failed = None
        # Trials start in threads: one must not find an index that another is still reading.
        with self._lock:
            there = {name for name in os.listdir(self.packs) if name.endswith(".idx")}  # noqa: PTH208
            index = self._index
            if not self._read <= there:
                # A collection wrote packs anew: what stood in those that went may be gone.
                index, self._read = {}, set()
            for name in sorted(there - self._read):
                try:
                    for digest, place in read_index(self.packs / name):
                        index.setdefault(digest, place)
                except Damaged as cause:
                    failed = failed or cause
                else:
                    self._read.add(name)
            self._index = index
        return failed

    def forget(self) -> None:
        """Read every index again at the next question."""
        with self._lock:
            self._index, self._read = {}, set()

    def read(self, place: Place) -> bytes:
        """Return the bytes of an object in a pack. Raises: Damaged."""
        try:
            with place.path.open("rb") as pack:
                # What a damaged index says may be any number.
                pack.seek(min(place.offset, _FARTHEST))
                data = pack.read(min(place.size, SMALL))
        except OSError as cause:
            raise Damaged(place.path, f"cannot be read: {cause.strerror}", cause) from None
        if len(data) != place.size:
            raise Damaged(place.path, "ends too early")
        return data


def hash_of(path: Path) -> str:
    """Return the hash of a file, as objects are named."""
    with path.open("rb", buffering=0) as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"


def read_index(path: Path) -> list[tuple[str, Place]]:
    """Return what is in a pack. Raises: Damaged."""
    pack = path.with_suffix(".pack")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as cause:
        raise Damaged(path, f"cannot be read: {cause.strerror}", cause) from None
    records = data[: len(data) - len(data) % _RECORD.size]
    # The first ones that were written have no hash at their end.
    if data[len(records) :] not in {hashlib.sha256(records).digest(), b""} or not records:
        raise Damaged(path, CHANGED)
    return _places(pack, records)


def salvaged(path: Path) -> list[tuple[str, Place]]:
    """Return what a damaged index may say rightly. Raises: OSError."""
    data = path.read_bytes()
    return _places(path.with_suffix(".pack"), data[: len(data) - len(data) % _RECORD.size])


def _places(pack: Path, records: bytes) -> list[tuple[str, Place]]:
    return [
        (f"sha256:{raw.hex()}", Place(pack, offset, size, pack=True))
        for raw, offset, size in _RECORD.iter_unpack(records)
    ]


class PackWriter:
    """A pack being written; nothing of it is seen before `finish`."""

    def __init__(self, objects: Objects, tmp: Path) -> None:
        self._objects = objects
        self._name = uuid.uuid4().hex
        self._path = tmp / f"{self._name}.pack"
        self._file = self._path.open("wb", buffering=1024 * 1024)
        self._offset = 0
        self._places: dict[str, tuple[int, int]] = {}

    def add(self, digest: str, data: bytes) -> None:
        """Append an object, unless this pack has it."""
        if digest not in self._places:
            self._file.write(data)
            self._places[digest] = (self._offset, len(data))
            self._offset += len(data)

    def finish(self) -> None:
        """Make the pack visible: data to disk, then the pack's name, then its index."""
        self._file.flush()
        if not self._places:
            self.abandon()
            return
        os.fsync(self._file.fileno())
        self._file.close()
        index = self._path.with_suffix(".idx")
        records = b"".join(
            _RECORD.pack(bytes.fromhex(digest.removeprefix("sha256:")), offset, size)
            for digest, (offset, size) in self._places.items()
        )
        with index.open("wb") as target:
            target.write(records + hashlib.sha256(records).digest())
            target.flush()
            os.fsync(target.fileno())
        self._path.replace(self._objects.packs / self._path.name)
        index.replace(self._objects.packs / index.name)

    def abandon(self) -> None:
        """Let go without keeping anything."""
        try:
            self._file.close()
        except OSError:
            # A full disk: what is still in the buffer is not wanted.
            return
