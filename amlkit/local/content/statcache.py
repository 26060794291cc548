"""Remember the hash of a file by its size and times, so that what did not change is not read."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

# A file that changed this shortly before it was read may change again within one clock tick.
RACY_NS = 50_000_000


class StatCache:
    """The hashes of one folder's files. Losing it costs time, never correctness."""

    def __init__(self, folder: Path, root: Path) -> None:
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
        """Return the hash of the file if it is as it was."""
        known = self._known.get(path)
        if known is None or known[:4] != _key(stat):
            return None
        self._kept[path] = known
        return str(known[4])

    def put(self, path: str, stat: os.stat_result, digest: str) -> None:
        """Note a hash; not for a file that has only just changed."""
        if max(stat.st_mtime_ns, stat.st_ctime_ns) < self._trusted_before:
            self._kept[path] = [*_key(stat), digest]
            self._changed = True

    def save(self, tmp: Path) -> None:
        """Write the cache down, in one step."""
        if not self._changed and len(self._kept) == len(self._known):
            return
        try:
            scratch = tmp / self._file.name
            scratch.write_text(json.dumps(self._kept, separators=(",", ":")), encoding="ascii")
            scratch.replace(self._file)
        except OSError:
            return


def remove_unused(folder: Path) -> None:
    """Remove the caches of folders that are gone."""
    for file in folder.glob("*.json"):
        try:
            known = json.loads(file.read_bytes())
        except (OSError, ValueError):
            known = {}
        if not any(os.path.lexists(path) for path in known):
            file.unlink(missing_ok=True)


def _key(stat: os.stat_result) -> list[object]:
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
