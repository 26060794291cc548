"""Pipelines as drawings: what `amlkit job graph` means.

`build.py` makes a graph of a spec or of a run, `layout.py` gives it places, and `svg.py`, `html.py`
and `mermaid.py` write it down. All but the first are pure functions of values.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from amlkit.errors import AmlkitError, UsageError
from amlkit.services.graphs import html, mermaid, svg
from amlkit.services.graphs.build import of_file, of_job
from amlkit.services.graphs.model import Edge, Graph, Node

Drawing = Literal["svg", "html", "mermaid"]

_RENDERERS = {"svg": svg.render, "html": html.render, "mermaid": mermaid.render}
_ENDINGS: Mapping[str, Drawing] = {
    ".svg": "svg",
    ".html": "html",
    ".htm": "html",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".md": "mermaid",
    ".txt": "mermaid",
}


def drawing_of(file: Path | None, asked: Drawing | None) -> Drawing:
    """Return what to draw: what is asked for, else what the file's name ends in, else SVG.

    Raises: UsageError: the file's name says another drawing, or none that there is.
    """
    if file is None or (asked is not None and not file.suffix):
        return asked or "svg"
    named = _ENDINGS.get(file.suffix.lower())
    if named is None:
        raise UsageError(
            f"`{file}` names no kind of drawing",
            hint="end it in .html (a page), .svg (a picture) or .mmd (Mermaid's text)",
        )
    if asked is not None and asked != named:
        raise UsageError(
            f"`{file}` is no place for {asked}", hint=f"leave `-o {asked}` out, or end it otherwise"
        )
    return named


def render(graph: Graph, drawing: Drawing) -> str:
    """Return a graph as text."""
    return _RENDERERS[drawing](graph)


def save(text: str, file: Path) -> None:
    """Write a drawing. Raises: AmlkitError: the file cannot be written."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as cause:
        raise AmlkitError(f"`{file}` cannot be written: {cause.strerror or cause}") from None


__all__ = ["Drawing", "Edge", "Graph", "Node", "drawing_of", "of_file", "of_job", "render", "save"]
