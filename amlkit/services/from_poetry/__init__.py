"""`env from-poetry`: the environment of an Azure ML job, from the project's `pyproject.toml`.

    from amlkit.services.from_poetry import convert

    file = convert(Path("pyproject.toml"), extras=["train"])
    Path("environment.yml").write_text(file.text)

Reads top to bottom in `convert.py`: read the project, choose the target, take the lock or the
ranges, write the lines.
"""

from __future__ import annotations

from amlkit.services.from_poetry.convert import Engine, convert, difference
from amlkit.services.from_poetry.records import CondaFile, Mode, Note, ResolvedLine

__all__ = ["CondaFile", "Engine", "Mode", "Note", "ResolvedLine", "convert", "difference"]
