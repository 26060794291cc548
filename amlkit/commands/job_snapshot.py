"""`amlkit job snapshot`: what a job uploads of its code. Wraps `services/snapshots.py`."""

from __future__ import annotations

from typing import Annotated

import typer

from amlkit.options import OutputOption, QueryOption
from amlkit.session import Session

app = typer.Typer(
    name="snapshot",
    help="What a job uploads of its code: ls, diff, why.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

SourceArgument = Annotated[
    str, typer.Argument(metavar="[SOURCE]", help="A job's YAML, or its code folder.")
]


@app.command()
def ls(
    ctx: typer.Context,
    source: SourceArgument = ".",
    ignored: Annotated[
        bool, typer.Option("--ignored", help="Also what is left out, and by which rule.")
    ] = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """List the files that would be uploaded.

    \b
    amlkit job snapshot ls train.yml
    amlkit job snapshot ls src --ignored
    """
    from amlkit.services import snapshots

    session = Session.of(ctx)
    files = snapshots.listed(source, ignored=ignored)
    session.output.records(files, output, query)
    sizes = [each.size for each in files if each.size is not None]
    session.output.note(f"{len(sizes)} files, {sum(sizes)} bytes")
    if (reason := snapshots.refused(source)) is not None:
        session.output.warning(f"a job would be refused: {reason}")


@app.command()
def diff(
    ctx: typer.Context,
    source: SourceArgument = ".",
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """List what was added, removed or changed since the last run from the same folder.

    Example: amlkit job snapshot diff train.yml
    """
    from amlkit.services import snapshots

    session = Session.of(ctx)
    changes, jobs = snapshots.changed(session.workspace.backend, source)
    session.output.records(changes, output, query, empty="no file has changed")
    session.output.note(f"since {', '.join(jobs)}")


@app.command()
def why(
    ctx: typer.Context,
    file: Annotated[list[str], typer.Argument(metavar="[SOURCE] FILE", help="File to ask about.")],
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Say whether a file would be uploaded, and the rule that decides.

    SOURCE is a job's YAML or its code folder; without it, the current folder.

    \b
    amlkit job snapshot why data/raw.csv
    amlkit job snapshot why train.yml data/raw.csv
    """
    from amlkit.errors import UsageError
    from amlkit.services import snapshots

    if len(file) > 2:
        raise UsageError("`why` takes one file", hint="amlkit job snapshot why [SOURCE] FILE")
    source = file[0] if len(file) == 2 else "."
    session = Session.of(ctx)
    session.output.record(snapshots.why(source, file[-1]), output, query)
