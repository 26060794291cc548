"""Where the boxes of a graph go: layers by longest path, few crossings, straight lines.

After Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system
structures": layers, then order within layers by the mean of the neighbours, then coordinates. An
edge over several layers gets a point to pass in each, so that no line runs through a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from amlkit.light import dataclass

Size = tuple[float, float]
Point = tuple[float, float]
Arc = tuple[str, str]

GAP = 36.0
LAYER_GAP = 56.0
_SWEEPS = 12
_Cell = str | tuple[str, str, int]
"""A box, or the point where an edge passes a layer: source, target, layer."""


@dataclass(frozen=True)
class Layout:
    """Top left corner of every box, the points of every edge, and the size of it all."""

    places: Mapping[str, Point]
    routes: Mapping[Arc, Sequence[Point]]
    size: Size


def lay_out(sizes: Mapping[str, Size], arcs: Sequence[Arc]) -> Layout:
    """Return a layout from top to bottom. sizes: width and height of every box, in order.

    An edge that closes a circle is drawn, but no layer follows from it.
    """
    forward = _without_circles(sizes, arcs)
    layers = _layers(sizes, forward)
    rows, links = _rows(layers, forward)
    _order(rows, links)
    cells = [cell for row in rows for cell in row]
    widths = {cell: sizes[cell][0] if isinstance(cell, str) else 0.0 for cell in cells}
    middles = _middles(rows, links, widths)
    tops, height = _tops(rows, sizes)
    return _finish(sizes, arcs, layers, middles, tops, height, set(forward))


def _without_circles(names: Mapping[str, Size], arcs: Sequence[Arc]) -> list[Arc]:
    """Return the arcs, in order, that do not lead back to where they came from."""
    below: dict[str, set[str]] = {name: {name} for name in names}
    kept: list[Arc] = []
    for source, target in arcs:
        if source in below[target]:
            continue
        kept.append((source, target))
        reaching = [name for name, reached in below.items() if source in reached]
        below |= {name: below[name] | below[target] for name in reaching}
    return kept


def _layers(names: Mapping[str, Size], arcs: Sequence[Arc]) -> dict[str, int]:
    """Return the layer of every box: one below its lowest predecessor."""
    before: dict[str, set[str]] = {name: set() for name in names}
    after: dict[str, set[str]] = {name: set() for name in names}
    for source, target in arcs:
        before[target].add(source)
        after[source].add(target)
    layers: dict[str, int] = {}
    while len(layers) < len(before):
        ready = [n for n in before if n not in layers and before[n] <= layers.keys()]
        layers |= {n: 1 + max((layers[each] for each in before[n]), default=-1) for n in ready}
    for name in names:
        # What nothing leads to stands right above what it leads to first.
        if not before[name] and after[name]:
            layers[name] = min(layers[each] for each in after[name]) - 1
    return layers


def _rows(
    layers: Mapping[str, int], arcs: Sequence[Arc]
) -> tuple[list[list[_Cell]], list[tuple[_Cell, _Cell]]]:
    """Return the layers as rows of cells, and links between neighbouring rows only."""
    rows: list[list[_Cell]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for name, layer in layers.items():
        rows[layer].append(name)
    links: list[tuple[_Cell, _Cell]] = []
    for source, target in arcs:
        above: _Cell = source
        for layer in range(layers[source] + 1, layers[target]):
            cell = (source, target, layer)
            rows[layer].append(cell)
            links.append((above, cell))
            above = cell
        links.append((above, target))
    return rows, links


def _neighbours(
    links: Sequence[tuple[_Cell, _Cell]],
) -> tuple[dict[_Cell, list[_Cell]], dict[_Cell, list[_Cell]]]:
    above: dict[_Cell, list[_Cell]] = {}
    below: dict[_Cell, list[_Cell]] = {}
    for one, other in links:
        below.setdefault(one, []).append(other)
        above.setdefault(other, []).append(one)
    return above, below


def _order(rows: list[list[_Cell]], links: Sequence[tuple[_Cell, _Cell]]) -> None:
    """Order every row by the mean place of its neighbours; keep the order that crosses least."""
    above, below = _neighbours(links)
    best = [list(row) for row in rows]
    fewest = _crossings(rows, below)
    place: dict[_Cell, float] = {cell: n for row in rows for n, cell in enumerate(row)}
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        near = above if down else below
        for row in rows if down else reversed(rows):
            wanted = {c: _mean([place[n] for n in near.get(c, ())], place[c]) for c in row}
            row.sort(key=wanted.__getitem__)
            place |= {cell: n for n, cell in enumerate(row)}
        found = _crossings(rows, below)
        if found < fewest:
            fewest, best = found, [list(row) for row in rows]
    for row, kept in zip(rows, best, strict=True):
        row[:] = kept


def _crossings(rows: Sequence[Sequence[_Cell]], below: Mapping[_Cell, Sequence[_Cell]]) -> int:
    place = {cell: n for row in rows for n, cell in enumerate(row)}
    total = 0
    for row in rows:
        ends = [place[each] for cell in row for each in sorted(below.get(cell, ()), key=place.get)]  # type: ignore[arg-type]
        total += sum(ends[j] < ends[i] for i in range(len(ends)) for j in range(i + 1, len(ends)))
    return total


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _middles(
    rows: Sequence[Sequence[_Cell]],
    links: Sequence[tuple[_Cell, _Cell]],
    widths: Mapping[_Cell, float],
) -> dict[_Cell, float]:
    """Return the x of the middle of every cell: near its neighbours, and beside the others."""
    above, below = _neighbours(links)
    middles: dict[_Cell, float] = {}
    for row in rows:
        middles |= zip(row, _spread([0.0] * len(row), [widths[c] for c in row]), strict=True)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            near = above if down else below
            wanted = [_mean([middles[n] for n in near.get(c, ())], middles[c]) for c in row]
            middles |= zip(row, _spread(wanted, [widths[c] for c in row]), strict=True)
    return middles


def _spread(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Return the places closest to the wanted ones (least squares) that do not overlap.

    Shifted by the room that each needs, this is isotonic regression: pool adjacent violators.
    """
    shifts = [0.0]
    for left, right in pairwise(widths):
        shifts.append(shifts[-1] + (left + right) / 2 + GAP)
    pools: list[tuple[float, int]] = []
    for place, shift in zip(wanted, shifts, strict=False):
        pools.append((place - shift, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, n), (other, m) = pools[-2:]
            pools[-2:] = [((one * n + other * m) / (n + m), n + m)]
    flat = [value for value, count in pools for _ in range(count)]
    return [value + shift for value, shift in zip(flat, shifts, strict=False)]


def _tops(
    rows: Sequence[Sequence[_Cell]], sizes: Mapping[str, Size]
) -> tuple[list[tuple[float, float]], float]:
    """Return y and height of every row, and the height of all."""
    tops: list[tuple[float, float]] = []
    y = 0.0
    for row in rows:
        height = max((sizes[cell][1] for cell in row if isinstance(cell, str)), default=0.0)
        tops.append((y, height))
        y += height + LAYER_GAP
    return tops, max(0.0, y - LAYER_GAP)


def _finish(
    sizes: Mapping[str, Size],
    arcs: Sequence[Arc],
    layers: Mapping[str, int],
    middles: Mapping[_Cell, float],
    tops: Sequence[tuple[float, float]],
    height: float,
    forward: set[Arc],
) -> Layout:
    edges = {name: (middles[name] - w / 2, middles[name] + w / 2) for name, (w, _) in sizes.items()}
    passing = [x for cell, x in middles.items() if not isinstance(cell, str)]
    left = min([low for low, _ in edges.values()] + passing, default=0.0)
    right = max([high for _, high in edges.values()] + passing, default=0.0)
    places = {name: (edges[name][0] - left, tops[layers[name]][0]) for name in sizes}
    routes: dict[Arc, Sequence[Point]] = {}
    for source, target in arcs:
        x, (top, row) = middles[source] - left, tops[layers[source]]
        points = [(x, top + sizes[source][1])]
        if sizes[source][1] < row:
            # Straight down past its higher neighbours first.
            points.append((x, top + row))
        if (source, target) in forward:
            for layer in range(layers[source] + 1, layers[target]):
                x, (top, row) = middles[(source, target, layer)] - left, tops[layer]
                points += [(x, top), (x, top + row)]
        routes[(source, target)] = [*points, (middles[target] - left, places[target][1])]
    return Layout(places, routes, (right - left, height))
