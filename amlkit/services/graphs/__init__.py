"""Pipelines as drawings: what `amlkit job graph` means.

`build.py` makes a graph of a spec or of a run, `layout.py` gives it places, and `svg.py`, `html.py`
and `mermaid.py` write it down. All but the first are pure functions of values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from amlkit.errors import AmlkitError
from amlkit.services.graphs import html, mermaid, svg
from amlkit.services.graphs.build import of_file, of_job
from amlkit.services.graphs.model import Edge, Graph, Node

_RENDERERS = {"svg": svg.render, "html": html.render, "mermaid": mermaid.render}


def render(graph: Graph, drawing: Literal["svg", "html", "mermaid"]) -> str:
    """Return a graph as text."""
    return _RENDERERS[drawing](graph)


def save(text: str, file: Path) -> None:
    """Write a drawing. Raises: AmlkitError: the file cannot be written."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as cause:
        raise AmlkitError(f"`{file}` cannot be written: {cause.strerror or cause}") from None


__all__ = ["Edge", "Graph", "Node", "of_file", "of_job", "render", "save"]
