"""Copying between this machine and a datastore: only what is missing, several files at once.

The same for folders, containers of the embedded workspace, and those of Azure ML workspaces.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from amlkit import placing, transfers
from amlkit.errors import AmlkitError, Conflict, NotFound
from amlkit.light import dataclass
from amlkit.transfers import Transfer, Transferred

PARALLEL_FILES = 16
MD5 = "amlkit_md5"
"""The metadata of a blob that holds the MD5 of its content."""
Moved = Callable[[int], None]
"""Called with the bytes that have moved since it was last called."""


@dataclass(frozen=True)
class Stored:
    """A file of a datastore. path: from the root; size: bytes; etag: changes with the content.

    md5: in hexadecimal, where a listing tells it.
    """

    path: str
    size: int
    modified: datetime
    etag: str | None = None
    md5: str | None = None


class Store(Protocol):
    """The files of one datastore, by their path from its root."""

    @property
    def name(self) -> str:
        """Name of the datastore, for messages."""
        ...

    def key(self, path: str) -> str:
        """Return what is the same for all paths that mean one file here."""
        ...

    def files(self, prefix: str) -> Iterator[Stored]:
        """Yield the file at a path and those below it."""
        ...

    def md5(self, path: str) -> str | None:
        """Return the MD5 that was stored with a file, or None."""
        ...

    def put(self, path: str, source: Path, moved: Moved) -> None:
        """Write a file; it is there whole or not at all, with its MD5 beside it."""
        ...

    def fetch(self, stored: Stored, target: Path, moved: Moved) -> None:
        """Write a file to `target`. Raises: AmlkitError: what came is not what was stored."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file."""
        ...

    def tidy(self) -> object:
        """Remove what writers left that were killed, and that nobody goes on with."""
        ...


def hash_of(path: Path) -> str:
    """Return the MD5 of a file, as storage keeps it to detect damage."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def changed(source: Path, facts: os.stat_result) -> bool:
    """Tell whether a file is another one than it was, or gone."""
    try:
        now = source.stat()
    except FileNotFoundError:
        return True
    return (now.st_size, now.st_mtime_ns) != (facts.st_size, facts.st_mtime_ns)


def change_told(source: Path) -> AmlkitError:
    """Return the error for a file that changed while it was sent."""
    return AmlkitError(f"`{source}` changed while it was sent", hint="send it again")


@contextmanager
def begun(target: Path, stored: Stored) -> Iterator[tuple[Path, int]]:
    """Lend the file beside `target` that holds what came so far, and say how many bytes that is.

    Raises: AmlkitError: another command is fetching the same.
    """
    mark = f"{target.name} {stored.etag} {stored.size}"
    part = target.with_name(placing.part_name(mark))
    with placing.alone(part, f"another command is downloading `{stored.path}` just now"):
        start = part.stat().st_size
        if start > stored.size:
            os.truncate(part, 0)
            start = 0
        try:
            yield part, start
        finally:
            # Of what could not even begin nothing stays.
            with suppress(FileNotFoundError):
                if not part.stat().st_size:
                    part.unlink()


def check(part: Path, stored: Stored, md5: str | None) -> None:
    """Raises: AmlkitError: what came is not what was stored; then it is removed."""
    if part.stat().st_size != stored.size or (md5 is not None and hash_of(part) != md5):
        part.unlink()
        raise AmlkitError(
            f"`{stored.path}` did not come as it was stored: its checksum differs",
            hint="download it again; if it happens again, upload it again",
        )


class Tally:
    """Counts files and bytes from several threads, for one progress callback."""

    def __init__(self, progress: Callable[[int, int], None] | None) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._files = self._bytes = 0
        self._stopped = False

    def stop(self) -> None:
        """Let no more bytes move: what is on its way ends with its next piece."""
        self._stopped = True

    def moved(self, size: int, files: int = 0) -> None:
        """Note that bytes moved, and files when they are whole."""
        if self._stopped:
            raise AmlkitError("stopped, since something else failed")
        with self._lock:
            self._bytes += size
            self._files += files
            if self._progress:
                self._progress(self._files, self._bytes)


@contextmanager
def removal_told() -> Iterator[None]:
    """Raise: AmlkitError: for a file that went away while it was copied."""
    try:
        yield
    except FileNotFoundError as cause:
        if cause.filename is None:
            raise
        raise AmlkitError(
            f"`{cause.filename}` was removed while it was copied", hint="run it again"
        ) from None


@removal_told()
def upload(store: Store, source: Path, target: str, how: Transfer) -> Transferred:
    """Copy a file, a folder or what a glob finds; what is there already is not sent again.

    Raises: NotFound: nothing is there to send. Conflict: two names are one file there.
    AmlkitError: a file was removed meanwhile.
    """
    files = transfers.local_files(source, target)
    keys = _keys(store, files)
    start = next(iter(files)) if len(files) == 1 and not how.delete else target
    there = {store.key(each.path): each for each in store.files(start)}
    known: set[str] = set()

    def look(path: str) -> None:
        if _same(store, there[keys[path]], files[path]):
            known.add(path)

    in_parallel(look, [path for path in files if keys[path] in there], Tally(None))
    wanted = [path for path in sorted(files) if path not in known]
    gone = there.keys() - set(keys.values()) if how.delete else ()
    surplus = sorted(there[key].path for key in gone)
    size = sum(files[path].stat().st_size for path in wanted)
    if not how.dry:
        tally = Tally(how.progress)
        in_parallel(lambda path: store.put(path, files[path], tally.moved), wanted, tally)
        in_parallel(store.delete, surplus, Tally(None))
        if wanted:
            store.tidy()
    return Transferred(
        tuple(wanted), len(files) - len(wanted), tuple(surplus), size, dry_run=how.dry
    )


def download(store: Store, prefix: str, target: Path, how: Transfer) -> Transferred:
    """Copy a file, a folder or what a glob finds to `target`; what is there stays as it is.

    Raises: NotFound: nothing is there. AmlkitError, Conflict: a name that is not safe here.
    """
    return fetch_files(store, stored_files(store, prefix), target, how)


@removal_told()
def fetch_files(
    store: Store, files: Mapping[str, Stored], target: Path, how: Transfer
) -> Transferred:
    """Copy stored files to their names below `target`; what is there stays as it is.

    Raises: AmlkitError, Conflict: a name that is not safe here.
    """
    places = {name: transfers.local_target(target, name) for name in files}
    if files:
        transfers.check_clashes(files, case_sensitive=_tells_case(target))
    wanted = [name for name, each in sorted(files.items()) if not _is_there(places[name], each)]
    size = sum(files[name].size for name in wanted)
    if not how.dry:
        tally = Tally(how.progress)

        def one(name: str) -> None:
            place, stored = places[name], files[name]
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                store.fetch(stored, place, tally.moved)
            except OSError as cause:
                # What cannot be written says why, and not where.
                cause.filename = cause.filename or str(place)
                raise
            os.utime(place, (_seconds(stored.modified),) * 2)

        in_parallel(one, wanted, tally)
    # Only now: a fetch uses up what an interrupted one before it had left beside its file.
    surplus = _surplus(target, set(places.values())) if how.delete else []
    if not how.dry:
        for path in surplus:
            path.unlink(missing_ok=True)
        for folder in {places[name].parent for name in wanted}:
            placing.tidy(folder)
    return Transferred(
        tuple(wanted),
        len(files) - len(wanted),
        tuple(each.relative_to(target).as_posix() for each in surplus),
        size,
        dry_run=how.dry,
    )


def look_up(store: Store, prefix: str) -> tuple[str, re.Pattern[str] | None, dict[str, Stored]]:
    """Return the path before the first wildcard, a pattern for what is below, and what is there.

    A name that is there is that name, whatever is in it: `photos [2024]`.
    """
    base, pattern = transfers.split_glob(prefix)
    if pattern is not None and (named := {each.path: each for each in store.files(prefix)}):
        return prefix, None, named
    return base, pattern, {each.path: each for each in store.files(base)}


def stored_files(store: Store, prefix: str) -> dict[str, Stored]:
    """Return what a prefix or a glob means, by its path below it."""
    base, pattern, listed = look_up(store, prefix)
    marks = transfers.without_folder_marks({name: each.size for name, each in listed.items()})
    names = transfers.below(marks, base, pattern)
    found = {name: listed[path] for name, path in names.items()}
    if not found and (prefix or pattern):
        raise NotFound(
            f"datastore `{store.name}` has no `{prefix}`",
            hint=f"amlkit datastore ls {store.name}",
        )
    return found


def _keys(store: Store, paths: Iterable[str]) -> dict[str, str]:
    """Return what a store knows each path by. Raises: Conflict: two of them would be one file."""
    keys: dict[str, str] = {}
    seen: dict[str, str] = {}
    for path in paths:
        keys[path] = store.key(path)
        if (other := seen.setdefault(keys[path], path)) != path:
            raise Conflict(
                f"`{other}` and `{path}` would be one file in datastore `{store.name}`",
                hint="it does not tell upper case from lower; rename one of them",
            )
    return keys


def _same(store: Store, stored: Stored, source: Path) -> bool:
    if stored.size != source.stat().st_size:
        return False
    return (stored.md5 or store.md5(stored.path)) == hash_of(source)


def _is_there(place: Path, stored: Stored) -> bool:
    if not place.is_file():
        return False
    facts = place.stat()
    return facts.st_size == stored.size and abs(facts.st_mtime - _seconds(stored.modified)) < 1e-3


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


def _surplus(target: Path, kept: set[Path]) -> list[Path]:
    return sorted(path for path in target.rglob("*") if path.is_file() and path not in kept)


def _tells_case(target: Path) -> bool:
    """Tell whether the file system of a folder, or of what will hold it, knows upper case."""
    folder = next(each for each in (target.absolute(), *target.absolute().parents) if each.is_dir())
    try:
        with tempfile.NamedTemporaryFile(prefix=".case-", dir=folder) as probe:
            path = Path(probe.name)
            return not path.with_name(path.name.swapcase()).exists()
    except OSError:
        return True


def in_parallel(one: Callable[[str], None], names: Iterable[str], tally: Tally) -> None:
    """Do one thing to each name, several at once; the first error ends it and is raised."""
    with ThreadPoolExecutor(PARALLEL_FILES) as pool:
        running = [pool.submit(one, name) for name in names]
        try:
            for done in as_completed(running):
                done.result()
                tally.moved(0, files=1)
        except BaseException:
            # Ctrl-C too: nobody waits for the rest of large files.
            tally.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
