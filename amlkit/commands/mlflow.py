"""`amlkit mlflow`: MLflow's own pages. Wraps `services/mlflow_ui.py`."""

from __future__ import annotations

from typing import Annotated

import typer

from amlkit.session import Session

app = typer.Typer(
    help="MLflow's own pages on this workspace.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def group() -> None:
    """MLflow's own pages on this workspace."""


@app.command()
def ui(
    ctx: typer.Context,
    port: Annotated[int, typer.Option("--port", "-p", min=1, max=65535)] = 5000,
) -> None:
    """Open MLflow's pages on the runs of this workspace, on this machine only; Ctrl-C ends it.

    \b
    amlkit mlflow ui
    amlkit -w local mlflow ui --port 5001
    """
    import signal

    from amlkit.services import mlflow_ui

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    session = Session.of(ctx)
    mlflow_ui.serve(session.workspace.backend, port=port, ready=session.output.text)
