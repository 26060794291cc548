"""`amlkit emulator`: serve the embedded workspace to the Azure SDK. Wraps `amlkit/emulator`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.options import OutputOption
from amlkit.output import Format
from amlkit.session import Session

app = typer.Typer(
    help="An Azure ML on this machine for your own SDK scripts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def start(
    ctx: typer.Context,
    port: Annotated[int, typer.Option("--port", help="On 127.0.0.1; 0: any that is free.")] = 0,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Go on in the background, and return.")
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="Fail requests: 429:3, reset:1, 500:1:'PUT .*/jobs/'."),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", help="Append each request to a file: its fields, no values."),
    ] = None,
    current_python: Annotated[
        bool,
        typer.Option("--current-python", help="Jobs run in this Python, with nothing installed."),
    ] = False,
    output: OutputOption = None,
) -> None:
    """Serve the embedded workspace as an Azure ML workspace, on loopback HTTPS.

    Scripts that use MLClient(DefaultAzureCredential(), ...) run against it unchanged, and their
    jobs run on this machine. Whatever subscription, resource group and workspace they name, they
    get this one.

    Example: amlkit emulator start --detach && eval "$(amlkit emulator env)"
    Example: amlkit emulator start --detach --fault 429:3
    """
    session = Session.of(ctx)
    from amlkit.emulator import faults, process

    wanted = [faults.parse(each) for each in fault or ()]
    process.area_of(session.choice)
    if detach:
        running = process.start_detached(
            session.choice, port, fault or (), current_python=current_python, record=record
        )
        session.output.record(running, output)
        return
    from amlkit.emulator import server

    server.serve(
        session.choice,
        port,
        wanted,
        current_python=current_python,
        record=record,
        ready=lambda running: session.output.record(running, output),
    )


@app.command()
def env(ctx: typer.Context, output: OutputOption = None) -> None:
    """Print what points the Azure SDK at the running emulator, for `eval`.

    IDENTITY_HEADER is the secret of this start: whoever has it can use the workspace until the
    emulator stops.

    Example: eval "$(amlkit emulator env)"
    Example: amlkit emulator env -o json
    """
    session = Session.of(ctx)
    import json
    import shlex

    from amlkit.emulator.process import area_of

    variables = area_of(session.choice).running().environment()
    if output is Format.json:
        session.output.text(json.dumps(variables, indent=2))
        return
    lines = (f"export {key}={shlex.quote(value)}" for key, value in variables.items())
    session.output.text("\n".join(lines))


@app.command()
def stop(ctx: typer.Context, output: OutputOption = None) -> None:
    """Stop the emulator; the jobs that it started go on.

    Example: amlkit emulator stop
    Example: amlkit -w demo emulator stop -o none
    """
    session = Session.of(ctx)
    from amlkit.emulator import process

    session.output.record(process.stop(session.choice), output)
