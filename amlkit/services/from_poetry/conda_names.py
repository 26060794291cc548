"""What conda-forge calls a PyPI package. The table is made by `scripts/make_conda_names.py`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("pypi_to_conda.json")


def conda_name(name: str) -> str | None:
    """Return the conda name of a normalised PyPI name, None when the table does not have it."""
    return _names().get(name)


@cache
def _names() -> dict[str, str]:
    table: dict[str, str] = json.loads(_TABLE.read_text(encoding="utf-8"))["names"]
    return table
