"""`amlkit data`: versioned data assets. Wraps `services/data.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.options import OutputOption, QueryOption, TagOption, pairs
from amlkit.session import Session

app = typer.Typer(help="Versioned data assets.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Option("--name", "-n", help="Name of the asset.")],
    path: Annotated[str, typer.Option("--path", help="Local file or folder, or a URI.")],
    type: Annotated[
        str | None, typer.Option("--type", help="uri_file, uri_folder or mltable.")
    ] = None,
    version: Annotated[str | None, typer.Option("--version", help="Default: the next one.")] = None,
    description: Annotated[str | None, typer.Option("--description")] = None,
    tag: TagOption = None,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Register data under a name and a version."""
    session = Session.of(ctx)
    with session.output.progress("storing") as progress:
        asset = session.workspace.data.create(
            name=name,
            path=path,
            type=type,
            version=version,
            description=description,
            tags=pairs(tag),
            progress=progress,
        )
    session.output.record(asset, output, query)


@app.command("list")
def list_(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Option("--name", "-n", help="All versions of this.")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Also what is archived.")] = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """List data assets: the latest version of each, or every version of one."""
    session = Session.of(ctx)
    session.output.records(session.workspace.data.list(name, archived=archived), output, query)


@app.command()
def show(
    ctx: typer.Context,
    reference: Annotated[str, typer.Argument(help="NAME, NAME:VERSION or NAME@latest.")],
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Show one version."""
    session = Session.of(ctx)
    session.output.record(session.workspace.data.show(reference), output, query)


@app.command()
def download(
    ctx: typer.Context,
    reference: Annotated[str, typer.Argument(help="NAME, NAME:VERSION or NAME@latest.")],
    target: Annotated[Path, typer.Option("--download-path", "-p", help="Folder to fill.")] = Path(),
) -> None:
    """Copy the files of a version here."""
    session = Session.of(ctx)
    with session.output.progress("downloading") as progress:
        path = session.workspace.data.download(reference, target, progress=progress)
    session.output.text(str(path))
