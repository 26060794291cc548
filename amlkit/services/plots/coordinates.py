"""Parallel coordinates: one axis a parameter, the metric last, one line a trial."""

from __future__ import annotations

from amlkit.records import JSON
from amlkit.services.leaderboard import TrialRow
from amlkit.services.plots import scales
from amlkit.services.plots.model import Figure
from amlkit.services.plots.panels import Panel, color, cut, hover, objective, words
from amlkit.services.plots.scales import Scale

_TOP, _BOTTOM, _SIDE = 58.0, 26.0, 70.0


def parallel(figure: Figure, width: float, height: float) -> Panel:
    """Draw every trial that has the metric as a line over its parameters.

    A parameter that a trial has not, being of another branch of a nested space, is passed below.
    """
    axes = [(name, _scale(figure, name)) for name in figure.parameters]
    axes.append((figure.metric, objective(figure)))
    gap = (width - 2 * _SIDE) / max(1, len(axes) - 1)
    bottom = height - _BOTTOM
    parts = [words(16, 18, "Parallel coordinates", "title")]
    order = sorted(
        (n for n, trial in enumerate(figure.trials) if trial.objective is not None),
        key=lambda n: (n == figure.best, -(figure.trials[n].rank or 0)),
    )
    for n in order:
        trial = figure.trials[n]
        points = []
        for index, (_, scale) in enumerate(axes):
            place = scale.place(_value(figure, trial, index))
            y = bottom + 12 if place is None else bottom - place * (bottom - _TOP)
            points.append(f"{_SIDE + index * gap:.1f},{y:.1f}")
        kind = " top" if n == figure.best else ""
        parts.append(
            f'<polyline class="line{kind}" data-t="{n}" stroke="{color(figure, trial)}" '
            f'points="{" ".join(points)}">{hover(trial)}</polyline>'
        )
    room = max(4, int(gap / 7))
    for index, (name, scale) in enumerate(axes):
        x = _SIDE + index * gap
        parts.append(f'<path class="rule" d="M{x:.1f} {_TOP:.0f}V{bottom:.1f}"/>')
        # Neighbours on two levels: long names do not meet.
        parts.append(words(x, _TOP - (8 if index % 2 else 22), cut(name, 2 * room), "axis middle"))
        for place, shown in scale.ticks:
            y = bottom - place * (bottom - _TOP)
            parts.append(words(x + 5, y + 4, cut(shown, room), "tick halo"))
    return Panel(width, height, "\n".join(parts))


def _scale(figure: Figure, name: str) -> Scale:
    values = [trial.parameters.get(name) for trial in figure.trials]
    return scales.of_values(values, logarithmic=name in figure.logarithmic)


def _value(figure: Figure, trial: TrialRow, index: int) -> JSON:
    if index == len(figure.parameters):
        return trial.objective
    return trial.parameters.get(figure.parameters[index])
