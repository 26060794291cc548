"""A TOML file with the places of its values, so that an error names `pyproject.toml:14:3`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from amlkit.errors import InvalidSpec, Problem, unreadable
from amlkit.light import dataclass


@dataclass(frozen=True)
class TomlFile:
    """A file that was read: where it is, its text, and its content."""

    path: Path
    text: str
    content: dict[str, Any]

    def table(self, *keys: str) -> dict[str, Any]:
        """Return a table by its path, empty when the file has none.

        Raises: InvalidSpec: something else than a table is there.
        """
        found: Any = self.content
        for at, key in enumerate(keys, start=1):
            found = found.get(key, {})
            if not isinstance(found, dict):
                raise self.problem(".".join(keys[:at]), "expected a table", needle=key)
        return dict(found)

    def problem(
        self, path: str, message: str, *, needle: str | None = None, hint: str | None = None
    ) -> InvalidSpec:
        """Return the error for one value. needle: text to look for, to say line and column."""
        line, column = self._position(path, needle)
        return InvalidSpec([Problem(str(self.path), line, column, path, message, hint=hint)])

    def _position(self, path: str, needle: str | None) -> tuple[int, int]:
        parts = path.split(".")
        start = 0
        for depth in range(len(parts), 0, -1):
            header = re.search(rf"^\s*\[\[?\s*{_header(parts[:depth])}\s*\]", self.text, re.M)
            if header:
                start = header.start()
                break
        for word in (needle, parts[-1]):
            found = self.text.find(word, start) if word else -1
            if found >= 0:
                before = self.text[:found]
                return before.count("\n") + 1, found - before.rfind("\n")
        return 0, 0


def read_toml(path: Path, *, without: re.Pattern[str] | None = None) -> TomlFile:
    """Read a file. without: lines that are not needed; nine tenths of a lock are file hashes.

    Raises: InvalidSpec: not TOML, with line and column. NotFound: no such file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as cause:
        raise unreadable(path, cause) from cause
    except UnicodeDecodeError as cause:
        raise InvalidSpec([Problem(str(path), 1, 1, "", "the file is not UTF-8 text")]) from cause
    try:
        return TomlFile(path, text, tomllib.loads(without.sub("", text) if without else text))
    except tomllib.TOMLDecodeError as cause:
        raise InvalidSpec([_decoding_problem(path, text, str(cause))]) from cause


def _header(parts: list[str]) -> str:
    return r"\s*\.\s*".join(rf"[\"']?{re.escape(part)}[\"']?" for part in parts)


def _decoding_problem(path: Path, text: str, message: str) -> Problem:
    place = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    what = message[: place.start()] if place else message.removesuffix(" (at end of document)")
    if place:
        line, column = int(place[1]), int(place[2])
    else:
        lines = text.splitlines() or [""]
        line, column = len(lines), len(lines[-1]) + 1
    what = what[:1].lower() + what[1:]
    hint = "correct the TOML at that place"
    return Problem(str(path), line, column, "", what, hint=hint, code="toml")
