"""Writing files to a share: each out of sight, and under its own name only when it is whole.

A file of a share appears empty and is then filled, range by range. So it is filled in a folder that
no listing shows, and renamed, which is one step. What an upload leaves that was killed is found by
its name, which says what it is of, and filled on.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from amlkit.copying import MD5, Moved, change_told, changed, hash_of
from amlkit.errors import AmlkitError
from amlkit.shares.names import FOLDER
from amlkit.shares.refusals import code_of

RANGE = 4 * 1024 * 1024
"""The most bytes that the service takes in one request."""
PARALLEL_RANGES = 4
WRITTEN = "amlkit_written"
"""The metadata of a file that holds when it was written: its MD5 is of the file as of then."""
_ABANDONED = timedelta(days=7)
_AT_ONCE = threading.BoundedSemaphore(4)
"""So many files of several ranges at once: each has 4 ranges in memory."""


def few_at_once(ranges: int) -> AbstractContextManager[Any]:
    """Wait until a file of so many ranges may be moved."""
    return _AT_ONCE if ranges > 1 else nullcontext()


class Uploads:
    """Fills and names the files of one share. client: the SDK's, of the share."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._folders = {""}
        self._lock = threading.Lock()

    def send(self, path: str, source: Path, moved: Moved) -> None:
        """Write a file, going on where an earlier attempt with the same content stopped.

        Raises: AmlkitError: it changed meanwhile, or another command sends it too.
        """
        from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

        facts = source.stat()
        digest = hash_of(source)
        mark = hashlib.sha256(f"{path}\n{facts.st_size}\n{digest}".encode()).hexdigest()[:24]
        part = self._left(mark) if facts.st_size > RANGE else None
        there = _ranges(part) if part is not None else []
        if part is None:
            part = self._begin(mark, facts.st_size)
        try:
            _fill(part, source, facts.st_size, there, moved)
            if changed(source, facts):
                raise change_told(source)
            self._make_folder(path.rpartition("/")[0])
            _name(self._client, part, path, digest)
        except ResourceNotFoundError as error:
            if code_of(error) != "ResourceNotFound":
                raise
            # It has gone on with what this one had sent so far.
            raise AmlkitError(
                f"another command is uploading `{path}` just now", hint="wait for it"
            ) from None
        except (HttpResponseError, AmlkitError, OSError):
            # The next attempt goes on with a large file, unless it is another one by now.
            if facts.st_size <= RANGE or changed(source, facts):
                with suppress(AzureError, OSError):
                    part.delete_file()
            raise

    def tidy(self) -> None:
        """Remove what killed uploads left a week ago, and the folder when nothing is in it."""
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

        folder = self._client.get_directory_client(FOLDER)
        with suppress(ResourceNotFoundError):
            for each in folder.list_directories_and_files(include=["timestamps"]):
                if each.last_modified < datetime.now(UTC) - _ABANDONED:
                    with suppress(HttpResponseError):
                        folder.get_file_client(each.name).delete_file()
            # It is refused while files are in it.
            with suppress(HttpResponseError):
                folder.delete_directory()
        self._folders.discard(FOLDER)

    def _left(self, mark: str) -> Any:
        """Return what an earlier attempt left, under a name that only this one knows, or None."""
        from azure.core.exceptions import ResourceNotFoundError

        folder = self._client.get_directory_client(FOLDER)
        with suppress(ResourceNotFoundError):
            for each in list(folder.list_directories_and_files(name_starts_with=mark)):
                # Of several that go on with one file, a single one can rename it.
                with suppress(ResourceNotFoundError):
                    return folder.get_file_client(each.name).rename_file(_new(mark))
        return None

    def _begin(self, mark: str, size: int) -> Any:
        from azure.core.exceptions import ResourceNotFoundError

        part = self._client.get_file_client(_new(mark))
        self._make_folder(FOLDER)
        try:
            part.create_file(size)
        except ResourceNotFoundError as error:
            if code_of(error) != "ParentNotFound":
                raise
            # Another upload was done and removed the folder, in which nothing was.
            with self._lock:
                self._folders.discard(FOLDER)
            self._make_folder(FOLDER)
            part.create_file(size)
        return part

    def _make_folder(self, path: str) -> None:
        with self._lock:
            self._make(path)

    def _make(self, path: str) -> None:
        from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

        if path in self._folders:
            return
        folder = self._client.get_directory_client(path)
        try:
            folder.create_directory()
        except ResourceExistsError as error:
            if code_of(error) != "ResourceAlreadyExists":
                raise
        except ResourceNotFoundError as error:
            if code_of(error) != "ParentNotFound":
                raise
            self._make(path.rpartition("/")[0])
            folder.create_directory()
        self._folders.add(path)


def _new(mark: str) -> str:
    return f"{FOLDER}/{mark}.{uuid.uuid4().hex}.part"


def _ranges(part: Any) -> list[tuple[int, int]]:
    """Return what has come of a file: starts and ends, neighbours joined."""
    found: list[tuple[int, int]] = []
    for start, end in sorted((each.start, each.end + 1) for each in part.list_ranges()):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _fill(
    part: Any, source: Path, size: int, there: Iterable[tuple[int, int]], moved: Moved
) -> None:
    """Send the ranges of a file that are not there, several at once."""

    def one(start: int) -> None:
        length = min(RANGE, size - start)
        if not any(begin <= start and start + length <= end for begin, end in there):
            with source.open("rb") as content:
                content.seek(start)
                block = content.read(length)
            if len(block) < length:
                raise change_told(source)
            part.upload_range(block, start, length, validate_content="md5")
        moved(length)

    starts = range(0, size, RANGE)
    if len(starts) <= 1:
        for start in starts:
            one(start)
        return
    with few_at_once(len(starts)), ThreadPoolExecutor(PARALLEL_RANGES) as pool:
        running = [pool.submit(one, start) for start in starts]
        try:
            for each in running:
                each.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _name(client: Any, part: Any, path: str, digest: str) -> None:
    """Give a file that is whole its name, with its MD5 and the moment that it was written."""
    from azure.core.exceptions import ResourceNotFoundError

    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    noted = {MD5: digest, WRITTEN: moment}
    try:
        part.rename_file(path, overwrite=True, file_last_write_time=moment, metadata=noted)
    except ResourceNotFoundError:
        # It is done where only the answer to a first request was lost.
        if _noted(client.get_file_client(path).get_file_properties()) != noted:
            raise


def noted_md5(properties: Any) -> str | None:
    """Return the MD5 that was noted with a file, unless it was written to since, as over SMB."""
    noted = _noted(properties)
    moment = noted.get(WRITTEN)
    if moment is None or properties.last_write_time != datetime.fromisoformat(moment):
        return None
    return noted.get(MD5)


def _noted(properties: Any) -> dict[str, str]:
    found = {key.lower(): value for key, value in (properties.metadata or {}).items()}
    return {key: found[key] for key in (MD5, WRITTEN) if key in found}
