"""`amlkit data preview`: look into data. Wraps `services/preview/`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.options import OutputOption, QueryOption
from amlkit.session import Session


def preview(
    ctx: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="DATA", help="NAME, NAME:VERSION, ./PATH or a URI.")
    ],
    take: Annotated[int, typer.Option("--take", min=0, help="Rows at most.")] = 10,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Draw pictures on one sheet: a PNG.")
    ] = None,
    per_label: Annotated[
        int, typer.Option("--per-label", min=1, max=50, help="Pictures of each label.")
    ] = 8,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Show the first rows of a table, or how many pictures there are of each label.

    Reads CSV, JSON lines, Parquet (extra `preview`) and what an MLTable file describes.

    \b
    amlkit data preview titanic --take 5
    amlkit data preview ./data/train --file sheet.png
    """
    from amlkit.services.preview import Pictures

    session = Session.of(ctx)
    found = session.workspace.data.preview(what, take=take, sheet=file, per_label=per_label)
    if isinstance(found, Pictures):
        for each in found.unreadable:
            session.output.warning(f"`{each}` cannot be read as a picture")
        if found.file is None:
            session.output.note("--file sheet.png draws them on one sheet")
        session.output.record(found, output, query)
        return
    if file is not None:
        session.output.warning(f"`{what}` is no folder of pictures: no sheet is drawn")
    session.output.rows(found.columns, found.rows, output, query)
    if found.more:
        session.output.note(f"these are the first {take} rows; --take N shows more")
