"""Checking specs offline: what `amlkit validate` means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from amlkit.errors import InvalidSpec, Problem
from amlkit.records import JSON, Record


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
    """Return a verdict on every file; one bad file does not hide another.

    Raises: NotFound: a file does not exist.
    """
    from amlkit import specs

    verdicts = []
    for file in files:
        try:
            loaded = specs.load(file, overrides=overrides, lenient=lenient)
            verdicts.append(Verdict(str(file), loaded.kind, loaded.warnings))
        except InvalidSpec as error:
            verdicts.append(Verdict(str(file), None, error.problems))
    return verdicts
