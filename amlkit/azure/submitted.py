"""Which files the jobs were submitted with from here: a note of each code folder's last one.

Azure ML keeps the code itself, but not where it came from; and who may submit may often not read
the container that it is in. So it is noted here, on this machine, names and hashes only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from amlkit.azure.uploads import listed
from amlkit.config import home
from amlkit.errors import NotFound
from amlkit.file_records import AssetFile, CodeSince
from amlkit.snapshots.files import of_code

NOTES = "submitted"
"""The folder below `AMLKIT_HOME`."""


def note(workspace_id: str, sent: Mapping[Path, Sequence[AssetFile]], job: str) -> None:
    """Note the files that each code folder of a job was sent with."""
    for folder, files in sent.items():
        rows = [[each.path, each.size, each.digest] for each in files]
        body = {"workspace": workspace_id, "code": str(folder), "job": job, "files": rows}
        place = _place(workspace_id, folder)
        # The job is submitted; a note that cannot be written changes nothing of that.
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            new = place.with_suffix(f".{os.getpid()}.new")
            new.write_text(json.dumps(body), encoding="utf-8")
            new.replace(place)


def since(workspace_id: str, folder: Path, includes: Sequence[Path]) -> CodeSince:
    """Return the files of a code folder as the last job from here had them, and as they are.

    Raises: NotFound: no job was submitted from it.
    """
    try:
        body: dict[str, Any] = json.loads(_place(workspace_id, folder.resolve()).read_bytes())
    except (OSError, ValueError):
        raise NotFound(
            f"no job was submitted from `{folder}` on this machine yet",
            hint=f"see what would be uploaded: amlkit job snapshot ls {folder}",
        ) from None
    before = [AssetFile(path, size, digest) for path, size, digest in body["files"]]
    now = {name: path for name, path, _ in of_code(folder, includes, follow=True)}
    return CodeSince(str(body["job"]), before, listed(now))


def _place(workspace_id: str, folder: Path) -> Path:
    key = hashlib.sha256(os.fsencode(f"{workspace_id.lower()}\n{folder}")).hexdigest()
    return home() / NOTES / f"{key[:32]}.json"
