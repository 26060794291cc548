"""Checking specs offline: what `amlkit validate` means."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from amlkit.errors import AmlkitError, InvalidSpec, NotFound, Problem
from amlkit.light import dataclass
from amlkit.records import JSON, Record

MISSING = "missing-file"
"""The code of the problem that a file is not there."""


@dataclass(frozen=True)
class Verdict(Record):
    """One file. kind: what it is, as `job.sweep`; None when that could not be told."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("file", "kind", "valid")

    file: str
    kind: str | None
    problems: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether there is no error; warnings do not count."""
        return not any(each.severity == "error" for each in self.problems)

    @property
    def reference(self) -> str:
        """The file's path."""
        return self.file

    def as_dict(self) -> dict[str, JSON]:
        """Return the verdict with every problem, its code and its position."""
        return {
            "file": self.file,
            "kind": self.kind,
            "valid": self.valid,
            "problems": [
                {
                    "file": each.file,
                    "line": each.line,
                    "column": each.column,
                    "path": each.path,
                    "severity": each.severity,
                    "code": each.code,
                    "message": each.message,
                    "hint": each.hint,
                }
                for each in self.problems
            ],
        }


def validate(
    files: Sequence[str | Path], *, overrides: Sequence[str] = (), lenient: bool = False
) -> list[Verdict]:
    """Return a verdict on every file; one that is bad or missing does not hide another."""
    return [_verdict(str(file), overrides, lenient) for file in files]


def _verdict(file: str, overrides: Sequence[str], lenient: bool) -> Verdict:
    from amlkit import specs

    text = sys.stdin.read() if file == "-" else None
    try:
        loaded = specs.load(file, overrides=overrides, lenient=lenient, text=text)
    except InvalidSpec as error:
        return Verdict(file, _kind(file, text), error.problems)
    except NotFound as error:
        return Verdict(file, None, (_whole(file, error, MISSING),))
    except AmlkitError as error:
        return Verdict(file, None, (_whole(file, error, "unreadable"),))
    return Verdict(file, loaded.kind, loaded.warnings)


def _whole(file: str, error: AmlkitError, code: str) -> Problem:
    return Problem(file, 0, 0, "", error.message, error.hint, code)


def _kind(file: str, text: str | None) -> str | None:
    """Return what an invalid file means to be, where that can be told."""
    from amlkit.specs import kinds, source

    try:
        text = Path(file).read_text(encoding="utf-8-sig") if text is None else text
        return kinds.family_of(source.parse(text, file).data)
    except (OSError, UnicodeDecodeError, InvalidSpec):
        return None
