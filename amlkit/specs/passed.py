"""Specs that have passed all checks before: the same text is not checked again.

Importing pydantic and building its models takes longer than everything else that submitting a
job does. A note of each text that passed, with a hash of every file that was read for it, lets an
unchanged spec go through with YAML alone. Whether the folders that it names are still there is
found out by whoever uses them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlkit.config import home
from amlkit.specs import Loaded, source

KEPT = 500
"""Notes that are kept; the oldest go."""


def load(path: Path, *, kind: str | None, overrides: Sequence[str], lenient: bool) -> Loaded:
    """Return the spec of a file, checked now or before. Raises: InvalidSpec, NotFound."""
    text = _read(path)
    if text is None:
        return _checked(path, kind, overrides, lenient)[0]
    asked = [_version(), str(path.absolute()), kind, list(overrides), lenient, text]
    note = _folder() / hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    if (found := _note(note)) is not None:
        return _trusted(path, text, overrides, found, lenient=lenient)
    loaded, files = _checked(path, kind, overrides, lenient)
    if not loaded.warnings:
        values = loaded.values if loaded.kind == "job.sweep" else None
        _write(note, {"kind": loaded.kind, "files": files, "values": values})
    return loaded


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None


def _checked(
    path: Path, kind: str | None, overrides: Sequence[str], lenient: bool
) -> tuple[Loaded, dict[str, str]]:
    from amlkit.specs import loading

    token = loading.READ.set({})
    try:
        loaded = loading.load(
            path, kind=kind, overrides=overrides, lenient=lenient, text=None, result=Loaded
        )
        files = {str(each): _hash(text) for each, text in (loading.READ.get() or {}).items()}
    finally:
        loading.READ.reset(token)
    return loaded, files


def _trusted(
    path: Path, text: str, overrides: Sequence[str], note: dict[str, Any], *, lenient: bool
) -> Loaded:
    kind = str(note["kind"])
    parsed = source.parse(text, str(path))
    if overrides:
        source.override(parsed, overrides)
    base = path.absolute().parent

    def recheck() -> Loaded:
        return _checked(path, kind, overrides, lenient)[0]

    return Loaded(kind, None, parsed.data, path, base, (), parsed.at, recheck, note.get("values"))


def _note(note: Path) -> dict[str, Any] | None:
    """Return the note of a spec that has passed, if every file it needed is as it was."""
    try:
        found: dict[str, Any] = json.loads(note.read_bytes())
    except (OSError, ValueError):
        return None
    for file, was in found["files"].items():
        text = _read(Path(file))
        if text is None or _hash(text) != was:
            return None
    return found


def _write(note: Path, content: dict[str, Any]) -> None:
    """Keep a note; without a place for it, the next check is done in full."""
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        scratch = note.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(content), encoding="utf-8")
        scratch.replace(note)
        notes = list(note.parent.iterdir())
        if len(notes) > KEPT:
            for each in sorted(notes, key=lambda one: one.stat().st_mtime)[: KEPT // 10]:
                each.unlink(missing_ok=True)
    except OSError:
        return


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _folder() -> Path:
    return home() / "cache" / "specs"


def _version() -> str:
    """Return what changes when the checks do: the version, and these files' own times."""
    from amlkit import __version__

    with os.scandir(Path(__file__).parent) as files:
        newest = max(each.stat().st_mtime_ns for each in files if each.name.endswith(".py"))
    return f"{__version__} {newest}"
