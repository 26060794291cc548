"""Every error that amlkit raises on purpose, each with the exit code the shell sees.

    AmlkitError                 1   the operation failed
    ├── UsageError              2   options that do not go together
    ├── InvalidSpec             2   a file breaks the language; carries every `Problem`
    ├── NotFound                3   no such job, asset, file, workspace
    ├── NotLoggedIn             4   login needed or refused
    ├── JobFailed               1   a job that was waited for did not complete
    ├── Canceled                5   a job that was waited for was canceled
    ├── Conflict                6   the name is taken by something else
    ├── NotSupported            1   this workspace cannot do it, and says what can
    ├── WorkspaceUnusable       1   the folder cannot be used, or is newer than this amlkit
    └── WaitTimedOut          124   `--timeout` ran out; the job goes on

Anything else that reaches the top is a bug and is shown as one. An error is data: a message
(one line, what failed with the value in backticks) and a hint (what to type or change).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from amlkit.light import dataclass


class AmlkitError(Exception):
    """What failed, and what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def about(self, what: str) -> AmlkitError:
        """Return the same error, which begins with what it is about."""
        self.message = f"{what}: {self.message}"
        self.args = (self.message,)
        return self


class UsageError(AmlkitError):
    """The command line asks for things that do not go together."""

    exit_code = 2


class NotFound(AmlkitError):
    """Nothing has that name."""

    exit_code = 3


class NotLoggedIn(AmlkitError):
    """No credential, or Azure refused it."""

    exit_code = 4


class JobFailed(AmlkitError):
    """A job that was waited for ended as Failed."""


class Canceled(AmlkitError):
    """A job that was waited for was canceled."""

    exit_code = 5


class Conflict(AmlkitError):
    """The name or version is taken by something with other content."""

    exit_code = 6


class NotSupported(AmlkitError):
    """This workspace cannot do what was asked."""


class WorkspaceUnusable(AmlkitError):
    """The workspace folder cannot be used as it is."""


class WaitTimedOut(AmlkitError):
    """The wait ended before the job did."""

    exit_code = 124


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one file.

    line, column: from 1; 0 where the file as a whole is meant.
    path: where in the document, as in `jobs.train.inputs.data`.
    code: stable name for scripts, as in `unknown-field`.
    severity: `error` or `warning`.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str | None = None
    code: str = "invalid"
    severity: str = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class InvalidSpec(AmlkitError):
    """A spec breaks the language; `problems` has every place where it does."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__("\n".join(str(each) for each in self.problems), hint=first.hint)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is closest to a mistyped one, or None when none is close."""
    from difflib import get_close_matches

    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return close[0] if close else None


_MACHINE = {
    errno.EACCES: "mend its permissions",
    errno.EPERM: "mend its permissions",
    errno.EROFS: "mount it writable, or choose another place",
    errno.ENOSPC: "free some space, then run it again",
    errno.EDQUOT: "free some space, or have the quota raised, then run it again",
    errno.EFBIG: "the file system or `ulimit -f` allows no files of that size",
    errno.EIO: "the disk has a fault: see the system's log",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "raise the limit of open files: ulimit -n",
    errno.ENFILE: "close other programs: the system has too many files open",
    errno.ELOOP: "remove the links that lead in a circle",
    errno.ESTALE: "mount its file system again",
    errno.EBUSY: "close what uses it",
    errno.EEXIST: "remove it, or choose another place",
    errno.ENOTDIR: "a folder is needed there",
    errno.EISDIR: "a file is needed there",
}


def of_machine(cause: OSError) -> AmlkitError | None:
    """Return the error for what the machine refuses; None where it may be a fault of amlkit."""
    if cause.errno in _MACHINE:
        # Of a copy, where it goes to.
        place = cause.filename2 or cause.filename
        where = f"`{os.fsdecode(place)}`: " if isinstance(place, str | bytes | os.PathLike) else ""
        return AmlkitError(f"{where}{cause.strerror}", hint=_MACHINE[cause.errno])
    failed = cause.args[0] if cause.args else None
    if isinstance(failed, list) and failed:
        # What `shutil.copytree` could not copy: from, to, why.
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return AmlkitError(f"`{failed[0][0]}` cannot be copied: {failed[0][2]}{more}")
    return None


def unreadable(path: Path, cause: OSError) -> AmlkitError:
    """Return the error for a file that cannot be read, in the reader's words."""
    if isinstance(cause, FileNotFoundError):
        return NotFound(f"`{path}` does not exist", hint="check the path; it is relative to here")
    if isinstance(cause, IsADirectoryError):
        return UsageError(f"`{path}` is a folder; a file is needed")
    return AmlkitError(f"`{path}` cannot be read: {cause.strerror or cause}")
