"""What `job submit`, `sweep`, `stream` and `resume` show while a job runs."""

from __future__ import annotations

import sys
from collections import deque

from amlkit.light import replace
from amlkit.output import Format
from amlkit.records import Job, Planned, Status
from amlkit.session import Session
from amlkit.workspace import Submission

_LIVE = ("sweep", "pipeline")
FAILED_TAIL_LINES = 40


def start(
    session: Session,
    submission: Submission,
    stream: bool,
    wait: bool,
    dry_run: bool,
    output: Format | None,
    query: str | None,
) -> None:
    """Submit a job, or print what would be submitted; then watch it as asked."""
    from amlkit.services.submissions import meaningless_here

    jobs = session.workspace.jobs
    for each in submission.spec.warnings:
        session.output.warning(str(each))
    if session.choice.kind == "local" and (names := meaningless_here(submission.spec.document)):
        session.output.note(f"{' and '.join(names)}: ignored, the job runs on this machine")
    if dry_run:
        plan = jobs.plan(submission)
        session.output.record(
            Planned(f"submit {submission.spec.kind}", plan), output or Format.json, query
        )
        return
    with session.output.progress("fetching inputs", late=True) as progress:
        job = jobs.submit_prepared(replace(submission, progress=progress))
    watch(session, job, stream, wait, output, query)


def watch(
    session: Session,
    job: Job,
    stream: bool,
    wait: bool,
    output: Format | None,
    query: str | None,
) -> None:
    """Print a job at once, or follow it to its end first. Raises: JobFailed, Canceled."""
    if not stream and not wait:
        session.output.record(job, output, query)
        return
    if stream:
        follow(session, job)
    elif session.output.interactive and job.type in _LIVE:
        live(session, job)
    done = _until_final(session, job.name)
    if done.error and done.status is Status.COMPLETED:
        session.output.warning(done.error)
    if done.type in _LIVE and (not stream or session.output.interactive):
        _show_failures(session, done)
    if not stream or output is not None or query is not None:
        session.output.record(done, output, query)
    from amlkit.services.jobs import completed

    completed(done)


def _show_failures(session: Session, job: Job) -> None:
    """Print the end of each failed step's log: what somebody who waited looks for first."""
    failed = session.workspace.jobs.failed_logs(job.name)
    if job.type == "sweep":
        # A failing trial does not stop a sweep; where all have failed, the first says why.
        failed = [each for each in failed if each[0].parent][:1] if job.status == "Failed" else []
    for each, log in failed:
        tail = _last_lines(log, FAILED_TAIL_LINES).decode("utf-8", "replace")
        sys.stderr.write(f"==> {each.name}: {each.error or 'failed'} <==\n{tail}")


def wait(
    session: Session,
    name: str,
    *,
    timeout_seconds: float | None,
    output: Format | None,
    query: str | None,
) -> None:
    """Print a job when it has ended, however it did. Raises: JobFailed, Canceled, WaitTimedOut."""
    from amlkit.services.jobs import completed

    done = _until_final(session, name, timeout_seconds)
    session.output.record(done, output, query)
    completed(done)


def _until_final(session: Session, name: str, timeout_seconds: float | None = None) -> Job:
    try:
        backend = session.workspace.backend
        return backend.jobs.wait(name, timeout_seconds=timeout_seconds, changed=None)
    except KeyboardInterrupt:
        _detached(name)
        raise


def follow(session: Session, job: Job) -> None:
    """Pass a job's log through until it ends.

    Ctrl-C, or a reader of the log that goes away, leaves the job running and says so.
    """
    try:
        if job.type in _LIVE and session.output.interactive:
            live(session, job)
            return
        for chunk in session.workspace.jobs.log(job.name, follow=True):
            session.output.bytes(chunk)
    except KeyboardInterrupt:
        _detached(job.name)
        raise
    except BrokenPipeError:
        if not session.workspace.jobs.show(job.name).status.final:
            _detached(job.name)
        raise


def _detached(name: str) -> None:
    sys.stderr.write(
        f"\ndetached: job `{name}` goes on\n"
        f"hint: amlkit job stream {name}   to come back, amlkit job cancel {name}   to stop it\n"
    )


def live(session: Session, job: Job) -> None:
    """Show a sweep's trials as a table, or a pipeline's steps as a tree, until it ends."""
    import time

    from rich.live import Live

    from amlkit.output import table

    jobs = session.workspace.jobs
    try:
        with Live(console=table.console(stderr=True), refresh_per_second=4) as view:

            def draw(now: Job) -> None:
                if now.type == "pipeline":
                    view.update(table.steps(jobs.show(now.name).jobs), refresh=True)
                else:
                    rows = view.console.height - 3
                    view.update(table.leaderboard(jobs.trials(now.name), rows), refresh=True)

            while not jobs.show(job.name).status.final:
                started = time.monotonic()
                draw(job)
                # Watching a large sweep must not slow it down.
                time.sleep(max(0.25, 5 * (time.monotonic() - started)))
            draw(job)
    except KeyboardInterrupt:
        _detached(job.name)
        raise


def print_logs(session: Session, job: str, *, failed: bool, tail: int | None) -> None:
    """Print the log of a job, or of those that failed among it and its children."""
    jobs = session.workspace.jobs
    if not failed:
        session.output.bytes(_last_lines(b"".join(jobs.log(job)), tail))
        return
    for each, log in jobs.failed_logs(job):
        session.output.text(f"==> {each.name}: {each.error or 'failed'} <==")
        session.output.bytes(_last_lines(log, tail))


def _last_lines(log: bytes, count: int | None) -> bytes:
    if count is None:
        return log
    return b"".join(deque(log.splitlines(keepends=True), maxlen=count))
