"""The only writer: results on stdout; progress, notes and errors on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import TYPE_CHECKING

from amlkit.records import JSON, Record

if TYPE_CHECKING:
    from amlkit.errors import AmlkitError


class Format(StrEnum):
    """How a result is printed."""

    table = "table"
    json = "json"
    jsonl = "jsonl"
    yaml = "yaml"
    tsv = "tsv"
    csv = "csv"
    name = "name"
    none = "none"


class Output:
    """Where a command's result and story go.

    quiet: no notes and no progress. verbose: notes that only matter when something is odd.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False, color: bool | None = None):
        self.quiet = quiet
        self.verbose = verbose
        self._color = color

    # Results.

    def record(
        self, record: Record, output: Format | None = None, query: str | None = None
    ) -> None:
        """Print one record."""
        self._print(record.as_dict(), [record], output, query, single=True)

    def records(
        self,
        records: Iterable[Record],
        output: Format | None = None,
        query: str | None = None,
        *,
        empty: str = "nothing here yet",
    ) -> None:
        """Print a list of records; an empty list is a result, not a failure.

        empty: what it means that there are none, for a table.
        """
        rows = list(records)
        self._print([row.as_dict() for row in rows], rows, output, query, single=False, empty=empty)

    def rows(
        self,
        columns: Sequence[str],
        rows: Sequence[Mapping[str, JSON]],
        output: Format | None = None,
        query: str | None = None,
    ) -> None:
        """Print the rows of a table whose columns only its data knows."""
        chosen = output or (Format.table if is_terminal(sys.stdout) else Format.json)
        if chosen is Format.none:
            return
        from amlkit.output import formats

        if query is not None or chosen not in {Format.table, Format.tsv, Format.csv, Format.name}:
            plain: JSON = [dict(each) for each in rows]
            plain = plain if query is None else formats.query(plain, query)
            self._selected(plain, Format.tsv if chosen is Format.name else chosen)
        elif chosen is Format.table:
            from amlkit.output import table

            table.show_rows(columns, rows, color=self._color)
        else:
            lines = [[each.get(name) for name in columns] for each in rows]
            write_out(formats.lines(columns, lines, chosen))

    def text(self, text: str) -> None:
        """Print text that is a result by itself, such as a file."""
        write_out(text if text.endswith("\n") or not text else text + "\n")

    def bytes(self, chunk: bytes) -> None:
        """Pass bytes of a log through as they are."""
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()

    def _print(
        self,
        plain: JSON,
        rows: Sequence[Record],
        output: Format | None,
        query: str | None,
        *,
        single: bool,
        empty: str = "",
    ) -> None:
        chosen = output or (Format.table if is_terminal(sys.stdout) else Format.json)
        if chosen is Format.none:
            return
        from amlkit.output import formats

        if query is not None:
            plain = formats.query(plain, query)
            if chosen is Format.name:
                chosen = Format.tsv
            self._selected(plain, chosen)
        elif chosen is Format.name:
            write_out("".join(f"{row.reference}\n" for row in rows))
        elif chosen is Format.table:
            from amlkit.output import table

            table.show(rows, single=single, color=self._color, empty=empty)
        elif chosen in {Format.tsv, Format.csv}:
            write_out(formats.columns(rows, chosen))
        else:
            write_out(formats.plain(plain, chosen))

    def _selected(self, plain: JSON, chosen: Format) -> None:
        """Print what a query selected; as a table or CSV, the keys of objects are its columns."""
        from amlkit.output import formats

        if chosen is Format.table:
            from amlkit.output import table

            names, lines = formats.selected(plain)
            if lines:
                table.show_cells(names, lines, color=self._color)
        else:
            write_out(formats.plain(plain, chosen))

    # The story, on stderr.

    @property
    def interactive(self) -> bool:
        """Whether somebody is watching stderr: only then is there progress, or a live view."""
        return not self.quiet and is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"

    def note(self, text: str) -> None:
        """Say something on a terminal's stderr; silent in a pipe."""
        if self.interactive:
            self._story("note", text, "dim")

    def warning(self, text: str) -> None:
        """Say something that the user has to know, in pipes too."""
        if not self.quiet:
            self._story("warning", text, "yellow")

    def success(self, text: str) -> None:
        """Say on a terminal that something was done."""
        if self.interactive:
            sys.stderr.write(f"{text}\n")

    def error(self, error: AmlkitError) -> None:
        """Print an error and its hint."""
        self._story("error", error.message, "bold red")
        if error.hint:
            self._story("hint", error.hint, "cyan")

    def _story(self, label: str, text: str, style: str) -> None:
        sys.stderr.write(f"{paint(label + ':', style, sys.stderr, self._color)} {text}\n")
        sys.stderr.flush()

    def progress(
        self, title: str, *, total: int | None = None, late: bool = False
    ) -> AbstractContextManager[Callable[[int, int], None]]:
        """Show (files, bytes) moving while the block runs; silent unless somebody watches.

        late: show nothing before something moves.
        """
        from amlkit.output import progress

        if not self.interactive:
            return progress.silent()
        return progress.late(title) if late else progress.show(title, total=total)


_STYLES = {"bold red": "1;31", "yellow": "33", "cyan": "36", "dim": "2", "green": "32", "red": "31"}


def paint(text: str, style: str, stream: object, color: bool | None = None) -> str:
    """Return `text` in a style where the stream takes colour; the words alone elsewhere."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if use_color(stream, color) else text


def use_color(stream: object, color: bool | None = None) -> bool:
    """Whether to colour: `--no-color`, then NO_COLOR, FORCE_COLOR, TERM=dumb, then a terminal."""
    if color is not None:
        return color
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and is_terminal(stream)


def is_terminal(stream: object) -> bool:
    """Whether a person is at the other end of a stream."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())


def write_out(text: str) -> None:
    """Write a result to stdout, whatever the locale thinks of its characters."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except UnicodeEncodeError:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.flush()
