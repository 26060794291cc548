"""`amlkit workspace`: log in, choose and inspect. Wraps `services/workspaces.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.errors import NotLoggedIn, UsageError
from amlkit.options import OutputOption, QueryOption
from amlkit.output import Format
from amlkit.services import workspaces
from amlkit.session import Session

app = typer.Typer(
    help="Log in, choose and inspect workspaces.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def login(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="With --local: keep it in DIR/.amlkit.")
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="An embedded workspace.")] = False,
    interactive: Annotated[bool, typer.Option("--interactive", hidden=True)] = False,
    device_code: Annotated[bool, typer.Option("--device-code", hidden=True)] = False,
    service_principal: Annotated[bool, typer.Option("--service-principal", hidden=True)] = False,
    azure_cli: Annotated[bool, typer.Option("--azure-cli", hidden=True)] = False,
    managed_identity: Annotated[bool, typer.Option("--managed-identity", hidden=True)] = False,
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="Name for -w; default: the folder's.")
    ] = None,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Make an embedded workspace, and use it from now on.

    \b
    amlkit workspace login --local
    amlkit workspace login --local ./project --name project
    """
    if interactive or device_code or service_principal or azure_cli or managed_identity:
        raise NotLoggedIn(
            "this version of amlkit works on embedded workspaces only; nothing was sent to Azure",
            hint="amlkit workspace login --local",
        )
    if not local:
        raise UsageError("how to log in is not said", hint="amlkit workspace login --local [DIR]")
    session = Session.of(ctx)
    session.output.record(workspaces.login_local(folder, name), output, query)


@app.command()
def logout(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="Name of the workspace.")]
) -> None:
    """Forget a workspace; what is in it stays."""
    Session.of(ctx).output.record(workspaces.logout(name), Format.none)


@app.command("list")
def list_(ctx: typer.Context, output: OutputOption = None, query: QueryOption = None) -> None:
    """List the workspaces that -w knows."""
    session = Session.of(ctx)
    session.output.records(workspaces.listed(session.workspace_flag), output, query)


@app.command()
def show(ctx: typer.Context, output: OutputOption = None, query: QueryOption = None) -> None:
    """Show the workspace that commands use here, and what chose it."""
    session = Session.of(ctx)
    session.output.record(workspaces.shown(session.choice), output, query)


@app.command()
def use(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the workspace.")],
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Use a workspace whenever nothing else chooses one."""
    Session.of(ctx).output.record(workspaces.use(name), output, query)


@app.command()
def doctor(ctx: typer.Context, output: OutputOption = None, query: QueryOption = None) -> None:
    """Check what the workspace needs: catalogue, disk, uv. Exit code 1 if something is not well."""
    session = Session.of(ctx)
    checks = workspaces.doctor(session.choice)
    session.output.records(checks, output, query)
    if not all(each.well for each in checks):
        raise typer.Exit(1)
