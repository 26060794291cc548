"""`amlkit model`: registered models. Wraps `services/models.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.errors import UsageError
from amlkit.options import DryRunOption, QueryOption, TagOption, pairs, shown
from amlkit.output import Format
from amlkit.records import Planned
from amlkit.session import Session

app = typer.Typer(help="Registered models.", no_args_is_help=True, rich_markup_mode=None)

ReferenceArgument = Annotated[str, typer.Argument(help="NAME, NAME:VERSION or NAME@latest.")]
FormatOption = Annotated[
    Format | None,
    typer.Option("--output", "-o", help="Format; default: table on a terminal, json in a pipe."),
]


@app.command()
def register(
    ctx: typer.Context,
    name: Annotated[str, typer.Option("--name", "-n", help="Name of the model.")],
    path: Annotated[str | None, typer.Option("--path", help="Local file or folder.")] = None,
    job: Annotated[
        str | None, typer.Option("--job", help="Job that made it; of a sweep, its best trial.")
    ] = None,
    # The contract gives this verb's --output to the job's output; the format has -o.
    output_name: Annotated[
        str, typer.Option("--output", help="The job's output; default: its ./outputs.")
    ] = "default",
    condition: Annotated[
        str | None, typer.Option("--if", help="Only when met: `metrics.accuracy > 0.9`.")
    ] = None,
    metrics: Annotated[
        Path | None, typer.Option("--metrics", help="JSON that --if judges; default: the job's.")
    ] = None,
    type: Annotated[
        str | None, typer.Option("--type", help="custom_model, mlflow_model or triton_model.")
    ] = None,
    version: Annotated[str | None, typer.Option("--version", help="Default: the next one.")] = None,
    description: Annotated[str | None, typer.Option("--description")] = None,
    tag: TagOption = None,
    dry_run: DryRunOption = False,
    output: Annotated[Format | None, typer.Option("-o", "--format", help="Format.")] = None,
    query: QueryOption = None,
) -> None:
    """Register a model from a path, or from a job's output if its metrics are good enough.

    \b
    amlkit model register --name digits --path model/
    amlkit model register -n digits --job sweep1 --output model --if 'metrics.accuracy > 0.9'
    amlkit model register -n digits --path model/ --metrics eval.json --if 'metrics.f1 > 0.9'
    """
    if job is None and output_name != "default":
        raise UsageError("--output names an output of a job", hint="give --job; the format is -o")
    session = Session.of(ctx)
    if dry_run:
        draft = session.workspace.models.draft(
            name=name,
            path=path,
            job=job,
            output=output_name,
            condition=condition,
            metrics=metrics,
            type=type,
        )
        spec = {"name": name, "version": version, "path": draft.path, **draft.spec}
        session.output.record(Planned("register model", spec), output, query)
        return
    with session.output.progress("storing") as progress:
        model = session.workspace.models.register(
            name=name,
            path=path,
            job=job,
            output=output_name,
            condition=condition,
            metrics=metrics,
            type=type,
            version=version,
            description=description,
            tags=pairs(tag),
            progress=progress,
        )
    session.output.record(model, output, query)


@app.command("list")
def list_(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Option("--name", "-n", help="All versions of this.")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Also what is archived.")] = False,
    output: FormatOption = None,
    query: QueryOption = None,
) -> None:
    """List models: the latest version of each, or every version of one."""
    session = Session.of(ctx)
    session.output.records(session.workspace.models.list(name, archived=archived), output, query)


@app.command()
def show(
    ctx: typer.Context,
    reference: ReferenceArgument,
    output: FormatOption = None,
    query: QueryOption = None,
) -> None:
    """Show one version."""
    session = Session.of(ctx)
    session.output.record(session.workspace.models.show(reference), output, query)


@app.command()
def download(
    ctx: typer.Context,
    reference: ReferenceArgument,
    target: Annotated[Path, typer.Option("--download-path", "-p", help="Folder to fill.")] = Path(),
) -> None:
    """Copy the files of a version here, and print where."""
    session = Session.of(ctx)
    session.output.text(str(session.workspace.models.download(reference, target)))


@app.command()
def archive(
    ctx: typer.Context,
    reference: ReferenceArgument,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.none,
) -> None:
    """Hide a version, or all of a name, from lists; nothing is deleted."""
    session = Session.of(ctx)
    changed = session.workspace.models.archive(reference, dry_run=dry_run)
    session.output.records(changed, shown(output, dry_run=dry_run))


@app.command()
def restore(
    ctx: typer.Context,
    reference: ReferenceArgument,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.none,
) -> None:
    """Show an archived version, or all of a name, in lists again."""
    session = Session.of(ctx)
    changed = session.workspace.models.archive(reference, archived=False, dry_run=dry_run)
    session.output.records(changed, shown(output, dry_run=dry_run))
