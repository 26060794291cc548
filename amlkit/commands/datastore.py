"""`amlkit datastore`: named places for files. Wraps `services/datastores.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.commands.datastore_create import create
from amlkit.options import DryRunOption, OutputOption, QueryOption, YesOption, confirm
from amlkit.output import Format
from amlkit.records import Planned
from amlkit.session import Session
from amlkit.transfers import Transferred

app = typer.Typer(help="Named places for files.", no_args_is_help=True, rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(help="Name of the datastore.")]


app.command()(create)


@app.command("list")
def list_(ctx: typer.Context, output: OutputOption = None, query: QueryOption = None) -> None:
    """List datastores, the default first."""
    session = Session.of(ctx)
    session.output.records(session.workspace.datastores.list(), output, query)


@app.command()
def show(
    ctx: typer.Context, name: NameArgument, output: OutputOption = None, query: QueryOption = None
) -> None:
    """Show one datastore; credentials are never printed."""
    session = Session.of(ctx)
    session.output.record(session.workspace.datastores.show(name), output, query)


@app.command()
def delete(
    ctx: typer.Context,
    name: NameArgument,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Forget a datastore and its secret; its files stay where they are."""
    session = Session.of(ctx)
    found = session.workspace.datastores.show(name)
    if dry_run:
        session.output.record(Planned("delete datastore", found.as_dict()), output, query)
        return
    confirm(f"deleting datastore `{name}`", yes=yes)
    left = session.workspace.datastores.delete(name)
    if left is not None:
        session.output.warning(left)


@app.command()
def ls(
    ctx: typer.Context,
    name: NameArgument,
    prefix: Annotated[str, typer.Argument(help="Only below this path, or a glob.")] = "",
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """List the files of a datastore.

    Example: amlkit datastore ls images 'train/**/*.png'
    """
    session = Session.of(ctx)
    session.output.records(session.workspace.datastores.files(name, prefix), output, query)


@app.command()
def upload(
    ctx: typer.Context,
    name: NameArgument,
    path: Annotated[Path, typer.Option("--path", help="Local file, folder or glob.")],
    target: Annotated[str, typer.Option("--target", help="Path in the datastore.")] = "",
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove from the target what the folder has not.")
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Copy files into a datastore; again sends only what is missing or has changed.

    Example: amlkit datastore upload images --path 'data/**/*.png' --target train
    """
    session = Session.of(ctx)
    if delete and not dry_run:
        confirm(f"removing from `{target}` of datastore `{name}` what is not in `{path}`", yes=yes)
    with session.output.progress("uploading") as progress:
        done = session.workspace.datastores.upload(
            name, path, target=target, delete=delete, dry_run=dry_run, progress=progress
        )
    _tell(session, done, output, query)


@app.command()
def download(
    ctx: typer.Context,
    name: NameArgument,
    prefix: Annotated[str, typer.Argument(help="File, folder or glob in the datastore.")],
    target: Annotated[Path, typer.Option("--download-path", "-p", help="Folder to fill.")] = Path(),
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove from the folder what the datastore has not.")
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Copy files out of a datastore; again fetches only what is missing or has changed.

    Example: amlkit datastore download images 'train/**/*.png' -p ./images
    """
    session = Session.of(ctx)
    if delete and not dry_run:
        confirm(f"removing from `{target}` what is not in datastore `{name}`", yes=yes)
    with session.output.progress("downloading") as progress:
        done = session.workspace.datastores.download(
            name, prefix, target, delete=delete, dry_run=dry_run, progress=progress
        )
    _tell(session, done, output, query)


def _tell(session: Session, done: Transferred, output: Format | None, query: str | None) -> None:
    """Say on a terminal how much was copied; print the record where it is asked for."""
    if done.dry_run or output is not None or query is not None:
        session.output.record(done, output, query)
        return
    removed = f", {len(done.deleted)} removed" if done.deleted else ""
    session.output.success(f"{len(done.copied)} files, {done.skipped} were there{removed}")
