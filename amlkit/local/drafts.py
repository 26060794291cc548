"""What a submission becomes before anything starts: rows of the catalogue, and what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amlkit.light import dataclass
from amlkit.local.catalogue import JobRow

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace
    from amlkit.records import Asset


@dataclass(frozen=True)
class Draft:
    """A job that is about to be written down. rows: its own first, then its steps'.

    links: (job, input, asset) for every asset that is read.
    """

    rows: tuple[JobRow, ...]
    links: tuple[tuple[str, str, Asset], ...] = ()
    notes: tuple[str, ...] = ()

    def finish(self, workspace: LocalWorkspace) -> bool:
        """Finish a job that needs no process, once its rows are written; most do need one."""
        return False
