"""Remember what is known of a file by its size and times: what did not change is not read."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

# A file that changed this shortly before it was read may change again within one clock tick.
RACY_NS = 50_000_000
_SCRATCH = ".new"
_ABANDONED_SECONDS = 3600.0


class StatCache:
    """What is known of one folder's files, such as their hashes, each as a short text.

    Losing it costs time, never correctness. Files that were not asked for are forgotten on `save`.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._file = folder / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:32]}.json"
        self._known: dict[str, list[object]] = {}
        self._kept: dict[str, list[object]] = {}
        self._trusted_before = time.time_ns() - RACY_NS
        self._changed = False
        try:
            loaded = json.loads(self._file.read_bytes())
            self._known = loaded if isinstance(loaded, dict) else {}
        except (OSError, ValueError):
            self._changed = True

    def get(self, path: str, stat: os.stat_result) -> str | None:
        """Return what was noted of the file, if it is as it was."""
        known = self._known.get(path)
        if known is None or known[:4] != _key(stat):
            return None
        self._kept[path] = known
        return str(known[4])

    def put(self, path: str, stat: os.stat_result, known: str) -> None:
        """Note something; not of a file that has only just changed."""
        if max(stat.st_mtime_ns, stat.st_ctime_ns) < self._trusted_before:
            self._kept[path] = [*_key(stat), known]
            self._changed = True

    def save(self) -> None:
        """Write the cache down, in one step."""
        if not self._changed and len(self._kept) == len(self._known):
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, scratch = tempfile.mkstemp(dir=self._folder, suffix=_SCRATCH)
            with open(descriptor, "w", encoding="ascii") as target:  # noqa: PTH123
                target.write(json.dumps(self._kept, separators=(",", ":")))
            Path(scratch).replace(self._file)
        except OSError:
            return


def remove_unused(folder: Path) -> None:
    """Remove the caches of folders that are gone, and what killed processes left."""
    for left in folder.glob(f"*{_SCRATCH}"):
        # Caches are written without the store's lock: this one may be in its place by now.
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                left.unlink()
    for file in folder.glob("*.json"):
        try:
            known = json.loads(file.read_bytes())
        except (OSError, ValueError):
            known = {}
        if not any(os.path.lexists(path) for path in known):
            file.unlink(missing_ok=True)


def _key(stat: os.stat_result) -> list[object]:
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
