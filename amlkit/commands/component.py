"""`amlkit component`: reusable steps of pipelines. Wraps `services/components.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.errors import UsageError
from amlkit.options import DryRunOption, LenientOption, OutputOption, QueryOption, SetOption, shown
from amlkit.output import Format
from amlkit.records import Planned
from amlkit.session import Session

app = typer.Typer(help="Reusable steps of pipelines.", no_args_is_help=True, rich_markup_mode=None)

ReferenceArgument = Annotated[str, typer.Argument(help="NAME, NAME:VERSION or NAME@latest.")]


@app.command()
def register(
    ctx: typer.Context,
    files: Annotated[list[str], typer.Argument(help="YAML files; `-` reads stdin.")],
    name: Annotated[str | None, typer.Option("--name", "-n", help="Replaces the file's.")] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="Replaces the file's; default: the next one.")
    ] = None,
    set_: SetOption = None,
    if_changed: Annotated[
        bool,
        typer.Option(
            "--if-changed/--always", help="No new version while the content is the latest's."
        ),
    ] = True,
    allow_secrets: Annotated[
        bool, typer.Option("--allow-secrets", help="Store code that looks like it has a secret.")
    ] = False,
    lenient: LenientOption = False,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Register components with their code; the same content again is no new version.

    A pipeline's inner components (`component: ./x.yml`) are stored with it, so that it can be used
    from any folder as `component: azureml:NAME@latest`.

    \b
    amlkit component register train.yml evaluate.yml -o name
    cat train.yml | amlkit component register -
    """
    if len(files) > 1 and (name or version):
        raise UsageError("--name and --version go with one file", hint="register them one by one")
    from amlkit.services.components import load

    session = Session.of(ctx)
    loaded = [load(file, set_ or (), lenient=lenient) for file in files]
    for each in loaded:
        for problem in each.warnings:
            session.output.warning(str(problem))
    components = session.workspace.components
    if dry_run:
        planned = [
            Planned(f"register {file}", components.preview(each, name=name, version=version))
            for file, each in zip(files, loaded, strict=True)
        ]
        session.output.records(planned, output or Format.json, query)
        return
    stored = components.register_all(
        loaded, name=name, version=version, if_changed=if_changed, allow_secrets=allow_secrets
    )
    if len(stored) == 1:
        session.output.record(stored[0], output, query)
    else:
        session.output.records(stored, output, query)


app.command("create", hidden=True)(register)


@app.command("from-function")
def from_function(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="PATH.py:FUNCTION", help="A typed function.")],
    output_dir: Annotated[
        Path | None,
        typer.Option("--output-dir", "-O", help="Where to write; default: beside the function."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="Of the component; default: the function's.")
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(
            "--environment", help="A conda file or azureml:NAME; default: the conda file there."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that it did not write.")
    ] = False,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Write a component and its command line from a typed Python function.

    Types are int, float, bool, str, Literal of strings, Input(...) and Output(...); a default makes
    an input optional. The file is read, never imported.

    \b
    amlkit component from-function src/train.py:train -O components
    amlkit component from-function train.py:train -o name | xargs amlkit component register
    """
    from amlkit.services.from_function import from_function

    session = Session.of(ctx)
    made = from_function(
        source, output_dir, name=name, environment=environment, force=force, dry_run=dry_run
    )
    if dry_run:
        planned = Planned(f"write {made.path} and {made.entry}", made.spec)
        session.output.record(planned, output or Format.json, query)
        return
    session.output.record(made, output, query)


@app.command("list")
def list_(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Option("--name", "-n", help="All versions of this.")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Also what is archived.")] = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """List components: the latest version of each, or every version of one."""
    session = Session.of(ctx)
    found = session.workspace.components.list(name, archived=archived)
    session.output.records(found, output, query)


@app.command()
def show(
    ctx: typer.Context,
    reference: ReferenceArgument,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Show one version, with its spec; as YAML it can be registered again.

    \b
    amlkit component show train@latest -o yaml | amlkit component register - -n train_copy
    """
    session = Session.of(ctx)
    session.output.record(session.workspace.components.show(reference), output, query)


@app.command()
def archive(
    ctx: typer.Context,
    reference: ReferenceArgument,
    dry_run: DryRunOption = False,
    output: OutputOption = Format.none,
) -> None:
    """Hide a version, or all of a name, from lists."""
    session = Session.of(ctx)
    changed = session.workspace.components.archive(reference, dry_run=dry_run)
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
    found = session.workspace.components.archive(reference, archived=False, dry_run=dry_run)
    session.output.records(found, shown(output, dry_run=dry_run))
