"""The problems of a spec as people read them: one line each, and the place in the file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from amlkit.errors import Problem
from amlkit.output import is_terminal, paint

EXCERPT_WIDTH = 160
"""Columns of a source line that an excerpt shows at most."""


def show(problems: Sequence[Problem]) -> None:
    """Write problems to stderr; on a terminal with the line of the file and a mark below it."""
    excerpts = is_terminal(sys.stderr)
    lines: dict[str, list[str]] = {}
    for each in problems:
        style = "bold red" if each.severity == "error" else "yellow"
        sys.stderr.write(f"{paint(each.severity + ':', style, sys.stderr)} {each}\n")
        if excerpts and each.line:
            if each.file not in lines:
                lines[each.file] = _read(each.file)
            for line in excerpt(lines[each.file], each, style):
                sys.stderr.write(line + "\n")
        if each.hint:
            sys.stderr.write(f"{paint('hint:', 'cyan', sys.stderr)} {each.hint}\n")


def excerpt(lines: Sequence[str], problem: Problem, style: str = "bold red") -> Iterable[str]:
    """Return a problem's line of the file, numbered, and a mark below its column."""
    if not 0 < problem.line <= len(lines):
        return []
    text = lines[problem.line - 1].expandtabs(1)[:EXCERPT_WIDTH]
    number = str(problem.line)
    mark = " " * min(problem.column - 1, EXCERPT_WIDTH) + "^"
    bar = paint("|", "dim", sys.stderr)
    return [
        f" {number} {bar} {text}",
        f" {' ' * len(number)} {bar} {paint(mark, style, sys.stderr)}",
    ]


def _read(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        # Standard input, or gone by now: the position alone has to do.
        return []
