"""`amlkit job cancel`, `archive` and `restore`. Wraps `services/jobs.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from amlkit.options import DryRunOption, JobArgument, OutputOption, QueryOption, shown
from amlkit.output import Format
from amlkit.session import Session

if TYPE_CHECKING:
    from amlkit.records import Job


def cancel(
    ctx: typer.Context,
    job: JobArgument,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Stop a job: TERM, then KILL; it ends as Canceled."""
    session = Session.of(ctx)
    found = session.workspace.jobs.cancel(job, dry_run=dry_run)
    _print(session, "cancel", found, dry_run, output, query)


def archive(
    ctx: typer.Context,
    job: JobArgument,
    dry_run: DryRunOption = False,
    output: OutputOption = Format.none,
) -> None:
    """Hide a job from lists; nothing is deleted."""
    session = Session.of(ctx)
    found = session.workspace.jobs.archive(job, dry_run=dry_run)
    _print(session, "archive", found, dry_run, output)


def restore(
    ctx: typer.Context,
    job: JobArgument,
    dry_run: DryRunOption = False,
    output: OutputOption = Format.none,
) -> None:
    """Show an archived job in lists again."""
    session = Session.of(ctx)
    found = session.workspace.jobs.archive(job, archived=False, dry_run=dry_run)
    _print(session, "restore", found, dry_run, output)


def _print(
    session: Session,
    action: str,
    job: Job,
    dry_run: bool,
    output: Format | None,
    query: str | None = None,
) -> None:
    if not dry_run:
        session.output.record(job, output, query)
        return
    from amlkit.records import Planned

    planned = Planned(f"{action} job", {"name": job.name, "status": str(job.status)})
    session.output.record(planned, shown(output, dry_run=True), query)
