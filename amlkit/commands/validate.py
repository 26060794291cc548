"""`amlkit validate`: check specs offline. Wraps `services/validate.py`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from amlkit.errors import UsageError
from amlkit.options import LenientOption, QueryOption, SetOption
from amlkit.output import Format, is_terminal
from amlkit.session import Session

app = typer.Typer(rich_markup_mode=None)


class ValidateFormat(StrEnum):
    """The formats of every command, and SARIF."""

    table = "table"
    json = "json"
    jsonl = "jsonl"
    yaml = "yaml"
    tsv = "tsv"
    csv = "csv"
    name = "name"
    none = "none"
    sarif = "sarif"


@app.command()
def validate(
    ctx: typer.Context,
    files: Annotated[list[str] | None, typer.Argument(help="YAML files; `-` reads stdin.")] = None,
    set_: SetOption = None,
    lenient: LenientOption = False,
    schema: Annotated[
        str | None, typer.Option("--schema", help="Print a kind's JSON Schema, as `job.sweep`.")
    ] = None,
    output: Annotated[
        ValidateFormat | None,
        typer.Option("--output", "-o", help="As elsewhere, or sarif for code hosts."),
    ] = None,
    query: QueryOption = None,
) -> None:
    """Check YAML specs offline; every problem with its position. Exit code 2 if any is an error.

    \b
    amlkit validate train.yml sweep.yml
    amlkit validate *.yml -o sarif > amlkit.sarif
    amlkit validate sweep.yml -o json --query '[].problems[].code'
    """
    from amlkit import specs
    from amlkit.output import formats, problems
    from amlkit.services.validate import MISSING
    from amlkit.services.validate import validate as check

    session = Session.of(ctx)
    if schema is not None:
        session.output.text(formats.dump(specs.json_schema(schema)))
        return
    if not files:
        raise UsageError("no file is named", hint="amlkit validate train.yml")
    verdicts = check(files, overrides=set_ or (), lenient=lenient)
    if output == "sarif":
        from amlkit.services.sarif import sarif

        session.output.text(formats.dump(sarif(verdicts)))
    else:
        silent = output is None and query is None and not is_terminal(sys.stdout)
        chosen = Format(output) if output is not None else Format.none if silent else None
        session.output.records(verdicts, chosen, query)
    found = [each for verdict in verdicts for each in verdict.problems]
    problems.show(found)
    errors = {each.code for each in found if each.severity == "error"}
    if errors:
        raise typer.Exit(3 if errors == {MISSING} else 2)
