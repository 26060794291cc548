"""A sweep's panels on one HTML page, or in one SVG: no font, script or picture from elsewhere."""

from __future__ import annotations

import base64
import hashlib

from amlkit.services.plots import scales
from amlkit.services.plots.coordinates import parallel
from amlkit.services.plots.model import Figure
from amlkit.services.plots.panels import Panel, against, curves, history, safe

WIDTH = 1080.0
MOST_ROWS = 200
_HALF, _THIRD = WIDTH / 2, WIDTH / 3
_STYLE = """
svg, body { --page: #fff; --text: #1f2328; --quiet: #59636e; --line: #d1d9e0; --top: #d6336c;
  font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
@media (prefers-color-scheme: dark) { svg, body { --page: #0d1117; --text: #e6edf3;
  --quiet: #9198a1; --line: #30363d; --top: #ff6b9d } }
text { fill: var(--text); font-size: 12px }
.title { font-size: 14px; font-weight: 600 }
.axis { fill: var(--quiet) }
.tick { fill: var(--quiet); font-size: 11px }
.halo { stroke: var(--page); stroke-width: 3; paint-order: stroke }
.middle { text-anchor: middle }
.end { text-anchor: end }
.grid { stroke: var(--line); stroke-width: .5; fill: none }
.rule { stroke: var(--quiet); fill: none }
.line { fill: none; stroke-width: 1.3; stroke-opacity: .75 }
.dot { fill-opacity: .85 }
.hollow { fill: var(--page); stroke-width: 1.6 }
.best-so-far { stroke: var(--top); stroke-width: 1.5; fill: none; stroke-dasharray: 5 3 }
.dot.top { stroke: var(--top); stroke-width: 2 }
.line.top { stroke: var(--top); stroke-width: 3; stroke-opacity: 1 }
"""
_PAGE_STYLE = """
:root { color-scheme: light dark }
body { font-size: 14px; line-height: 1.5; color: var(--text); background: var(--page);
  max-width: 1080px; margin: 1.5rem auto; padding: 0 1rem }
h1 { font-size: 1.3rem; margin: 0 }
p { margin: .2rem 0 }
.panels { display: flex; flex-wrap: wrap; margin: 1rem 0 }
.panels svg { max-width: 100%; height: auto }
.scroll { overflow-x: auto }
table { border-collapse: collapse }
th, td { text-align: left; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.key { display: inline-block; width: 9rem; height: .7rem; border-radius: .2rem;
  background: linear-gradient(to right, #b8a06a, #4ea5a0, #3b4cc0) }
.chosen [data-t]:not(.on) { opacity: .12 }
.chosen tr[data-t]:not(.on) { opacity: 1 }
tr.on { background: #8883 }
.line.on { stroke-width: 3; stroke-opacity: 1 }
"""
# Pointing at a trial shows it in every panel.
_SCRIPT = """
document.addEventListener("mouseover", event => {
  const at = event.target.closest("[data-t]");
  document.body.classList.toggle("chosen", Boolean(at));
  document.querySelectorAll(".on").forEach(each => each.classList.remove("on"));
  if (at) document.querySelectorAll(`[data-t="${at.dataset.t}"]`)
    .forEach(each => each.classList.add("on"));
});
"""


def html(figure: Figure) -> str:
    """Return a page that needs nothing from elsewhere and runs no script but its own."""
    known = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{known}'"
    drawn = "\n".join(_standing(panel) for panel in _panels(figure))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{safe(figure.name)}</title>\n<style>{_STYLE}{_PAGE_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{safe(figure.name)}</h1>\n{_summary(figure)}\n"
        f'<div class="panels">\n{drawn}\n</div>\n{_table(figure)}\n'
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def svg(figure: Figure) -> str:
    """Return every panel in one drawing."""
    parts: list[str] = []
    x, y, row = 0.0, 40.0, 0.0
    for panel in _panels(figure):
        if x + panel.width > WIDTH + 1:
            x, y, row = 0.0, y + row, 0.0
        parts.append(f'<g transform="translate({x:.0f} {y:.0f})">\n{panel.body}\n</g>')
        x, row = x + panel.width, max(row, panel.height)
    title = f"{figure.name} · {figure.status} · {figure.goal} {figure.metric}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:.0f}" height="{y + row:.0f}" '
        f'viewBox="0 0 {WIDTH:.0f} {y + row:.0f}" role="img">\n<title>{safe(figure.name)}</title>\n'
        f'<style>{_STYLE}</style>\n<rect width="100%" height="100%" fill="var(--page)"/>\n'
        f'<text class="title" x="16" y="24">{safe(title)}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _panels(figure: Figure) -> list[Panel]:
    return [
        history(figure, _HALF, 280),
        curves(figure, _HALF, 280),
        parallel(figure, WIDTH, 340),
        *(against(figure, name, _THIRD, 240) for name in figure.parameters),
    ]


def _standing(panel: Panel) -> str:
    return (
        f'<svg width="{panel.width:.0f}" height="{panel.height:.0f}" '
        f'viewBox="0 0 {panel.width:.0f} {panel.height:.0f}" role="img">\n{panel.body}\n</svg>'
    )


def _summary(figure: Figure) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in figure.counts().items())
    lines = [
        f"<p>{safe(figure.status)} · {safe(figure.goal)} <b>{safe(figure.metric)}</b>"
        f" · {len(figure.trials)} trials{': ' if counts else ''}{safe(counts)}</p>"
    ]
    if figure.best is not None:
        best = figure.trials[figure.best]
        given = ", ".join(
            f"{name} = {scales.text(best.parameters.get(name))}" for name in figure.parameters
        )
        value = scales.number(best.objective or 0.0)
        lines.append(f"<p>best: <b>{safe(best.name)}</b> with {value} ({safe(given)})</p>")
    lines.append(
        '<p>colour: rank, from last <span class="key"></span> to first; hollow: ended early or'
        " failed; the best is outlined</p>"
    )
    return "\n".join(lines)


def _table(figure: Figure) -> str:
    ranked = sorted(enumerate(figure.trials), key=lambda each: each[1].rank or 0)
    names = ("rank", "trial", figure.metric, "status", "seconds", *figure.parameters)
    rows = []
    for n, trial in ranked[:MOST_ROWS]:
        seconds = trial.duration_seconds
        cells = [
            _cell(trial.rank),
            _cell(trial.name),
            _cell(trial.objective),
            _cell(trial.status),
            _cell(None if seconds is None else round(seconds, 1)),
            *(_cell(trial.parameters.get(name)) for name in figure.parameters),
        ]
        rows.append(f'<tr data-t="{n}">{"".join(cells)}</tr>')
    head = "".join(f"<th>{safe(name)}</th>" for name in names)
    more = len(ranked) - MOST_ROWS
    note = f"<p>and {more} more</p>" if more > 0 else ""
    body = "\n".join(rows)
    return (
        f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>{note}"
    )


def _cell(value: object) -> str:
    if value is None:
        return "<td></td>"
    number = scales.is_number(value)  # type: ignore[arg-type]
    kind = ' class="number"' if number else ""
    return f"<td{kind}>{safe(scales.text(value))}</td>"  # type: ignore[arg-type]
