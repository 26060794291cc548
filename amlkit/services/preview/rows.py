"""Rows as they are read: a stream of mappings, and the columns known before the first one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from amlkit.light import dataclass
from amlkit.records import JSON

Row: TypeAlias = "Mapping[str, Any]"
_NUMBER = re.compile(r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$")
_DATE = re.compile(r"^\d{4}[-/]\d\d[-/]\d\d([T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?$")
_BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


@dataclass(frozen=True)
class Table:
    """Columns that are known already, and rows, which may have more."""

    columns: list[str]
    rows: Iterator[Row]


def number(text: str) -> float | int | None:
    """Return a text as the number it is, or None."""
    if _NUMBER.match(text):
        digits = text.strip()
        return int(digits) if digits.lstrip("+-").isdigit() else float(digits)
    return float(text) if text.strip().lower() in {"nan", "inf", "-inf"} else None


def boolean(text: str) -> bool | None:
    """Return a text as the boolean that `mltable` takes it for, or None."""
    return _BOOLEANS.get(text.strip().lower())


def word(text: str) -> bool | None:
    """Return `true` and `false` as booleans, and None for any other text."""
    return {"true": True, "false": False}.get(text.strip().lower())


def moment(text: str) -> datetime | None:
    """Return a text as the time it is, in UTC, or None."""
    if not _DATE.match(text):
        return None
    try:
        found = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def plain(value: Any) -> JSON:
    """Return a cell as JSON has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        text = value.replace(tzinfo=None).isoformat(sep=" ")
        return text.removesuffix(" 00:00:00")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return str(value)
