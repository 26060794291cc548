"""What uploads left that broke off: blocks of no blob, code of no asset."""

from __future__ import annotations

import shutil
from pathlib import Path

KEPT_SECONDS = 24 * 3600


def remove(area: Path, *, before: float) -> None:
    """Free what has not changed since a time (seconds since the epoch); the lock is held."""
    for place in (*area.glob("blocks/*"), *area.glob("uploads/mlcode-*")):
        if _changed_at(place) < before:
            shutil.rmtree(place, ignore_errors=True)


def _changed_at(folder: Path) -> float:
    return max(each.lstat().st_mtime for each in (folder, *folder.rglob("*")))
