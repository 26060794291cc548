"""A file share of Azure storage: files listed, sent, fetched, removed."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from amlkit.copying import PARALLEL_FILES, Moved, Stored, begun, check
from amlkit.light import dataclass
from amlkit.shares import names
from amlkit.shares.logins import asked_first, missing_extra
from amlkit.shares.refusals import Changed, code_of, translated
from amlkit.shares.uploads import PARALLEL_RANGES, RANGE, Uploads, few_at_once, noted_md5

_PARALLEL_LISTS = 8
_ATTEMPTS = 3


@dataclass(frozen=True)
class Share:
    """A file share of a storage account. url: of the account's file service."""

    url: str
    account: str
    name: str

    @property
    def address(self) -> str:
        """The URL of the share."""
        return f"{self.url}/{self.name}"


class ShareStore:
    """The files of one share. credential: what `logins` returns, or a token credential.

    Raises: NotSupported: azure-storage-file-share is not installed.
    """

    remote = True

    def __init__(self, name: str, share: Share, credential: Any) -> None:
        try:
            import azure.storage.fileshare  # noqa: F401
        except ModuleNotFoundError:
            raise missing_extra(name) from None
        self.name = name
        self.share = share
        self._credential = credential

    @property
    def address(self) -> str:
        """The URL of the share."""
        return self.share.address

    @cached_property
    def _client(self) -> Any:
        import requests
        from azure.core.pipeline.transport import RequestsTransport
        from azure.storage.fileshare import ShareClient
        from requests.adapters import HTTPAdapter

        session = requests.Session()
        # The client's own pool has ten connections, and opens one anew for each thread above that.
        adapter = HTTPAdapter(pool_maxsize=PARALLEL_FILES * (PARALLEL_RANGES + 1))
        for scheme in ("https://", "http://"):
            session.mount(scheme, adapter)
        return ShareClient(
            self.share.url,
            self.share.name,
            credential=asked_first(self._credential),
            # For a token: with the rights of a role, not those that single files grant.
            token_intent="backup",  # noqa: S106
            # Without these `a.` means `a`.
            allow_trailing_dot=True,
            allow_source_trailing_dot=True,
            transport=RequestsTransport(
                session=session, session_owner=False, connection_timeout=10, read_timeout=60
            ),
            # The client's own first pause is 15 seconds.
            initial_backoff=0.5,
            increment_base=2,
            random_jitter_range=0.5,
            retry_total=4,
            retry_connect=1,
        )

    @cached_property
    def _uploads(self) -> Uploads:
        return Uploads(self._client)

    def key(self, path: str) -> str:
        """Return what is the same for all ways to write a path: a share does not tell case."""
        return names.folded(path)

    def files(self, prefix: str) -> Iterator[Stored]:
        """Yield the file at a path, or those below it."""
        if names.hidden(prefix):
            return
        with self._translated():
            if prefix and (found := self._file(prefix)) is not None:
                yield found
            else:
                yield from self._below(prefix)

    def _file(self, path: str) -> Stored | None:
        from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

        try:
            found = self._client.get_file_client(path).get_file_properties()
        except ResourceNotFoundError as error:
            if code_of(error).startswith("Share"):
                raise
            return None
        except ResourceExistsError as error:
            # It is a folder.
            if code_of(error) != "ResourceTypeMismatch":
                raise
            return None
        return _stored(path, found)

    def _below(self, folder: str) -> Iterator[Stored]:
        pool = ThreadPoolExecutor(_PARALLEL_LISTS)
        running: set[Future[tuple[list[Stored], list[str]]]] = {pool.submit(self._listed, folder)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    files, folders = each.result()
                    running |= {pool.submit(self._listed, below) for below in folders}
                    yield from files
        finally:
            pool.shutdown(cancel_futures=True)

    def _listed(self, folder: str) -> tuple[list[Stored], list[str]]:
        """Return the files and the folders in a folder; none where there is no such folder."""
        from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

        files, folders = [], []
        client = self._client.get_directory_client(folder)
        try:
            for each in client.list_directories_and_files(include=["timestamps", "Etag"]):
                path = f"{folder}/{each.name}" if folder else each.name
                if not each.is_directory:
                    files.append(_stored(path, each))
                elif not names.hidden(path):
                    folders.append(path)
        except (ResourceNotFoundError, ResourceExistsError) as error:
            if code_of(error) not in {"ResourceNotFound", "ParentNotFound", "ResourceTypeMismatch"}:
                raise
        return files, folders

    def md5(self, path: str) -> str | None:
        """Return the MD5 that was noted with a file, or None; also when it was written to since."""
        with self._translated():
            return noted_md5(self._client.get_file_client(path).get_file_properties())

    def md5_of(self, stored: Stored) -> str:
        """Return the MD5 of a file; where none is noted, of what is read."""
        if (known := self.md5(stored.path)) is not None:
            return known
        digest = hashlib.md5(usedforsecurity=False)
        with self._translated():
            for start in range(0, stored.size, RANGE):
                digest.update(self._range(stored, start)[0])
        return digest.hexdigest()

    def put(self, path: str, source: Path, moved: Moved) -> None:
        """Write a file; it is there whole or not at all, with its MD5 beside it."""
        names.check(path)
        with self._translated():
            self._uploads.send(path, source, moved)

    def tidy(self) -> None:
        """Remove what uploads left that were killed and that nobody went on with."""
        with self._translated():
            self._uploads.tidy()

    def fetch(self, stored: Stored, target: Path, moved: Moved) -> None:
        """Write a file to `target`, going on where an earlier attempt at the same stopped.

        Raises: AmlkitError: what came is not what was stored.
        """
        known: list[str | None] = []

        def one(offset: int) -> bytes:
            content, properties = self._range(stored, offset)
            known.append(noted_md5(properties))
            return content

        with begun(target, stored) as (part, start):
            moved(start)
            starts = range(start, stored.size, RANGE)
            with self._translated(), few_at_once(len(starts)), part.open("ab") as sink:
                for content in _in_order(one, starts):
                    sink.write(content)
                    moved(len(content))
                if not known and stored.size:
                    known.append(noted_md5(self._still(stored)))
            check(part, stored, known[0] if known else None)
            part.replace(target)

    def _range(self, stored: Stored, start: int) -> tuple[bytes, Any]:
        """Return up to 4 MiB of a file, whose MD5 the service tells, and the file's properties."""
        from azure.core.exceptions import AzureError
        from requests.exceptions import RequestException

        length = min(RANGE, stored.size - start)
        client = self._client.get_file_client(stored.path)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                found = client.download_file(start, length, validate_content="md5")
                content: bytes = found.readall()
            except (AzureError, RequestException) as error:
                if code_of(error) == "InvalidRange":
                    raise Changed from None
                # What breaks off in the middle of a file the client does not ask for again.
                if attempt == _ATTEMPTS or not _broke_off(error):
                    raise
                continue
            break
        if _mark(found.properties.etag) != stored.etag or len(content) != length:
            raise Changed
        return content, found.properties

    def _still(self, stored: Stored) -> Any:
        properties = self._client.get_file_client(stored.path).get_file_properties()
        if _mark(properties.etag) != stored.etag:
            raise Changed
        return properties

    def head(self, path: str, length: int) -> bytes:
        """Return the first bytes of a file."""
        with self._translated():
            found = self._client.get_file_client(path).download_file(0, length)
            return bytes(found.readall())

    def delete(self, path: str) -> None:
        """Remove a file."""
        with self._translated():
            self._client.get_file_client(path).delete_file()

    def _translated(self) -> Any:
        return translated(self.name, self.address)


def _stored(path: str, found: Any) -> Stored:
    written = found.last_write_time
    if isinstance(written, str):
        # A listing has it as text. Last-Modified is of a whole second.
        written = datetime.fromisoformat(written)
    return Stored(path, int(found.size or 0), written or found.last_modified, _mark(found.etag))


def _mark(etag: str | None) -> str | None:
    return etag.strip('"') if etag else None


def _broke_off(error: Any) -> bool:
    from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

    if isinstance(error, ClientAuthenticationError | ServiceRequestError):
        return False
    return int(getattr(error, "status_code", None) or 0) < 300


def _in_order(one: Callable[[int], bytes], starts: Iterable[int]) -> Iterator[bytes]:
    """Yield what comes for each start, in their order, a few asked for at once."""
    waiting: deque[Future[bytes]] = deque()
    with ThreadPoolExecutor(PARALLEL_RANGES) as pool:
        for start in starts:
            waiting.append(pool.submit(one, start))
            if len(waiting) == PARALLEL_RANGES:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
