"""The conda file of a project, written where it belongs: the rest of `env from-poetry`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from amlkit.errors import AmlkitError
from amlkit.light import dataclass
from amlkit.records import Record
from amlkit.services.from_poetry import CondaFile, convert, difference

__all__ = ["RequirementRow", "convert", "difference", "place_of", "rows", "write"]


@dataclass(frozen=True)
class RequirementRow(Record):
    """One line of a conda file, and why it is there."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("requirement", "source", "channel", "reason")

    requirement: str
    source: str
    channel: str
    reason: str

    @property
    def reference(self) -> str:
        """The requirement itself."""
        return self.requirement


def rows(file: CondaFile) -> Sequence[RequirementRow]:
    """Return the lines of a conda file with their reasons."""
    return [
        RequirementRow(each.requirement, each.source, each.channel, each.reason)
        for each in file.lines
    ]


def place_of(pyproject: Path, target: Path | None) -> Path:
    """Return the file to write: the one asked for, else `environment.yml` beside the project."""
    if target is not None:
        return target
    return (pyproject if pyproject.is_dir() else pyproject.parent) / "environment.yml"


def write(file: CondaFile, pyproject: Path, target: Path | None) -> Path:
    """Write a conda file in one step; the default place is beside the project's own file.

    Raises: AmlkitError: it cannot be written.
    """
    place = place_of(pyproject, target)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=place.parent, prefix=f".{place.name}-", delete=False, encoding="utf-8"
        ) as handle:
            handle.write(file.text)
        partial = Path(handle.name)
        partial.chmod(0o644)
        partial.replace(place)
    except OSError as cause:
        raise AmlkitError(f"`{place}` cannot be written: {cause.strerror}") from None
    return place
