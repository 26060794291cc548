"""`make bench`: each figure against a floor in the same run, as a ratio. Exits 1 over a limit."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ONE_COMMAND = """
import typer
app = typer.Typer()
@app.command()
def main(name: str = "x") -> None:
    "Print a name."
    print(name)
app()
"""


def seconds(command: list[str], repeat: int = 11, *, after: list[str] | None = None) -> float:
    """Return the median time of a command, after one run that warms up.

    after: runs between the measured runs, so that what one leaves running does not slow the next.
    """
    times = []
    for number in range(repeat + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if number:
            times.append(time.perf_counter() - started)
        if after is not None:
            subprocess.run(after, check=True)
    return statistics.median(times)


def report(what: str, took: float, floor: float, limit: float, *, added: bool = False) -> bool:
    """Print one line; return whether the figure is within its limit."""
    figure = took - floor if added else took / floor
    shown = f"floor + {figure * 1000:.0f} ms" if added else f"{figure:.2f}x"
    bound = f"floor + {limit * 1000:.0f} ms" if added else f"{limit:.1f}x"
    within = figure <= limit
    print(
        f"{'ok  ' if within else 'OVER'} {what:<44} {took * 1000:8.1f} ms"
        f"  floor {floor * 1000:8.1f} ms  {shown:>16}  limit {bound}"
    )
    return within


def main() -> int:
    """Run every benchmark."""
    folder = Path(tempfile.mkdtemp(prefix="amlkit-bench-"))
    os.environ.update(AMLKIT_HOME=str(folder / "home"), NO_COLOR="1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.chdir(folder)
    try:
        return 0 if all(run(folder)) else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(folder: Path) -> list[bool]:
    """Return whether each figure is within its limit."""
    python = sys.executable
    amlkit = str(Path(python).parent / "amlkit")
    (folder / "one.py").write_text(ONE_COMMAND)
    (folder / "src").mkdir()
    (folder / "src" / "noop.py").write_text("pass\n")
    (folder / "noop.yml").write_text(
        "type: command\ncommand: python noop.py\ncode: ./src\nenvironment: azureml:none@latest\n"
    )
    app = seconds([python, "one.py"])
    listing = seconds([amlkit, "data", "list"])
    bare = seconds(["bash", "-c", f"cd src && {python} noop.py"])
    submit = [amlkit, "job", "submit", "noop.yml", "--current-python", "-o", "none"]
    newest = f"{amlkit} job list --limit 1 -o name"
    settle = ["bash", "-c", f"{amlkit} job wait $({newest}) -o none"]
    return [
        report(
            "amlkit --version / one-command Typer app", seconds([amlkit, "--version"]), app, 1.3
        ),
        report(
            "amlkit --help / its --help",
            seconds([amlkit, "--help"]),
            seconds([python, "one.py", "--help"]),
            1.3,
        ),
        report("amlkit data list / one-command Typer app", listing, app, 2.0),
        report(
            "job submit, until it returns / data list", seconds(submit, after=settle), listing, 2.0
        ),
        report("no-op job to Completed", seconds([*submit, "--wait"]), bare, 0.4, added=True),
    ]


if __name__ == "__main__":
    sys.exit(main())
