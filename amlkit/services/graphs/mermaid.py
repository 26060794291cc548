"""A graph in Mermaid's language, as GitHub, GitLab and many editors draw it."""

from __future__ import annotations

from collections.abc import Iterator

from amlkit.services.graphs.model import Graph, Node

_COLOURS = {
    "Completed": "stroke:#1a7f37,stroke-width:2px",
    "Failed": "stroke:#cf222e,stroke-width:2px",
    "Running": "stroke:#0969da,stroke-width:2px",
    "Canceled": "stroke:#9a6700,stroke-width:2px",
}


def render(graph: Graph) -> str:
    """Return a flowchart, its title in the front matter."""
    title = graph.title.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    lines = [f'---\ntitle: "{title}"\n---', "flowchart TD", *_graph(graph, "n", "  ")]
    used = {each.status for each in _all(graph)}
    lines += [f"  classDef {name} {style}" for name, style in _COLOURS.items() if name in used]
    return "\n".join(lines) + "\n"


def _all(graph: Graph) -> Iterator[Node]:
    for node in graph.nodes:
        yield node
        if node.inner is not None:
            yield from _all(node.inner)


def _graph(graph: Graph, prefix: str, indent: str) -> Iterator[str]:
    """Yield the lines of a graph. Ids are numbers: names may be words of the language."""
    ids = {node.id: f"{prefix}{number}" for number, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        yield from _node(node, ids[node.id], indent)
    for edge in graph.edges:
        label = _quoted(", ".join(edge.ports))
        yield f"{indent}{ids[edge.source]} -->|{label}| {ids[edge.target]}"


def _node(node: Node, own: str, indent: str) -> Iterator[str]:
    if node.inner is not None:
        yield f"{indent}subgraph {own} [{_quoted(node.name)}]"
        yield from _graph(node.inner, f"{own}_", indent + "  ")
        yield f"{indent}end"
        return
    second = node.summary if node.kind == "step" else node.kind
    text = _quoted(f"{node.name}\n{second}" if second else node.name)
    shape = f"[{text}]" if node.kind == "step" else f"([{text}])"
    mark = f":::{node.status}" if node.status in _COLOURS else ""
    yield f"{indent}{own}{shape}{mark}"


def _quoted(text: str) -> str:
    """Return a text in quotes; what means something to Mermaid or HTML becomes a code."""
    written = (f"#{ord(each)};" if each in '"#&<>`\\[]{}|;' else each for each in text)
    return '"' + "".join(written).replace("\n", "<br/>") + '"'
