"""`amlkit workspace`: log in, choose and inspect. Wraps `services/workspaces.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.commands.workspace_upkeep import gc, verify
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
    interactive: Annotated[bool, typer.Option("--interactive", help="In a browser.")] = False,
    device_code: Annotated[
        bool, typer.Option("--device-code", help="With a code, in a browser anywhere.")
    ] = False,
    service_principal: Annotated[
        bool, typer.Option("--service-principal", help="With a secret or a certificate.")
    ] = False,
    azure_cli: Annotated[bool, typer.Option("--azure-cli", help="As `az login` did.")] = False,
    managed_identity: Annotated[
        bool, typer.Option("--managed-identity", help="As the Azure machine that this is.")
    ] = False,
    workload_identity: Annotated[
        bool, typer.Option("--workload-identity", help="By OIDC: CI jobs, Kubernetes.")
    ] = False,
    default: Annotated[
        bool, typer.Option("--default", help="Whatever DefaultAzureCredential finds.")
    ] = False,
    subscription: Annotated[str | None, typer.Option("--subscription", help="Its id.")] = None,
    resource_group: Annotated[
        str | None, typer.Option("--resource-group", "-g", help="The workspace's.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="The workspace's; with --local: for -w."),
    ] = None,
    alias: Annotated[
        str | None, typer.Option("--alias", help="Name for -w; default: the workspace's.")
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Id of the tenant.")] = None,
    client_id: Annotated[
        str | None, typer.Option("--client-id", help="Of the application or identity.")
    ] = None,
    client_secret_stdin: Annotated[
        bool,
        typer.Option("--client-secret-stdin", help="Read it; else AZURE_CLIENT_SECRET."),
    ] = False,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="PEM or PFX file with the private key.")
    ] = None,
    cloud: Annotated[
        str | None, typer.Option("--cloud", help="AzureCloud, AzureChinaCloud, AzureUSGovernment.")
    ] = None,
    plain_cache: Annotated[
        bool,
        typer.Option("--plain-cache", help="Keep tokens unencrypted if need be."),
    ] = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Log in to an Azure ML workspace, or make an embedded one, and use it from now on.

    \b
    amlkit workspace login --local
    amlkit workspace login --azure-cli --subscription ID -g GROUP --name WORKSPACE
    """
    session = Session.of(ctx)
    ways = {
        "interactive": interactive,
        "device-code": device_code,
        "service-principal": service_principal,
        "azure-cli": azure_cli,
        "managed-identity": managed_identity,
        "workload-identity": workload_identity,
        "default": default,
    }
    chosen = [way for way, asked in ways.items() if asked]
    if len(chosen) + local != 1:
        raise UsageError(
            "how to log in is not said" if not (chosen or local) else "two ways to log in are said",
            hint=f"give one of --local, {', '.join(f'--{way}' for way in ways)}",
        )
    if local:
        session.output.record(workspaces.login_local(folder, name), output, query)
        return
    if (client_secret_stdin or certificate) and not service_principal:
        raise UsageError(
            "a secret or certificate is a service principal's", hint="--service-principal"
        )
    choice = workspaces.azure_choice(
        name=name,
        subscription=subscription,
        resource_group=resource_group,
        alias=alias,
        tenant=tenant,
        cloud=cloud,
        credential={
            "method": chosen[0],
            "client_id": client_id or "",
            "certificate": str(certificate.absolute()) if certificate else "",
        },
    )
    made = workspaces.login_azure(
        choice,
        secret=_secret() if client_secret_stdin else None,
        tell=_tell,
        may_cache_plain=lambda: plain_cache or _plain_is_fine(),
    )
    session.output.record(made, output, query)


def _secret() -> str:
    import getpass
    import sys

    if sys.stdin.isatty():
        return getpass.getpass("client secret: ")
    return sys.stdin.readline().strip()


def _plain_is_fine() -> bool:
    import sys

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return typer.confirm(
        "this platform cannot encrypt tokens: keep them in a file only you can read?", err=True
    )


def _tell(text: str) -> None:
    typer.echo(text, err=True)


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
    """Check what the workspace needs: catalogue, disk, uv; or cloud, network, clock, login, files.

    Exit code 1 if something is not well, 4 if Azure cannot be used.
    """
    session = Session.of(ctx)
    checks = workspaces.doctor(session.choice)
    session.output.records(checks, output, query)
    for each in checks:
        if not each.well and session.choice.kind == "azure":
            raise NotLoggedIn(f"{each.name}: {each.found}", hint=each.fix)
        if not each.well:
            raise typer.Exit(1)


app.command()(verify)
app.command()(gc)
