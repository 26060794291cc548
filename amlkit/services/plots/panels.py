"""The panels of a sweep: its metric over trials, against one parameter, and learning curves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from amlkit.light import dataclass
from amlkit.records import JSON
from amlkit.services.leaderboard import TrialRow
from amlkit.services.plots import scales
from amlkit.services.plots.model import Figure
from amlkit.services.plots.scales import Scale

LEFT, RIGHT, TOP, BOTTOM = 62.0, 16.0, 34.0, 42.0
MOST_POINTS = 200
_RAMP = ((184, 160, 106), (78, 165, 160), (59, 76, 192))
_LOG_SPAN = 1000.0


@dataclass(frozen=True)
class Panel:
    """One drawing. body: SVG, with its corner at 0, 0."""

    width: float
    height: float
    body: str


class Axes:
    """The frame of a panel with an x and a y axis."""

    def __init__(self, width: float, height: float, x: Scale, y: Scale) -> None:
        self.size = width, height
        self._x, self._y = x, y
        self._wide, self._tall = width - LEFT - RIGHT, height - TOP - BOTTOM

    def point(self, x: JSON, y: JSON) -> tuple[float, float] | None:
        """Return where a pair of values is drawn, or None where one has no place."""
        across, up = self._x.place(x), self._y.place(y)
        if across is None or up is None:
            return None
        return LEFT + across * self._wide, TOP + (1 - up) * self._tall

    def frame(self, title: str, x: str) -> Iterable[str]:
        """Yield title, grid, marks and the name of the x axis."""
        bottom = TOP + self._tall
        yield words(LEFT, 18, title, "title")
        for place, shown in self._y.ticks:
            at = TOP + (1 - place) * self._tall
            yield f'<path class="grid" d="M{LEFT:.0f} {at:.1f}h{self._wide:.1f}"/>'
            yield words(LEFT - 6, at + 4, cut(shown, 9), "tick end")
        room = max(3, int(self._wide / max(1, len(self._x.ticks)) / 6.5))
        for place, shown in self._x.ticks:
            at = LEFT + place * self._wide
            yield f'<path class="grid" d="M{at:.1f} {TOP:.0f}v{self._tall:.1f}"/>'
            yield words(at, bottom + 15, cut(shown, room), "tick middle")
        yield words(LEFT + self._wide / 2, bottom + 32, cut(x, 48), "axis middle")


def history(figure: Figure, width: float, height: float) -> Panel:
    """Draw the metric of every trial, and the best so far."""
    numbers = [trial.number for trial in figure.trials]
    axes = Axes(width, height, scales.of_values(numbers, measured=True), objective(figure))
    parts = [*axes.frame(f"{figure.metric} over trials", "trial")]
    best: float | None = None
    path = ""
    for trial in figure.trials:
        if trial.objective is not None and trial.status == "Completed":
            better = max if figure.maximize else min
            best = trial.objective if best is None else better(best, trial.objective)
        at = axes.point(trial.number, best)
        if at is not None:
            path += f"{'H' if path else 'M'}{at[0]:.1f} {'V' if path else ''}{at[1]:.1f}"
    parts.append(f'<path class="best-so-far" d="{path}"/>' if path else "")
    parts += [
        mark(figure, n, at)
        for n, trial in enumerate(figure.trials)
        if (at := axes.point(trial.number, trial.objective)) is not None
    ]
    if not any(trial.objective is not None for trial in figure.trials):
        parts.append(_nothing(width, height, f"no trial has logged {figure.metric}"))
    return Panel(width, height, "\n".join(parts))


def against(figure: Figure, parameter: str, width: float, height: float) -> Panel:
    """Draw the metric of every trial against one of its parameters."""
    values = [trial.parameters.get(parameter) for trial in figure.trials]
    x = scales.of_values(values, logarithmic=parameter in figure.logarithmic)
    axes = Axes(width, height, x, objective(figure))
    parts = [*axes.frame(f"{cut(figure.metric, 30)} by {cut(parameter, 24)}", parameter)]
    for n, trial in enumerate(figure.trials):
        at = axes.point(values[n], trial.objective)
        if at is None:
            continue
        if x.categorical:
            # Trials of one category lie side by side, each at the same place in every drawing.
            at = at[0] + (trial.number * 0.618 % 1 - 0.5) * 0.5 * _step(x, width), at[1]
        parts.append(mark(figure, n, at))
    return Panel(width, height, "\n".join(parts))


def _step(scale: Scale, width: float) -> float:
    return (width - LEFT - RIGHT) / max(1, len(scale.ticks))


def curves(figure: Figure, width: float, height: float) -> Panel:
    """Draw the metric of every trial as it was reported."""
    steps = {n: _steps(trial) for n, trial in enumerate(figure.trials)}
    shown = [value for trial in figure.trials for _, value in trial.curve]
    reports: list[JSON] = [step for each in steps.values() for step in each]
    axes = Axes(
        width,
        height,
        scales.of_values(reports, measured=True),
        _measure(shown),
    )
    parts = [*axes.frame(f"Learning curves: {cut(figure.metric, 40)}", "step")]
    order = sorted(steps, key=lambda n: -(figure.trials[n].rank or 0))
    for n in order:
        trial = figure.trials[n]
        values = [value for _, value in trial.curve]
        places = [axes.point(*each) for each in zip(steps[n], values, strict=True)]
        known = _thinned([each for each in places if each is not None])
        if len(known) > 1:
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in known)
            parts.append(
                f'<polyline class="line{_kind(figure, n)}" data-t="{n}" '
                f'stroke="{color(figure, trial)}" points="{line}">{hover(trial)}</polyline>'
            )
    if all(len(trial.curve) < 2 for trial in figure.trials):
        parts.append(_nothing(width, height, "no trial has reported the metric more than once"))
    return Panel(width, height, "\n".join(parts))


def _steps(trial: TrialRow) -> list[int]:
    """Return the step of each report; their numbers, where all were logged at one step."""
    steps = [step for step, _ in trial.curve]
    return steps if len(set(steps)) == len(steps) else list(range(len(steps)))


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most about `MOST_POINTS` of a line, its last among them."""
    every = math.ceil(len(points) / MOST_POINTS)
    return [*points[:-1:every], points[-1]] if points else []


def objective(figure: Figure) -> Scale:
    """Return the scale of the metric."""
    return _measure([each.objective for each in figure.trials if each.objective is not None])


def _measure(values: Sequence[float]) -> Scale:
    finite = [each for each in values if math.isfinite(each)]
    wide = bool(finite) and min(finite) > 0 and max(finite) / min(finite) > _LOG_SPAN
    return scales.of_values(finite, logarithmic=wide, measured=True)


def mark(figure: Figure, number: int, at: tuple[float, float]) -> str:
    """Return the dot of a trial: hollow when it was ended early or failed."""
    trial = figure.trials[number]
    kind = "" if trial.status == "Completed" else " hollow"
    shade = color(figure, trial)
    return (
        f'<circle class="dot{kind}{_kind(figure, number)}" data-t="{number}" cx="{at[0]:.1f}" '
        f'cy="{at[1]:.1f}" r="{6 if number == figure.best else 4}" '
        f'{"stroke" if kind else "fill"}="{shade}">{hover(trial)}</circle>'
    )


def _kind(figure: Figure, number: int) -> str:
    return " top" if number == figure.best else ""


def color(figure: Figure, trial: TrialRow) -> str:
    """Return the colour of a trial's rank: sand for the last, blue for the first."""
    ranked = sum(each.objective is not None for each in figure.trials)
    if trial.objective is None or trial.rank is None:
        return "#999999"
    place = 1.0 if ranked < 2 else max(0.0, 1 - (trial.rank - 1) / (ranked - 1))
    first = _RAMP[0 if place < 0.5 else 1]
    second = _RAMP[1 if place < 0.5 else 2]
    part = place * 2 % 1 if place < 1 else 1.0
    mixed = [round(a + (b - a) * part) for a, b in zip(first, second, strict=True)]
    return f"#{mixed[0]:02x}{mixed[1]:02x}{mixed[2]:02x}"


def hover(trial: TrialRow) -> str:
    """Return what is shown while the pointer rests on a trial."""
    lines = [f"{trial.name} · {trial.status}"]
    if trial.objective is not None:
        lines.append(f"metric {scales.number(trial.objective)}, rank {trial.rank}")
    lines += [
        f"{name} = {cut(scales.text(value), 60)}"
        for name, value in trial.parameters.items()
        if not isinstance(value, dict)
    ]
    return f"<title>{safe(chr(10).join(lines))}</title>"


def words(x: float, y: float, shown: str, kind: str) -> str:
    """Return text at a place."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{safe(shown)}</text>'


def _nothing(width: float, height: float, why: str) -> str:
    return words(width / 2, height / 2, why, "axis middle")


def cut(shown: str, longest: int) -> str:
    """Return a text with an ellipsis where it would be too long."""
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def safe(shown: str) -> str:
    """Return text that is only text, in HTML and in SVG, whatever is in it."""
    kept = (each if each >= " " or each in "\n\t" else "\ufffd" for each in shown)
    return escape("".join(kept), quote=True)
