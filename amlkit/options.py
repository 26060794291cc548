"""Options that many commands share, declared once so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from amlkit.errors import UsageError
from amlkit.output import Format

OutputOption: TypeAlias = Annotated[
    Format | None,
    typer.Option("--output", "-o", help="Format; default: table on a terminal, json in a pipe."),
]
QueryOption: TypeAlias = Annotated[
    str | None, typer.Option("--query", help="JMESPath over the JSON, as in `az`.")
]
FileOption: TypeAlias = Annotated[
    Path | None, typer.Option("--file", "-f", help="YAML spec; `-` reads stdin.")
]
SetOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", help="Override a field: `a.b.c=value`. Repeatable.")
]
DryRunOption: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be done; change nothing.")
]
JobArgument: TypeAlias = Annotated[
    str, typer.Argument(help="Name of the job; a step is PIPELINE/STEP.")
]
TagOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--tag", help="Tag as `key=value`. Repeatable.")
]
YesOption: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
LenientOption: TypeAlias = Annotated[
    bool, typer.Option("--lenient", help="Warn about what Azure ML tolerates instead of failing.")
]


def pairs(values: list[str] | None, option: str = "--tag") -> dict[str, str]:
    """Return `key=value` options as a dict. Raises: UsageError: one has no `=`."""
    found: dict[str, str] = {}
    for each in values or ():
        key, equals, value = each.partition("=")
        if not equals or not key:
            raise UsageError(f"{option} `{each}` has no `=`", hint=f"write {option} key=value")
        found[key] = value
    return found


def confirm(doing: str, *, yes: bool) -> None:
    """Ask before something is lost; without a terminal `--yes` is needed.

    doing: as `deleting compute `x``.
    """
    import sys

    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{doing} needs --yes", hint="add --yes; nothing was changed")
    if not typer.confirm(f"{doing}: go on?", err=True):
        raise UsageError("nothing was changed", hint="add --yes to do it without asking")


def shown(output: Format | None, *, dry_run: bool) -> Format | None:
    """Return the format of a command that says nothing by itself; what it would do, it says."""
    return None if dry_run and output is Format.none else output
