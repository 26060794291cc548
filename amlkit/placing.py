"""Write beside the place, then appear in it in one step.

What is not whole has a hidden name that ends in `PART`: no listing, asset or upload has such files.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from amlkit.errors import AmlkitError, Conflict

PART = ".amlkit-part"
"""How the names of files and folders end that are not whole."""
_MOVING = "moving"
ABANDONED_SECONDS = 3600.0
"""What is not locked and was not written to for so long belongs to a writer that was killed."""


def is_part(name: str) -> bool:
    """Whether a file or folder of this name is not whole."""
    return name.startswith(".") and name.endswith(PART)


def parts_of(_folder: str, names: Iterable[str]) -> set[str]:
    """Return the names of what is not whole, for `shutil.copytree` to leave out."""
    return {name for name in names if is_part(name)}


def part_name(mark: str) -> str:
    """Return the hidden name of what is not whole. mark: tells it from others in its folder."""
    return f".{sha256(mark.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}{PART}"


def is_free(target: Path) -> bool:
    """Whether nothing is at a place but an empty folder.

    What a killed process left in it is removed, and what another is writing there is nothing yet.
    """
    if not os.path.lexists(target):
        return True
    if not target.is_dir():
        return False
    _remove_abandoned(target)
    return all(is_part(each.name) for each in target.iterdir())


@contextmanager
def placed(target: Path) -> Iterator[Path]:
    """Lend a path to write to; what is there in the end appears at `target` as a whole.

    What a killed process left beside or inside `target` is removed.
    Raises: Conflict: something is at `target`. AmlkitError: the folder cannot be written.
    """
    if not is_free(target):
        raise _taken(target)
    there = target.is_dir()
    with scratch(target if there else target.parent) as folder:
        made = folder / "made"
        yield made
        if not is_free(target) or (there and not made.is_dir()):
            raise _taken(target)
        if there:
            # It may be a mount, or the folder one is in: what comes moves in, piece by piece.
            _move_in(folder, made, target)
        else:
            mode = made.stat().st_mode
            # A read-only folder cannot be moved.
            made.chmod(mode | 0o200)
            try:
                made.rename(target)
            except OSError:
                # Another command was there first.
                if not is_free(target):
                    raise _taken(target) from None
                raise
            target.chmod(mode)


def merge(made: Path, target: Path) -> None:
    """Move the files below `made` into `target`, each in one step, over those of the same names."""
    for inside, _, files in os.walk(made):
        Path(inside).chmod(0o700)
        here = target / Path(inside).relative_to(made)
        here.mkdir(parents=True, exist_ok=True)
        for name in files:
            Path(inside, name).replace(here / name)


@contextmanager
def alone(part: Path, taken: str | None = None) -> Iterator[None]:
    """Make a file that is not whole, where it is not there, and have it to oneself.

    taken: the message where another process has it; without one, it is waited for.
    Raises: AmlkitError.
    """
    if sys.platform == "win32":
        part.touch()
        yield
        return
    import fcntl

    while True:
        held = os.open(part, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | (fcntl.LOCK_NB if taken else 0))
        except BlockingIOError:
            os.close(held)
            raise AmlkitError(str(taken), hint="wait for it, and run it again") from None
        except OSError:
            # A file system without locks.
            break
        # Who had it may just have given it its name.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(held), part.stat()):
                break
        os.close(held)
    try:
        yield
    finally:
        os.close(held)


def tidy(folder: Path, *, dry_run: bool = False) -> int:
    """Remove files in a folder that a killed process left; return how many bytes that was."""
    size = 0
    with suppress(OSError), os.scandir(folder) as found:
        for each in found:
            with suppress(OSError):
                facts = each.stat(follow_symlinks=False)
                old = facts.st_mtime < time.time() - ABANDONED_SECONDS
                if is_part(each.name) and old and each.is_file(follow_symlinks=False):
                    if not dry_run:
                        Path(each.path).unlink()
                    size += facts.st_size
    return size


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Lend a hidden folder inside `folder`; what killed processes left there is removed.

    Raises: AmlkitError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        made, held = _made_and_held(folder)
    except OSError as cause:
        raise AmlkitError(
            f"`{folder}` cannot be written: {cause.strerror}", hint="choose another place"
        ) from None
    try:
        yield made
    finally:
        _remove(made)
        if held is not None:
            os.close(held)


def _taken(target: Path) -> Conflict:
    return Conflict(f"`{target}` exists already", hint="remove it or choose another place")


def _move_in(folder: Path, made: Path, target: Path) -> None:
    names = sorted(os.listdir(made))  # noqa: PTH208
    note = folder / _MOVING
    note.write_text(json.dumps(names), encoding="ascii")
    for name in names:
        (made / name).rename(target / name)
    note.unlink()


def _remove_abandoned(folder: Path) -> None:
    with os.scandir(folder) as found:
        parts = [Path(each.path) for each in found if is_part(each.name)]
    for part in parts:
        if not part.is_dir() or part.is_symlink():
            continue
        held = _hold(part, wait=False)
        if held is None and not _is_old(part):
            continue
        # A note that is not whole is one of a move that had not begun.
        with suppress(OSError, ValueError):
            _take_back(part, folder)
        _remove(part)
        if held is not None:
            os.close(held)


def _take_back(part: Path, folder: Path) -> None:
    """Undo a move that a killed process did not end: half of it must not be taken for all."""
    if not (note := part / _MOVING).exists():
        return
    for name in json.loads(note.read_text(encoding="ascii")):
        if not os.path.lexists(part / "made" / name):
            (folder / name).rename(part / "made" / name)


def _remove(part: Path) -> None:
    for inside, _, _ in os.walk(part):
        with suppress(OSError):
            Path(inside).chmod(0o700)
    shutil.rmtree(part, ignore_errors=True)


def _made_and_held(folder: Path) -> tuple[Path, int | None]:
    """Make a hidden folder and lock it, so that nobody takes it for abandoned."""
    while True:
        made = Path(tempfile.mkdtemp(dir=folder, prefix=".", suffix=PART))
        held = _hold(made, wait=True)
        # Somebody may have removed it before it was locked.
        if held is None or (made.exists() and os.fstat(held).st_ino == made.stat().st_ino):
            return made, held
        os.close(held)


def _hold(folder: Path, *, wait: bool) -> int | None:
    """Lock a folder, as long as this process lives; None: somebody has it, or it cannot be."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _is_old(part: Path) -> bool:
    """Whether nobody writes to a folder that cannot be locked."""
    if os.name != "nt":
        return False
    times = [each.stat().st_mtime for each in (part, *part.rglob("*"))]
    return max(times) < time.time() - ABANDONED_SECONDS
