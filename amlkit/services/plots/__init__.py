"""Sweeps as drawings: what `amlkit job plot` means.

`model.py` holds what is drawn, `scales.py` places values, `panels.py` and `coordinates.py` draw
one panel each, and `page.py` puts them on an HTML page or one SVG. All are pure functions of
values, and nothing that they write needs the network.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.errors import AmlkitError, UsageError
from amlkit.services.plots import page
from amlkit.services.plots.model import Figure, figure

if TYPE_CHECKING:
    from amlkit.services.jobs import Jobs

_RENDERERS = {".html": page.html, ".svg": page.svg}


def of_sweep(jobs: Jobs, name: str) -> Figure:
    """Return what is to be drawn of a sweep as it stands. Raises: NotFound, UsageError."""
    return figure(jobs.show(name), jobs.trials(name))


def check(file: Path) -> None:
    """Raises: UsageError: the file's name says no kind of drawing that there is."""
    if file.suffix.lower() not in _RENDERERS:
        raise UsageError(
            f"`{file}` names no kind of drawing",
            hint="end it in .html (a page) or .svg (a picture)",
        )


def save(drawn: Figure, file: Path) -> None:
    """Write a drawing; the file's suffix says which. Raises: UsageError, AmlkitError."""
    check(file)
    text = _RENDERERS[file.suffix.lower()](drawn)
    try:
        # Half of a surrogate pair in a parameter must not keep the drawing from being written.
        file.write_bytes(text.encode("utf-8", errors="replace"))
    except OSError as cause:
        raise AmlkitError(f"`{file}` cannot be written: {cause.strerror or cause}") from None


__all__ = ["Figure", "check", "figure", "of_sweep", "save"]
