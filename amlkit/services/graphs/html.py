"""A graph as one HTML page: the drawing, and a table of the steps below it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from amlkit.services.graphs import svg
from amlkit.services.graphs.model import Graph, Node

_STYLE = """
:root { color-scheme: light dark }
body { font: 14px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; margin: 1.5rem;
  color: #1f2328; background: #fff }
figure { margin: 0; overflow: auto }
table { border-collapse: collapse; margin-top: 1.5rem }
th, td { text-align: left; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #8884;
  vertical-align: top }
td.error { color: #cf222e }
@media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117 } }
"""
_COLUMNS = ("step", "type", "component", "reads from", "status", "duration", "error")


def render(graph: Graph) -> str:
    """Return a page that needs nothing from elsewhere."""
    rows = list(_rows(graph, ""))
    shown = [n for n, _ in enumerate(_COLUMNS) if any(row[n] for row in rows)]
    head = "".join(f"<th>{_COLUMNS[n]}</th>" for n in shown)
    body = "\n".join("<tr>" + "".join(_cell(n, row[n]) for n in shown) + "</tr>" for row in rows)
    title = escape(graph.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<figure>\n{svg.render(graph)}</figure>\n"
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
        "</body>\n</html>\n"
    )


def _rows(graph: Graph, prefix: str) -> Iterator[tuple[str, ...]]:
    names = {node.id: node.name for node in graph.nodes}
    for node in graph.nodes:
        if node.kind != "step":
            continue
        sources = [
            f"{names[each.source]} ({', '.join(each.ports)})"
            for each in graph.edges
            if each.target == node.id
        ]
        yield _row(node, prefix, ", ".join(sources))
        if node.inner is not None:
            yield from _rows(node.inner, f"{prefix}{node.name}/")


def _row(node: Node, prefix: str, sources: str) -> tuple[str, ...]:
    status = f"{node.status or ''}{' (reused)' if node.reused else ''}"
    name = f"{prefix}{node.name}"
    return (name, node.type, node.component, sources, status, node.duration, node.error or "")


def _cell(column: int, text: str) -> str:
    kind = ' class="error"' if _COLUMNS[column] == "error" else ""
    return f"<td{kind}>{escape(text)}</td>"
