"""A graph as SVG: one file, no script, no font or picture from elsewhere, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from amlkit.light import dataclass
from amlkit.services.graphs.layout import Layout, Point, lay_out
from amlkit.services.graphs.model import Edge, Graph, Node

_MARGIN = 24.0
_HEADER = 34.0
_INSET = 16.0
_LONGEST = 36
_STYLE = """
svg { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif;
  --page: #fff; --box: #f6f8fa; --group: #fbfcfd; --line: #8c959f; --text: #1f2328;
  --quiet: #59636e }
@media (prefers-color-scheme: dark) { svg { --page: #0d1117; --box: #161b22; --group: #10151c;
  --line: #6e7681; --text: #e6edf3; --quiet: #9198a1 } }
text { fill: var(--text); font-size: 13px }
.name { font-weight: 600 }
.title { font-size: 16px; font-weight: 600 }
.quiet { fill: var(--quiet); font-size: 11px; font-weight: 400 }
.box { fill: var(--box); stroke: var(--line) }
.group { fill: var(--group); stroke: var(--line); stroke-dasharray: 4 3 }
.port { fill: var(--page); stroke: var(--line) }
.edge { fill: none; stroke: var(--line); stroke-width: 1.5 }
.arrow, .mark { fill: var(--line) }
.label { fill: var(--quiet); font-size: 11px; stroke: var(--page); stroke-width: 4;
  paint-order: stroke }
.Completed { --line: #1a7f37 }
.Failed { --line: #cf222e }
.Queued, .Preparing, .Running, .Finalizing { --line: #0969da }
.CancelRequested, .Canceled { --line: #9a6700 }
"""


@dataclass(frozen=True)
class _Drawn:
    """A graph with places: where every node is, and what each nested graph looks like."""

    layout: Layout
    inner: dict[str, _Drawn]
    sizes: dict[str, tuple[float, float]]


def render(graph: Graph) -> str:
    """Return the drawing of a graph."""
    drawn = _draw(graph)
    title_width = _width(graph.title, 9.5) + (_width(graph.status or "", 7) + 30)
    width = max(drawn.layout.size[0], title_width) + 2 * _MARGIN
    height = drawn.layout.size[1] + 2 * _MARGIN + _HEADER
    left = (width - drawn.layout.size[0]) / 2
    status = f' <tspan class="quiet" dx="8">{escape(graph.status)}</tspan>' if graph.status else ""
    body = "\n".join(_graph(graph, drawn, left, _MARGIN + _HEADER))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">\n'
        f"<title>{escape(graph.title)}</title>\n<style>{_STYLE}</style>\n"
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="arrow" d="M0 0L8 4L0 8z"/></marker></defs>\n'
        '<rect width="100%" height="100%" fill="var(--page)"/>\n'
        f'<text class="title" x="{_MARGIN:.0f}" y="{_MARGIN + 12:.0f}">{escape(graph.title)}'
        f"{status}</text>\n{body}\n</svg>\n"
    )


def _draw(graph: Graph) -> _Drawn:
    inner = {each.id: _draw(each.inner) for each in graph.nodes if each.inner is not None}
    sizes = {each.id: _size(each, inner.get(each.id)) for each in graph.nodes}
    arcs = [(each.source, each.target) for each in graph.edges]
    return _Drawn(lay_out(sizes, arcs), inner, sizes)


def _size(node: Node, inner: _Drawn | None) -> tuple[float, float]:
    text = max(_width(_short(node.name), 7.8), _width(_second(node), 6.2))
    if inner is not None:
        wide, tall = inner.layout.size
        return max(wide, text) + 2 * _INSET, tall + 2 * _INSET + 40
    if node.kind != "step":
        return text + 36, 40.0
    return max(110.0, text + 34), 50.0


def _width(text: str, each: float) -> float:
    """Return about how wide a text is, in pixels; wide characters count twice."""
    return sum(each * (2 if ord(character) > 0x2E80 else 1) for character in text)


def _graph(graph: Graph, drawn: _Drawn, left: float, top: float) -> list[str]:
    parts: list[str] = []
    for edge in graph.edges:
        parts.append(_edge(edge, drawn.layout.routes[(edge.source, edge.target)], left, top))
    for node in graph.nodes:
        x, y = drawn.layout.places[node.id]
        wide, tall = drawn.sizes[node.id]
        parts += _node(node, drawn.inner.get(node.id), (left + x, top + y), (wide, tall))
    # Names of what flows come last: no box or line may hide them.
    parts += [
        _label(edge, drawn.layout.routes[(edge.source, edge.target)], left, top)
        for edge in graph.edges
        if not edge.source.startswith("input ") and not edge.target.startswith("output ")
    ]
    return parts


def _node(node: Node, inner: _Drawn | None, place: Point, size: Point) -> list[str]:
    (x, y), (wide, tall) = place, size
    kind = "group" if inner is not None else "box" if node.kind == "step" else "port"
    radius = tall / 2 if kind == "port" else 8
    parts = [
        f'<g class="{escape(node.status or "")}">',
        f"<title>{escape(_hover(node))}</title>",
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" '
        f'rx="{radius:.0f}"/>',
    ]
    if node.status is not None and kind == "box":
        parts.append(
            f'<rect class="mark" x="{x:.1f}" y="{y + 8:.1f}" width="4" height="{tall - 16:.1f}"/>'
        )
    middle = x + wide / 2
    first = y + (20 if kind != "port" else 17)
    parts += [
        f'<text class="name" x="{middle:.1f}" y="{first:.1f}" text-anchor="middle">'
        f"{escape(_short(node.name))}</text>",
        f'<text class="quiet" x="{middle:.1f}" y="{first + 16:.1f}" text-anchor="middle">'
        f"{escape(_second(node))}</text>",
        "</g>",
    ]
    if inner is not None and node.inner is not None:
        start = x + (wide - inner.layout.size[0]) / 2
        parts += _graph(node.inner, inner, start, y + _INSET + 32)
    return parts


def _second(node: Node) -> str:
    return node.summary if node.kind == "step" else f"{node.kind} · {node.type}"


def _hover(node: Node) -> str:
    lines = [node.name, _second(node), node.component, node.error or ""]
    return "\n".join(line for line in lines if line)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _edge(edge: Edge, route: Sequence[Point], left: float, top: float) -> str:
    (x, y), *rest = [(left + x, top + y) for x, y in route]
    path = f"M{x:.1f} {y:.1f}"
    for to_x, to_y in rest:
        bend = (to_y - y) / 2
        path += f" C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    ports = escape(", ".join(edge.ports))
    return f'<path class="edge" marker-end="url(#arrow)" d="{path}"><title>{ports}</title></path>'


def _label(edge: Edge, route: Sequence[Point], left: float, top: float) -> str:
    """Return the names of what flows, near the middle of the last piece of the line."""
    (x1, y1), (x2, y2) = route[-2:]
    x, y = left + (x1 + x2) / 2, top + (y1 + y2) / 2 + 4
    text = escape(_short(", ".join(edge.ports)))
    return f'<text class="label" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{text}</text>'
