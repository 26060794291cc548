"""`amlkit compute`: where jobs run. Wraps `services/computes.py`."""

from __future__ import annotations

from typing import Annotated

import typer

from amlkit.options import (
    DryRunOption,
    FileOption,
    OutputOption,
    QueryOption,
    SetOption,
    YesOption,
    confirm,
)
from amlkit.output import Format
from amlkit.records import Planned
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


@app.command()
def create(
    ctx: typer.Context,
    file: FileOption = None,
    name: Annotated[str | None, typer.Option("--name", "-n", help="Replaces the file's.")] = None,
    type: Annotated[
        str | None, typer.Option("--type", help="amlcompute (a cluster) or computeinstance.")
    ] = None,
    size: Annotated[str | None, typer.Option("--size", help="As in Standard_DS3_v2.")] = None,
    min_instances: Annotated[
        int | None, typer.Option("--min-instances", help="Of a cluster; 0 costs nothing idle.")
    ] = None,
    max_instances: Annotated[
        int | None, typer.Option("--max-instances", help="Of a cluster.")
    ] = None,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Create a compute on Azure and wait for it; the same again changes nothing.

    \b
    amlkit -w NAME compute create -f cluster.yml
    amlkit -w NAME compute create --name cpu --size Standard_DS3_v2 --max-instances 4
    """
    session = Session.of(ctx)
    computes = session.workspace.computes
    flags = {
        "name": name,
        "type": type,
        "size": size,
        "min_instances": min_instances,
        "max_instances": max_instances,
    }
    spec = computes.spec(file, flags, overrides=set_ or ())
    if dry_run:
        session.output.record(Planned("create compute", spec), output or Format.json, query)
        return
    session.output.record(computes.create(spec), output, query)


@app.command()
def start(
    ctx: typer.Context, name: NameArgument, output: OutputOption = None, query: QueryOption = None
) -> None:
    """Start a compute instance on Azure and wait for it."""
    session = Session.of(ctx)
    session.output.record(session.workspace.computes.start(name), output, query)


@app.command()
def stop(
    ctx: typer.Context, name: NameArgument, output: OutputOption = None, query: QueryOption = None
) -> None:
    """Stop a compute instance on Azure, so that it costs nothing, and wait for it."""
    session = Session.of(ctx)
    session.output.record(session.workspace.computes.stop(name), output, query)


@app.command()
def delete(ctx: typer.Context, name: NameArgument, yes: YesOption = False) -> None:
    """Delete a compute on Azure and wait for it."""
    session = Session.of(ctx)
    computes = session.workspace.computes
    if computes.changeable:
        computes.show(name)
        confirm(f"deleting compute `{name}`", yes=yes)
    computes.delete(name)
