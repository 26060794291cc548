"""`amlkit env`: environments, also from pyproject.toml. Wraps `services/environments.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.commands.env_from_poetry import CheckCommand, from_poetry
from amlkit.errors import UsageError
from amlkit.options import (
    DryRunOption,
    FileOption,
    OutputOption,
    QueryOption,
    SetOption,
    YesOption,
    confirm,
    shown,
)
from amlkit.output import Format
from amlkit.records import Planned
from amlkit.session import Session

app = typer.Typer(
    help="Environments, also from pyproject.toml.", no_args_is_help=True, rich_markup_mode=None
)
app.command("from-poetry", cls=CheckCommand)(from_poetry)

ReferenceArgument = Annotated[str, typer.Argument(help="NAME, NAME:VERSION or NAME@latest.")]


@app.command()
def create(
    ctx: typer.Context,
    file: FileOption = None,
    name: Annotated[str | None, typer.Option("--name", "-n", help="Replaces the file's.")] = None,
    image: Annotated[str | None, typer.Option("--image", help="Base image.")] = None,
    conda_file: Annotated[
        Path | None, typer.Option("--conda-file", help="Conda file to install on the image.")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="Default: the next one if something changed.")
    ] = None,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Register an environment; the same content again is no new version.

    \b
    amlkit env create -f environment.asset.yml
    amlkit env create --name train --image IMAGE --conda-file environment.yml
    """
    session = Session.of(ctx)
    environments = session.workspace.environments
    draft = environments.draft(
        file=file,
        name=name,
        image=image,
        conda_file=conda_file,
        version=version,
        overrides=set_ or (),
    )
    if dry_run:
        planned = Planned(f"register environment {draft.name}", draft.spec)
        session.output.record(planned, output or Format.json, query)
        return
    session.output.record(environments.create(draft), output, query)


@app.command()
def build(
    ctx: typer.Context,
    reference: Annotated[
        str | None, typer.Argument(help="NAME, NAME:VERSION or NAME@latest.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A conda file instead of an asset.")
    ] = None,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Build an environment on this machine and import its top-level packages.

    \b
    amlkit env build train
    amlkit env build -f environment.yml
    """
    if (reference is None) == (file is None):
        raise UsageError("what to build is not said", hint="write NAME, or -f conda.yml")
    session = Session.of(ctx)
    environments = session.workspace.environments
    built = (
        environments.build(reference, log=session.output.success)
        if reference is not None
        else environments.build_file(file or Path(), log=session.output.success)
    )
    session.output.record(built, output, query)


@app.command("list")
def list_(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Option("--name", "-n", help="All versions of this.")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Also what is archived.")] = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """List environments, whether each is built here, and its size in bytes."""
    session = Session.of(ctx)
    found = session.workspace.environments.list(name, archived=archived)
    session.output.records(found, output, query)


@app.command()
def show(
    ctx: typer.Context,
    reference: ReferenceArgument,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Show one version, with its image and conda file."""
    session = Session.of(ctx)
    session.output.record(session.workspace.environments.show(reference), output, query)


@app.command()
def archive(
    ctx: typer.Context,
    reference: ReferenceArgument,
    dry_run: DryRunOption = False,
    output: OutputOption = Format.none,
) -> None:
    """Hide a version, or all of a name, from lists."""
    session = Session.of(ctx)
    changed = session.workspace.environments.archive(reference, dry_run=dry_run)
    session.output.records(changed, shown(output, dry_run=dry_run))


@app.command()
def restore(
    ctx: typer.Context,
    reference: ReferenceArgument,
    dry_run: DryRunOption = False,
    output: OutputOption = Format.none,
) -> None:
    """Show an archived version, or all of a name, in lists again."""
    session = Session.of(ctx)
    found = session.workspace.environments.archive(reference, archived=False, dry_run=dry_run)
    session.output.records(found, shown(output, dry_run=dry_run))


@app.command()
def prune(
    ctx: typer.Context,
    yes: YesOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would go; delete nothing.")
    ] = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Delete what is built here and no environment asset refers to. It can be built again.

    Example: amlkit env prune --dry-run -o name
    """
    session = Session.of(ctx)
    environments = session.workspace.environments
    unused = environments.unused()
    if unused and not dry_run:
        confirm(f"deleting {len(unused)} built environments", yes=yes)
        environments.remove(unused)
    session.output.records(unused, output, query)
