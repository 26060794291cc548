"""Bundled projects: what `amlkit init` means."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from amlkit.errors import Conflict, NotFound, did_you_mean
from amlkit.light import dataclass
from amlkit.records import Record

_LEFT_OUT = ("__pycache__", ".venv", "*.pyc", ".ruff_cache", ".pytest_cache")


@dataclass(frozen=True)
class Template(Record):
    """A bundled project. path: where it was found or copied to."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("name", "description")

    name: str
    description: str
    path: str


def available() -> Sequence[Template]:
    """Return the bundled projects; their descriptions are the first sentence of their README."""
    return [
        Template(folder.name, _description(folder), str(folder))
        for folder in sorted(_folder().iterdir())
        if (folder / "README.md").is_file()
    ]


def copy(name: str, target: Path | None = None) -> Template:
    """Copy a bundled project to a new folder (default: its name, here); all or nothing.

    Raises: NotFound: no such project. Conflict: the folder has something in it.
    """
    known = {each.name: each for each in available()}
    if name not in known:
        close = did_you_mean(name, known)
        names = ", ".join(f"`{each}`" for each in known)
        hint = f"did you mean `{close}`?" if close else f"there are {names}"
        raise NotFound(f"no bundled project is called `{name}`", hint=hint)
    place = (target or Path(name)).absolute()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise Conflict(
            f"`{target or name}` is not empty", hint=f"amlkit init {name} ANOTHER_FOLDER"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}-") as partial:
        whole = Path(partial) / name
        shutil.copytree(known[name].path, whole, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        if place.exists():
            place.rmdir()
        whole.rename(place)
    return Template(name, known[name].description, str(place))


def _folder() -> Path:
    """Return where the projects are: in the wheel, or beside the package in a checkout."""
    package = Path(__file__).parents[1]
    shipped = package / "_templates"
    return shipped if shipped.is_dir() else package.parent / "templates"


def _description(folder: Path) -> str:
    paragraphs = (folder / "README.md").read_text(encoding="utf-8").split("\n\n")
    text = " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else ""
    return text.split(". ", 1)[0].rstrip(".") + "." if text else ""
