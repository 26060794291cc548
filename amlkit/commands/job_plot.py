"""`amlkit job plot`: draw a sweep. Wraps `services/plots/`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.session import Session


def plot(
    ctx: typer.Context,
    sweep: Annotated[str, typer.Argument(help="Name of the sweep.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File: .html or .svg. Default: SWEEP.html."),
    ] = None,
) -> None:
    """Draw a sweep: metric over trials, learning curves, parallel coordinates, each parameter.

    \b
    amlkit job plot mnist_sweep -o sweep.html
    amlkit job plot mnist_sweep -o sweep.svg
    """
    from amlkit.services import plots

    file = output or Path(f"{sweep}.html")
    plots.check(file)
    plots.save(plots.of_sweep(Session.of(ctx).workspace.jobs, sweep), file)
    Session.of(ctx).output.text(str(file))
