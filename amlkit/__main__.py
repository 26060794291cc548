"""`amlkit` and `python -m amlkit`: `--version` imports nothing, the rest starts the CLI."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from amlkit import __version__

        sys.stdout.write(f"amlkit {__version__}\n")
        return
    import gc

    # Start-up makes many objects that all stay: looking for garbage among them is a tenth of it.
    gc.set_threshold(50_000)
    _warm_up(sys.argv[1:])
    from amlkit.cli import run

    _leave(run(sys.argv[1:]))


def _warm_up(arguments: list[str]) -> None:
    """Let what runs a job start while the command line is imported: both take as long."""
    if arguments[:1] != ["job"] or not {"-h", "--help", "--dry-run"}.isdisjoint(arguments):
        return
    if arguments[1:2] not in (["submit"], ["sweep"], ["resume"], ["retry"]):
        return
    from amlkit.config import choose_workspace
    from amlkit.errors import AmlkitError
    from amlkit.workspace import warm_up

    try:
        warm_up(choose_workspace(None))
    except AmlkitError:
        # The command itself will find the same, and say it.
        return


def _leave(code: int) -> None:
    """Exit with a code. Taking every module apart first is a tenth of a short command's time."""
    import atexit
    import os
    import threading

    if threading.active_count() > 1:
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        # The reader of the pipe has gone.
        code = code or 1
    os._exit(code)


if __name__ == "__main__":
    main()
