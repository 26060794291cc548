"""What conda-forge calls a PyPI package. The table is made by `scripts/make_conda_names.py`.

It has the names that differ; conda-forge's own rule is that all others are the same.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("pypi_to_conda.json")


def conda_name(name: str) -> str:
    """Return the conda-forge name of a normalised PyPI name."""
    return _names().get(name, name)


@cache
def _names() -> dict[str, str]:
    table: dict[str, dict[str, str]] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return table["names"]
