"""How wide the columns of a table are: names and statuses whole, the longest give way."""

from __future__ import annotations

from collections.abc import Sequence

GAP = 2
"""Blanks between columns."""
WHOLE = frozenset({"name", "status", "version", "created", "duration", "size"})
"""Columns that people copy from or look for: never shortened."""
FLOORS = (16, 5)
"""What the other columns keep: all of them the first, and the second where that is too much."""


def widths(names: Sequence[str], needed: Sequence[int], room: int) -> list[int]:
    """Return a width for each column, so that all fit into `room` where that can be.

    needed: what each column would take uncut. The widest gives way first; where `room` is too
    small for what may not, the lines are longer than it.
    """
    whole = [name in WHOLE for name in names]
    found = [width if kept else min(width, room) for kept, width in zip(whole, needed, strict=True)]
    for floor in FLOORS:
        giving = [index for index, kept in enumerate(whole) if not kept and found[index] > floor]
        while giving and sum(found) + GAP * (len(found) - 1) > room:
            widest = max(giving, key=found.__getitem__)
            found[widest] -= 1
            if found[widest] == floor:
                giving.remove(widest)
    return found
