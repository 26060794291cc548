"""Files in blob storage: listed, sent and fetched, a few at a time, with nothing sent twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from amlkit.azure import blocks
from amlkit.azure.errors import translated
from amlkit.copying import Tally, in_parallel, removal_told
from amlkit.errors import AmlkitError, NotSupported
from amlkit.light import dataclass
from amlkit.placing import part_name
from amlkit.records import StoredFile
from amlkit.workspace import Progress

T = TypeVar("T")

PARALLEL_FILES = 8
PARALLEL_BLOCKS = 4


@dataclass(frozen=True)
class Place:
    """A container, and how to get in. credential: an account key, a SAS or a token credential."""

    datastore: str
    account_url: str
    container: str
    credential: Any

    @cached_property
    def client(self) -> Any:
        """The container's client."""
        from azure.storage.blob import ContainerClient

        # The client's own first pause is 15 seconds.
        return ContainerClient(
            self.account_url,
            self.container,
            credential=self.credential,
            initial_backoff=1,
            increment_base=2,
            retry_total=5,
        )

    def files(self, prefix: str, *, limit: int | None = None) -> Iterator[StoredFile]:
        """Yield the files below a prefix, sorted by path; at most `limit` in one request."""
        with translated(f"datastore `{self.datastore}`"):
            options = {"results_per_page": limit} if limit else {}
            for count, blob in enumerate(
                self.client.list_blobs(name_starts_with=prefix or None, **options), start=1
            ):
                modified = blob.last_modified
                yield StoredFile(
                    blob.name,
                    int(blob.size or 0),
                    modified.isoformat(timespec="seconds") if modified else None,
                )
                if limit and count >= limit:
                    return

    @removal_told()
    def send(
        self,
        files: Mapping[str, Path],
        progress: Progress | None,
        *,
        facts: Mapping[Path, os.stat_result] = MappingProxyType({}),
    ) -> int:
        """Write files to paths of the container; return how many were sent.

        facts: of files as they have to be. Raises: AmlkitError: one has changed since.
        """
        tally = Tally(progress)

        def one(path: str) -> None:
            source = files[path]
            blocks.put(self.client, path, source, tally.moved, facts.get(source))

        with translated(f"uploading to datastore `{self.datastore}`"):
            in_parallel(one, files, tally)
        return len(files)

    def fetch(self, paths: Mapping[str, Path], progress: Progress | None) -> int:
        """Write blobs to files; return how many. A file is there whole or not at all."""

        def one(item: tuple[str, Path]) -> int:
            path, target = item
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(part_name(f"{os.getpid()} {target.name}"))
            try:
                with part.open("wb") as sink:
                    blob = self.client.download_blob(path, max_concurrency=PARALLEL_BLOCKS)
                    blob.readinto(sink)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
            return target.stat().st_size

        with translated(f"downloading from datastore `{self.datastore}`"):
            return at_once(one, paths.items(), progress)


def at_once(one: Callable[[T], int], items: Iterable[T], progress: Progress | None = None) -> int:
    """Do one thing to each item, some at once; the first error ends it and is raised.

    one: returns the bytes that it moved. Returns: how many items.
    """
    count = size = 0
    with ThreadPoolExecutor(PARALLEL_FILES) as pool:
        running = [pool.submit(one, each) for each in items]
        try:
            for done in running:
                size += done.result()
                count += 1
                if progress:
                    progress(count, size)
        except BaseException:
            for left in running:
                left.cancel()
            raise
    return count


def place_of(
    datastore: Mapping[str, Any], name: str, secrets: Mapping[str, Any], credential: Any
) -> Place:
    """Return the container behind a datastore's description.

    secrets: what `listSecrets` answered; empty for a datastore that goes by identity.
    Raises: NotSupported: it is something else, such as a file share.
    """
    container = datastore.get("containerName") or datastore.get("filesystem")
    if not container:
        raise NotSupported(
            f"datastore `{name}` is {datastore.get('datastoreType')}, and this needs a container of"
            " blobs",
            hint="use a blob datastore, such as workspaceblobstore",
        )
    account = str(datastore["accountName"])
    endpoint = str(datastore.get("endpoint") or "core.windows.net")
    url = f"{datastore.get('protocol') or 'https'}://{account}.blob.{endpoint}"
    return Place(name, url, str(container), secret_of(secrets) or credential)


def secret_of(secrets: Mapping[str, Any]) -> str | None:
    """Return the account key or the SAS of a datastore, or None: it goes by identity.

    Raises: NotSupported: it is another kind.
    """
    kind = secrets.get("secretsType")
    if kind == "AccountKey":
        return str(secrets["key"])
    if kind == "Sas":
        return str(secrets["sasToken"]).removeprefix("?")
    if kind in {None, "None"}:
        return None
    raise NotSupported(
        f"a datastore with credentials of type `{kind}` cannot be read from here",
        hint="give it an account key, a SAS or identity-based access",
    )


def local_target(root: Path, relative: str) -> Path:
    """Return where a blob goes below `root`. Raises: AmlkitError: it would leave it."""
    target = Path(os.path.normpath(root / relative))
    if target != root and root not in target.parents:
        raise AmlkitError(f"blob `{relative}` would be written outside of `{root}`")
    return target
