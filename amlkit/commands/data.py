"""`amlkit data`: versioned data assets. Wraps `services/data.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.commands.data_preview import preview
from amlkit.options import (
    DryRunOption,
    FileOption,
    OutputOption,
    QueryOption,
    SetOption,
    TagOption,
    pairs,
)
from amlkit.records import Planned
from amlkit.services import data_specs
from amlkit.session import Session

app = typer.Typer(help="Versioned data assets.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def create(
    ctx: typer.Context,
    file: FileOption = None,
    name: Annotated[str | None, typer.Option("--name", "-n", help="Name of the asset.")] = None,
    path: Annotated[
        str | None, typer.Option("--path", help="Local file or folder, or a URI.")
    ] = None,
    type: Annotated[
        str | None, typer.Option("--type", help="uri_file, uri_folder or mltable.")
    ] = None,
    version: Annotated[str | None, typer.Option("--version", help="Default: the next one.")] = None,
    description: Annotated[str | None, typer.Option("--description")] = None,
    tag: TagOption = None,
    set_: SetOption = None,
    if_changed: Annotated[
        bool, typer.Option("--if-changed", help="No new version of the same content.")
    ] = False,
    reference: Annotated[
        bool, typer.Option("--reference", help="Copy nothing; the files must stay as they are.")
    ] = False,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Register data under a name and a version, from flags or a YAML file.

    \b
    amlkit data create --name digits --path data/train --type uri_folder
    amlkit data create -f data.yml --if-changed
    """
    session = Session.of(ctx)
    wanted = data_specs.read(
        file,
        name=name,
        path=path,
        type=type,
        version=version,
        description=description,
        tags=pairs(tag),
        overrides=set_ or (),
    )
    if dry_run:
        session.output.record(Planned("create data", wanted.as_dict()), output, query)
        return
    with session.output.progress("storing") as progress:
        asset = session.workspace.data.create(
            name=wanted.name,
            path=wanted.path,
            type=wanted.type,
            version=wanted.version,
            description=wanted.description,
            tags=wanted.tags,
            if_changed=if_changed,
            by_reference=reference,
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
def diff(
    ctx: typer.Context,
    one: Annotated[str, typer.Argument(help="NAME:VERSION, as it was.")],
    other: Annotated[str, typer.Argument(help="NAME:VERSION, as it is.")],
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """List the files that were added, removed or changed between two versions.

    Example: amlkit data diff digits:1 digits:2
    """
    session = Session.of(ctx)
    changes = session.workspace.data.diff(one, other)
    session.output.records(changes, output, query, empty="no file differs")


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


app.command()(preview)


_Reference = Annotated[str, typer.Argument(help="NAME, NAME:VERSION or NAME@latest.")]
_Seed = Annotated[int, typer.Option("--seed", help="Same seed, same choice, on any machine.")]


@app.command()
def sample(
    ctx: typer.Context,
    reference: _Reference,
    output_dir: Annotated[Path, typer.Option("--output-dir", help="Folder to fill.")],
    fraction: Annotated[float | None, typer.Option("--fraction", help="0 to 1.")] = None,
    take: Annotated[int | None, typer.Option("--take", min=0, help="At most so many.")] = None,
    seed: _Seed = 0,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Copy a reproducible choice of the files here.

    Example: amlkit data sample digits --take 30 --seed 1 --output-dir some
    """
    session = Session.of(ctx)
    with session.output.progress("sampling") as progress:
        files = session.workspace.data.sample(
            reference,
            output_dir,
            fraction=fraction,
            take=take,
            seed=seed,
            dry_run=dry_run,
            progress=progress,
        )
    session.output.records(files, output, query)


@app.command()
def split(
    ctx: typer.Context,
    reference: _Reference,
    into: Annotated[tuple[str, str], typer.Option("--into", help="Names of the two assets.")],
    fraction: Annotated[float, typer.Option("--fraction", help="Of the first part.")] = 0.8,
    seed: _Seed = 0,
    stratify: Annotated[
        bool, typer.Option("--stratify", help="Split every folder by itself.")
    ] = False,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Register two assets that part the files of one.

    Example: amlkit data split digits --fraction 0.8 --seed 123 --into digits_train digits_val
    """
    session = Session.of(ctx)
    with session.output.progress("splitting") as progress:
        parts = session.workspace.data.split(
            reference,
            into,
            fraction=fraction,
            seed=seed,
            stratify=stratify,
            dry_run=dry_run,
            progress=progress,
        )
    session.output.records(parts, output, query)


@app.command()
def archive(
    ctx: typer.Context,
    reference: _Reference,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Hide a version, or all of a name, from lists."""
    session = Session.of(ctx)
    session.output.records(
        session.workspace.data.archive(reference, dry_run=dry_run), output, query
    )


@app.command()
def restore(
    ctx: typer.Context,
    reference: _Reference,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Show again what was archived."""
    session = Session.of(ctx)
    changed = session.workspace.data.archive(reference, archived=False, dry_run=dry_run)
    session.output.records(changed, output, query)
