"""`amlkit validate`: check specs offline. Wraps `services/validate.py`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from amlkit.errors import UsageError
from amlkit.options import LenientOption, OutputOption, QueryOption, SetOption
from amlkit.output import Format, is_terminal, paint
from amlkit.session import Session

app = typer.Typer(rich_markup_mode=None)


@app.command()
def validate(
    ctx: typer.Context,
    files: Annotated[list[str] | None, typer.Argument(help="YAML files; `-` reads stdin.")] = None,
    set_: SetOption = None,
    lenient: LenientOption = False,
    schema: Annotated[
        str | None, typer.Option("--schema", help="Print a kind's JSON Schema, as `job.sweep`.")
    ] = None,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Check YAML specs offline; every problem with its position. Exit code 2 if any is an error.

    \b
    amlkit validate train.yml sweep.yml
    amlkit validate sweep.yml -o json --query '[].problems[].code'
    """
    from amlkit import specs
    from amlkit.output import formats
    from amlkit.services.validate import validate as check

    session = Session.of(ctx)
    if schema is not None:
        session.output.text(formats.dump(specs.json_schema(schema)))
        return
    if not files:
        raise UsageError("no file is named", hint="amlkit validate train.yml")
    verdicts = check(files, overrides=set_ or (), lenient=lenient)
    if output is None and query is None and not is_terminal(sys.stdout):
        output = Format.none
    session.output.records(verdicts, output, query)
    for verdict in verdicts:
        for each in verdict.problems:
            style = "bold red" if each.severity == "error" else "yellow"
            sys.stderr.write(f"{paint(each.severity + ':', style, sys.stderr)} {each}\n")
            if each.hint:
                sys.stderr.write(f"{paint('hint:', 'cyan', sys.stderr)} {each.hint}\n")
    if not all(verdict.valid for verdict in verdicts):
        raise typer.Exit(2)
