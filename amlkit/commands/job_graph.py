"""`amlkit job graph`: draw a pipeline. Wraps `services/graphs/`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amlkit.options import LenientOption, SetOption
from amlkit.session import Session


class GraphFormat(StrEnum):
    """What a graph can be written as."""

    svg = "svg"
    html = "html"
    mermaid = "mermaid"


def graph(
    ctx: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="JOB_OR_FILE", help="A pipeline job, or its YAML (or `-`).")
    ],
    output: Annotated[
        GraphFormat | None,
        typer.Option("--output", "-o", help="A drawing, a page or Mermaid's text."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="File: .svg, .html or .mmd. Default: stdout."),
    ] = None,
    set_: SetOption = None,
    lenient: LenientOption = False,
) -> None:
    """Draw a pipeline: its steps, what flows between them and, of a run, where each stands.

    \b
    amlkit job graph pipeline.yml -f pipeline.html
    amlkit job graph calm_owl_12 -o mermaid
    """
    from amlkit.services import graphs

    session = Session.of(ctx)
    drawing = graphs.drawing_of(file, output.value if output is not None else None)
    if source == "-" or Path(source).is_file() or source.endswith((".yml", ".yaml")):
        found = graphs.of_file(source, set_ or (), lenient=lenient)
    else:
        found = graphs.of_job(session.workspace.backend.jobs, source)
    text = graphs.render(found, drawing)
    if file is None:
        session.output.text(text)
    else:
        graphs.save(text, file)
        session.output.note(f"written to {file}")
