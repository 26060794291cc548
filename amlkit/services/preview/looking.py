"""What a preview of a file or a folder is: a table's first rows, a sheet of pictures, or files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import ClassVar

from amlkit.errors import NotFound, UsageError
from amlkit.light import dataclass, field
from amlkit.records import JSON, Record
from amlkit.services.preview import pictures, reading, transforming
from amlkit.services.preview.rows import Table, plain

Fetch = Callable[[str, str], Path]
"""Brings what is at a URI here; called with it and `uri_file` or `uri_folder`."""


@dataclass(frozen=True)
class Rows:
    """The first rows of a table. more: whether there are others after them."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, JSON], ...]
    more: bool


@dataclass(frozen=True)
class Pictures(Record):
    """A folder of pictures. labels: how many are in each folder; file: the sheet, if any.

    unreadable: pictures on the sheet that are damaged, shown as an empty frame.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = ("pictures", "labels", "file")

    pictures: int
    labels: Mapping[str, int] = field(default_factory=dict)
    file: str | None = None
    unreadable: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """The sheet."""
        return self.file or ""


def preview(
    place: Path, kind: str | None, fetch: Fetch, *, take: int, sheet: Path | None, per_label: int
) -> Rows | Pictures:
    """Look into a file or a folder.

    kind: `mltable` where the folder's MLTable file says how to read it.
    take: rows at most. sheet: where to write a picture of pictures, of `per_label` each.
    Raises: NotFound. UsageError: no table and no picture. AmlkitError: it cannot be read.
    """
    if not place.exists():
        raise NotFound(f"`{place}` does not exist", hint="check the path; it is relative to here")
    if kind == "mltable" or (place.is_dir() and (place / transforming.FILE).is_file()):
        return first(transforming.table(place, fetch), take)
    if place.is_file():
        if pictures.is_picture(place):
            return _sheet({place.parent.name: [place]}, sheet, per_label)
        return first(reading.of_files([place]), take)
    return _folder(place, take, sheet, per_label)


def _folder(place: Path, take: int, sheet: Path | None, per_label: int) -> Rows | Pictures:
    files = sorted(path for path in place.rglob("*") if path.is_file())
    if not files:
        raise NotFound(f"`{place}` has no files")
    kind, chosen = sort_out(files)
    if kind == "pictures":
        return _sheet(by_label(place, chosen), sheet, per_label)
    if kind == "tables":
        return first(reading.of_files(chosen), take)
    listed = (
        {"path": path.relative_to(place).as_posix(), "size": path.stat().st_size} for path in files
    )
    return first(Table(["path", "size"], listed), take)


def sort_out(files: Sequence[Path]) -> tuple[str, list[Path]]:
    """Return what files are by their names, and which of them: `pictures`, `tables`, `files`.

    Tables are those of the most common kind.
    """
    shown = [path for path in files if pictures.is_picture(path)]
    if len(shown) * 2 >= len(files):
        return "pictures", shown
    kinds = Counter(kind for path in files if (kind := reading.kind_of(path)) is not None)
    if not kinds:
        return "files", list(files)
    most = kinds.most_common(1)[0][0]
    return "tables", [path for path in files if reading.kind_of(path) == most]


def by_label(place: Path, shown: Sequence[Path]) -> dict[str, list[Path]]:
    """Return pictures by the folder below `place` that they are in."""
    found: dict[str, list[Path]] = {}
    for path in shown:
        found.setdefault(path.parent.relative_to(place).as_posix(), []).append(path)
    return found


def _sheet(groups: Mapping[str, Sequence[Path]], sheet: Path | None, per_label: int) -> Pictures:
    counts = {label: len(paths) for label, paths in groups.items()}
    total = sum(counts.values())
    if sheet is None:
        return Pictures(total, counts)
    if sheet.suffix.lower() != ".png":
        raise UsageError(f"`{sheet}` is no PNG file", hint="--file sheet.png")
    unreadable = pictures.draw(groups, sheet, per_label)
    return Pictures(total, counts, str(sheet), tuple(str(each) for each in unreadable))


def first(table: Table, take: int) -> Rows:
    """Return the first rows of a table."""
    found = list(islice(table.rows, take + 1))
    rows = found[:take]
    columns = list(table.columns)
    columns += dict.fromkeys(key for row in rows for key in row if key not in columns)
    shown = tuple({name: plain(row.get(name)) for name in columns} for row in rows)
    return Rows(tuple(columns), shown, len(found) > take)
