"""`amlkit init`: copy a bundled project. Wraps `services/templates.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.errors import UsageError
from amlkit.options import OutputOption, QueryOption
from amlkit.services import templates
from amlkit.session import Session

app = typer.Typer(rich_markup_mode=None)


@app.command()
def init(
    ctx: typer.Context,
    template: Annotated[str | None, typer.Argument(help="Name of the project.")] = None,
    target: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="New folder; default: the name, here.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the bundled projects.")] = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Copy a bundled project: code, specs and a README that says how to run them.

    \b
    amlkit init --list
    amlkit init mnist digits
    """
    session = Session.of(ctx)
    if list_:
        session.output.records(templates.available(), output, query)
        return
    if template is None:
        raise UsageError("no project is named", hint="amlkit init --list shows them")
    made = templates.copy(template, target)
    session.output.record(made, output, query)
    session.output.note(f"next: cd {made.path}, and read README.md")
