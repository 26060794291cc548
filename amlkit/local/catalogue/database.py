"""One SQLite file in WAL mode: opened, brought up to date, and written in short transactions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from amlkit.errors import AmlkitError, WorkspaceUnusable
from amlkit.local.catalogue.schema import STEPS

BUSY_TIMEOUT_SECONDS = 30.0


class Database:
    """A connection to the catalogue. Threads of one process may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            # NORMAL survives kill -9 at any moment; only a power cut may lose the last commits.
            self._connection.execute("pragma synchronous=normal")
            version = self._version()
            if version < len(STEPS):
                self._connection.execute("pragma journal_mode=wal")
                self._upgrade()
            elif version > len(STEPS):
                raise WorkspaceUnusable(
                    f"`{path}` was written by a newer amlkit (catalogue version {version}; "
                    f"this one knows {len(STEPS)})",
                    hint="upgrade amlkit: pip install --upgrade amlkit",
                )
        except sqlite3.Error as cause:
            raise unusable(path, cause) from None

    def _version(self) -> int:
        return int(self._connection.execute("pragma user_version").fetchone()[0])

    def _upgrade(self) -> None:
        with self.transaction() as connection:
            # Another process may have upgraded while this one waited for the lock.
            for number in range(self._version(), len(STEPS)):
                for statement in STEPS[number].split(";\n"):
                    if statement.strip():
                        connection.execute(statement)
                connection.execute(f"pragma user_version={number + 1}")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Return what a query finds."""
        try:
            with self._lock:
                return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as cause:
            raise unusable(self.path, cause) from None

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """Return the first row that a query finds."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def execute(self, sql: str, *values: object) -> int:
        """Run one statement, outside or inside a transaction; return how many rows it changed."""
        try:
            with self._lock:
                return self._connection.execute(sql, values).rowcount
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as cause:
            raise unusable(self.path, cause) from None

    def many(self, sql: str, values: list[tuple[object, ...]]) -> None:
        """Run one statement for each row of values."""
        try:
            with self._lock:
                self._connection.executemany(sql, values)
        except sqlite3.Error as cause:
            raise unusable(self.path, cause) from None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; the lock is taken at once, so what is read stays true.

        Raises: WorkspaceUnusable: the disk is full, or the file is not writable.
        """
        with self._lock:
            try:
                self._connection.execute("begin immediate")
            except sqlite3.Error as cause:
                raise unusable(self.path, cause) from None
            try:
                yield self._connection
                self._connection.execute("commit")
            except BaseException as cause:
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                if isinstance(cause, sqlite3.OperationalError):
                    raise unusable(self.path, cause) from None
                raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def unusable(path: Path, cause: sqlite3.Error) -> AmlkitError:
    """Return the error for a catalogue that SQLite cannot use, in the reader's words."""
    text = str(cause)
    if "readonly" in text or "unable to open" in text or "attempt to write" in text:
        return WorkspaceUnusable(
            f"the workspace folder `{path.parent}` is not writable",
            hint="mend its permissions, or choose another with AMLKIT_HOME or --workspace",
        )
    if "full" in text:
        return WorkspaceUnusable(
            f"the disk of `{path.parent}` is full: nothing was changed",
            hint="free some space, then repeat the command",
        )
    if "not a database" in text or "malformed" in text:
        return WorkspaceUnusable(
            f"`{path}` is damaged ({text})",
            hint="restore it, or move the folder away to start anew",
        )
    if "locked" in text:
        return WorkspaceUnusable(
            f"`{path}` is locked by another process for over {BUSY_TIMEOUT_SECONDS:.0f} s",
            hint="see which amlkit process hangs, then repeat the command",
        )
    return WorkspaceUnusable(f"the catalogue `{path}` failed: {text}")


def now() -> str:
    """Return the time as RFC 3339 in UTC, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
