"""Tables for people: a header, `3 minutes ago`, cut columns, status in colour and in words."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from amlkit.output import is_terminal, use_color, write_out
from amlkit.output.formats import dump, value
from amlkit.output.layout import GAP, WHOLE, widths
from amlkit.records import Record

_STATUS = {"Completed": "green", "Failed": "red", "Canceled": "yellow", "Running": "cyan"}


def console(color: bool | None = None, *, stderr: bool = False) -> Console:
    """Return the Rich console that follows amlkit's rules on colour."""
    stream = sys.stderr if stderr else sys.stdout
    colored = use_color(stream, color)
    width = int(os.environ["COLUMNS"]) if os.environ.get("COLUMNS", "").isdigit() else None
    return Console(
        stderr=stderr, no_color=not colored, highlight=False, soft_wrap=False, width=width
    )


NOTHING = "nothing here yet"
CUT = frozenset({"type", "display_name", "experiment_name"})
"""Columns that are cut where they are too wide; the others go on in the next line."""


def show(rows: Sequence[Record], *, single: bool, color: bool | None, empty: str = NOTHING) -> None:
    """Print records as a table, or one record as a list of its fields; `empty` for none."""
    target = console(color)
    if single:
        _print(target, _fields(rows[0]))
    elif not rows:
        _print(target, Text(empty, style="dim"))
    else:
        names = rows[0].COLUMNS
        show_cells(names, [[value(row, name) for name in names] for row in rows], color=color)


def show_cells(names: Sequence[str], rows: Sequence[Sequence[Any]], *, color: bool | None) -> None:
    """Print values below a header: in a pipe one line a row, on a terminal as wide as that is."""
    target = console(color)
    lines = [
        [_one_line(cell(name, each)) for name, each in zip(names, row, strict=True)] for row in rows
    ]
    heads = [name.replace("_", " ").upper() for name in names]
    needed = [
        max(len(head), *(line[index].cell_len for line in lines))
        for index, head in enumerate(heads)
    ]
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    fitting = widths(names, needed, target.width) if is_terminal(sys.stdout) else needed
    for name, head, width in zip(names, heads, fitting, strict=True):
        cut = name in CUT or name in WHOLE
        table.add_column(
            Text(head), width=width, no_wrap=cut, overflow="ellipsis" if cut else "fold"
        )
    for line in lines:
        table.add_row(*line)
    _print(target, table, width=sum(fitting) + GAP * len(fitting))


def _one_line(text: Text) -> Text:
    return Text(" ").join(text.split("\n")) if "\n" in text.plain else text


def _print(target: Console, shown: Table | Text, width: int = 0) -> None:
    """Print at least `width` wide; in a pipe as wide as it is, without blanks at the end."""
    if is_terminal(sys.stdout):
        target.width = max(target.width, width)
        target.print(shown)
        return
    target.width = max(
        width, target.measure(shown, options=target.options.update(width=WIDEST)).maximum, 1
    )
    with target.capture() as captured:
        target.print(shown)
    write_out(
        "".join(f"{line.rstrip()}\n" for line in captured.get().removesuffix("\n").split("\n"))
    )


WIDEST = 10**6


def grid(rows: Sequence[Record]) -> Table | Text:
    """Return one row a record, each in one line: the last column gives way."""
    if not rows:
        return Text(NOTHING, style="dim")
    names = rows[0].COLUMNS
    lines = [[cell(name, value(row, name)) for name in names] for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(names):
        needed = max([len(name), *(line[index].cell_len for line in lines)])
        table.add_column(
            name.replace("_", " ").upper(),
            no_wrap=True,
            overflow="ellipsis",
            min_width=needed if index < len(names) - 1 else None,
        )
    for line in lines:
        table.add_row(*line)
    return table


COLUMNS_SHOWN = 12


def show_rows(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, color: bool | None
) -> None:
    """Print the rows of a data table, each in one line; of many columns, the first ones."""
    target = console(color)
    if not columns:
        _print(target, Text("no rows", style="dim"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns[:COLUMNS_SHOWN]:
        table.add_column(Text(name), no_wrap=True, overflow="ellipsis", max_width=40)
    for row in rows:
        table.add_row(*(_data_cell(row.get(name)) for name in columns[:COLUMNS_SHOWN]))
    _print(target, table)
    if len(columns) > COLUMNS_SHOWN:
        left = len(columns) - COLUMNS_SHOWN
        _print(target, Text(f"and {left} more columns: -o json or -o csv has all", style="dim"))


def _data_cell(each: Any) -> Text:
    if isinstance(each, float) and each.is_integer() and abs(each) < 1e15:
        return Text(str(int(each)))
    text = str(each) if isinstance(each, bool) else cell("", each).plain
    return Text(" ".join(text.split("\n")))


def leaderboard(rows: Sequence[Any], most: int) -> Group:
    """Return a sweep's trials as they stand: how many of each status, and the first `most`."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.status] = counts.get(row.status, 0) + 1
    line = Text(f"{len(rows)} trials")
    for status, count in counts.items():
        line.append("  ").append(f"{count} {status}", style=_STATUS.get(status, ""))
    # One line a trial: a table that grows past the screen cannot be drawn again in place.
    table = grid(rows[:most])
    return Group(line, table)


def _fields(record: Record) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, each in record.as_fields().items():
        if name == "jobs" and isinstance(each, Mapping):
            table.add_row(name, steps(each))
        elif name == "changes" and isinstance(each, Sequence):
            table.add_row(name, Text("\n".join(_change(one) for one in each)))
        elif each not in (None, {}, [], "", ()):
            table.add_row(name, cell(name, each))
    return table


def _change(change: Any) -> str:
    if "file" in change:
        return f"{change['what']}: {change['file']} {change['how']}"
    return f"{change['what']}: {_short(change['after'])} (before: {_short(change['before'])})"


def steps(jobs: Mapping[str, Any]) -> Text:
    """Return a pipeline's steps as a tree: where each stands, how long it took, what it reused."""
    lines: list[Text] = []
    _branch(jobs, "", lines)
    return Text("\n").join(lines)


def _branch(jobs: Mapping[str, Any], indent: str, lines: list[Text]) -> None:
    for number, (name, job) in enumerate(jobs.items(), start=1):
        last = number == len(jobs)
        status = str(job["status"])
        line = Text(f"{indent}{'└─' if last else '├─'} {name}  ")
        line.append(status, style=_STATUS.get(status, ""))
        if job.get("reused_from"):
            line.append(f" (reused from {job['reused_from']})", style="dim")
        elif job.get("duration_seconds") is not None:
            line.append(f" {duration(job['duration_seconds'])}", style="dim")
        if job.get("error"):
            line.append(f"  {job['error']}")
        lines.append(line)
        _branch(job.get("jobs") or {}, indent + ("   " if last else "│  "), lines)


def cell(name: str, each: Any) -> Text:
    """Return one value as a person would write it."""
    if each is None or each == "":
        return Text("")
    if name == "status":
        return Text(str(each), style=_STATUS.get(str(each), ""))
    if name in {"created", "modified_at", "created_at"}:
        return Text(ago(str(each)))
    if name == "duration" and isinstance(each, int | float):
        return Text(duration(float(each)))
    if name in {"size", "size_before", "size_after", "memory"} and isinstance(each, int):
        return Text(size(each))
    if isinstance(each, bool):
        return Text("yes" if each else "no")
    if isinstance(each, float):
        return Text(f"{each:.6g}")
    if name in {"parameters", "metrics", "labels"} and isinstance(each, Mapping):
        return Text("  ".join(f"{key}={_short(one)}" for key, one in each.items()))
    if name == "users" and isinstance(each, list | tuple):
        return Text(", ".join(map(str, each)))
    if isinstance(each, Mapping | list | tuple):
        return Text(dump(each, indent=None))
    return Text(str(each))


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def ago(moment: str) -> str:
    """Return how long ago an RFC 3339 time was: `3 minutes ago`."""
    try:
        seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    except (ValueError, TypeError):
        return moment
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now" if seconds < 5 else f"{int(seconds)} seconds ago"


def duration(seconds: float) -> str:
    """Return seconds as people read them: `0.4 s`, `2 min 5 s`, `1 h 2 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


def size(count: int) -> str:
    """Return bytes as people read them, in binary units."""
    scaled = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if scaled < 1024:
            return f"{scaled:.0f} {unit}" if unit == "B" else f"{scaled:.1f} {unit}"
        scaled /= 1024
    return f"{scaled:.1f} TiB"
