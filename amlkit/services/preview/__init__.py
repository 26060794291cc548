"""Look into data: the first rows of tables, and pictures on one sheet."""

from __future__ import annotations

from amlkit.services.preview.fetching import Fetching
from amlkit.services.preview.looking import Pictures, Rows, preview

__all__ = ["Fetching", "Pictures", "Rows", "preview"]
