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
    from amlkit.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
