"""`amlkit compute`: where jobs run. Wraps `services/computes.py`."""

from __future__ import annotations

from typing import Annotated

import typer

from amlkit.options import OutputOption, QueryOption
from amlkit.session import Session

app = typer.Typer(help="Where jobs run.", no_args_is_help=True, rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(help="Name of the compute.")]


@app.command("list")
def list_(ctx: typer.Context, output: OutputOption = None, query: QueryOption = None) -> None:
    """List computes; an embedded workspace has one: this machine, with its slots."""
    session = Session.of(ctx)
    session.output.records(session.workspace.computes.list(), output, query)


@app.command()
def show(
    ctx: typer.Context, name: NameArgument, output: OutputOption = None, query: QueryOption = None
) -> None:
    """Show one compute: cores, memory, GPUs, slots in use."""
    session = Session.of(ctx)
    session.output.record(session.workspace.computes.show(name), output, query)
