"""`amlkit workspace verify` and `gc`: look after the content. Wraps `services/upkeep.py`."""

from __future__ import annotations

from typing import Annotated

import typer

from amlkit.errors import AmlkitError
from amlkit.options import DryRunOption, OutputOption, QueryOption
from amlkit.session import Session


def verify(
    ctx: typer.Context,
    repair: Annotated[
        bool, typer.Option("--repair", help="Take out of use what is damaged; list what is lost.")
    ] = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Hash every stored file again; name what is damaged, and who needs it. Exit 1 if any is.

    \b
    amlkit workspace verify -o json
    amlkit workspace verify --repair
    """
    from amlkit.services import upkeep

    session = Session.of(ctx)
    damaged = list(upkeep.verify(session.workspace.backend, repair=repair))
    session.output.records(damaged, output, query, empty="every stored file is whole")
    if damaged:
        raise AmlkitError(
            f"{len(damaged)} stored files are damaged or missing",
            hint="register the same files again: that makes their versions whole"
            if repair
            else "run it with --repair, then register the same files again",
        )


def gc(
    ctx: typer.Context,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Free the content that no asset and no job refers to.

    Example: amlkit workspace gc --dry-run
    """
    from amlkit.services import upkeep

    session = Session.of(ctx)
    freed = upkeep.collect(session.workspace.backend, dry_run=dry_run)
    session.output.record(freed, output, query)
