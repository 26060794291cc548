"""Lock files: which one counts, whether it is fresh, and the packages it pins for the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from amlkit.errors import InvalidSpec, Problem
from amlkit.light import dataclass
from amlkit.services.from_poetry.markers import Target
from amlkit.services.from_poetry.project import Project
from amlkit.services.from_poetry.records import Direct
from amlkit.services.from_poetry.selection import Chosen


@dataclass(frozen=True)
class Locked:
    """One package as a lock pins it. index: URL of its index, None for PyPI.

    asked_by: the packages that need it. hashes: `sha256:...` of each file.
    """

    name: str
    version: str
    direct: Direct | None = None
    index: str | None = None
    hashes: tuple[str, ...] = ()
    asked_by: str = ""


@dataclass(frozen=True)
class Drift:
    """One way in which a lock is behind its project. subject: the dependency."""

    subject: str
    reason: str


class Lock(Protocol):
    """A lock file that was read."""

    @property
    def path(self) -> Path:
        """Where the file is."""

    def drift(self) -> tuple[Drift, ...]:
        """Return how the lock is behind the project; nothing when it is fresh."""

    def closure(self, chosen: Sequence[Chosen], target: Target) -> tuple[Locked, ...]:
        """Return every package that the target installs, sorted by name.

        Raises: InvalidSpec: the lock lacks a package that it needs.
        """


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what a damaged lock raises into an error about the file: locks are written by tools.

    Raises: InvalidSpec: a value that every lock of its kind has is missing or of another type.
    """
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as cause:
        problem = Problem(
            str(path),
            0,
            0,
            "",
            f"cannot be read as a lock ({type(cause).__name__}: {cause})",
            hint=f"run `{path.stem} lock`, or use `--ranges`",
            code="broken-lock",
        )
        raise InvalidSpec([problem]) from cause


def find_locks(project: Project, *, hashes: bool) -> tuple[Lock, ...]:
    """Return the lock files of a project, the one of its own tool first. hashes: of files too."""
    from amlkit.services.from_poetry import poetry_lock, uv_lock

    poetry, uv = poetry_lock.find(project, hashes=hashes), uv_lock.find(project, hashes=hashes)
    found: list[Lock | None] = [poetry, uv] if project.uses_poetry else [uv, poetry]
    return tuple(lock for lock in found if lock is not None)
