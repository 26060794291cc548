"""`amlkit job cancel`, `archive` and `restore`. Wraps `services/jobs.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from amlkit.options import DryRunOption, JobArgument, OutputOption, QueryOption, shown
from amlkit.output import Format
from amlkit.session import Session

if TYPE_CHECKING:
    from amlkit.records import Job
    from amlkit.services.jobs import Jobs


def cancel(
    ctx: typer.Context,
    job: JobArgument,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Stop a job: TERM, then KILL; it ends as Canceled."""
    _change(Session.of(ctx), job, "cancel", lambda jobs: jobs.cancel(job), dry_run, output, query)


def archive(
    ctx: typer.Context,
    job: JobArgument,
    dry_run: DryRunOption = False,
    output: OutputOption = Format.none,
) -> None:
    """Hide a job from lists; nothing is deleted."""
    _change(Session.of(ctx), job, "archive", lambda jobs: jobs.archive(job), dry_run, output)


def restore(
    ctx: typer.Context,
    job: JobArgument,
    dry_run: DryRunOption = False,
    output: OutputOption = Format.none,
) -> None:
    """Show an archived job in lists again."""

    def show_again(jobs: Jobs) -> Job:
        return jobs.archive(job, archived=False)

    _change(Session.of(ctx), job, "restore", show_again, dry_run, output)


def _change(
    session: Session,
    job: str,
    action: str,
    change: Callable[[Jobs], Job],
    dry_run: bool,
    output: Format | None,
    query: str | None = None,
) -> None:
    jobs = session.workspace.jobs
    if not dry_run:
        session.output.record(change(jobs), output, query)
        return
    from amlkit.records import Planned

    found = jobs.cancel(job, dry_run=True) if action == "cancel" else jobs.show(job)
    planned = Planned(f"{action} job", {"name": found.name, "status": str(found.status)})
    session.output.record(planned, shown(output, dry_run=True), query)
