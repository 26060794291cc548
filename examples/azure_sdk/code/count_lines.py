"""Count the lines of each file of a mini-batch: the entry script of a parallel step."""

from pathlib import Path


def init():
    """Prepare a worker; there is nothing to prepare."""


def run(mini_batch):
    """Return one row for each file."""
    return [f"{Path(each).name} {len(Path(each).read_text().splitlines())}" for each in mini_batch]
