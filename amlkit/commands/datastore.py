"""`amlkit datastore`: named places for files. Wraps `services/datastores.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.errors import UsageError
from amlkit.options import FileOption, OutputOption, QueryOption, SetOption, YesOption, confirm
from amlkit.session import Session

app = typer.Typer(help="Named places for files.", no_args_is_help=True, rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(help="Name of the datastore.")]


@app.command()
def create(
    ctx: typer.Context,
    file: FileOption = None,
    name: Annotated[str | None, typer.Option("--name", "-n", help="Replaces the file's.")] = None,
    path: Annotated[str | None, typer.Option("--path", help="Folder that it stands for.")] = None,
    type: Annotated[str, typer.Option("--type", help="`local`: a folder here.")] = "local",
    description: Annotated[str | None, typer.Option("--description")] = None,
    set_: SetOption = None,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Name a place for files, so that specs can refer to it as azureml://datastores/NAME/paths/...

    \b
    amlkit datastore create --name raw --path ./raw
    amlkit -w NAME datastore create -f blob-datastore.yml
    """
    session = Session.of(ctx)
    datastores = session.workspace.datastores
    if file is not None:
        made = datastores.create_from(file, name=name, overrides=set_ or ())
    elif name is None or path is None:
        raise UsageError("a name and a path are needed", hint="--name NAME --path FOLDER, or -f")
    else:
        made = datastores.create(name=name, path=path, type=type, description=description)
    session.output.record(made, output, query)


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
def delete(ctx: typer.Context, name: NameArgument, yes: YesOption = False) -> None:
    """Forget a datastore; its files stay where they are."""
    session = Session.of(ctx)
    session.workspace.datastores.show(name)
    confirm(f"forget datastore `{name}`", yes=yes)
    session.workspace.datastores.delete(name)


@app.command()
def ls(
    ctx: typer.Context,
    name: NameArgument,
    prefix: Annotated[str, typer.Argument(help="Only below this path.")] = "",
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """List the files of a datastore."""
    session = Session.of(ctx)
    session.output.records(session.workspace.datastores.files(name, prefix), output, query)


@app.command()
def upload(
    ctx: typer.Context,
    name: NameArgument,
    path: Annotated[Path, typer.Option("--path", help="Local file or folder.")],
    target: Annotated[str, typer.Option("--target", help="Path in the datastore.")] = "",
) -> None:
    """Copy a file or folder into a datastore."""
    session = Session.of(ctx)
    with session.output.progress("uploading") as progress:
        count = session.workspace.datastores.upload(name, path, target=target, progress=progress)
    session.output.success(f"{count} files")


@app.command()
def download(
    ctx: typer.Context,
    name: NameArgument,
    prefix: Annotated[str, typer.Argument(help="File or folder in the datastore.")],
    target: Annotated[Path, typer.Option("--download-path", "-p", help="Folder to fill.")] = Path(),
) -> None:
    """Copy files out of a datastore."""
    session = Session.of(ctx)
    with session.output.progress("downloading") as progress:
        count = session.workspace.datastores.download(name, prefix, target, progress=progress)
    session.output.success(f"{count} files")
