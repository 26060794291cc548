"""The content store: every file kept once, whatever names it; trees of files by their hash."""

from amlkit.local.content.records import Damage, Entry, Freed, Tree
from amlkit.local.content.store import ContentStore

__all__ = ["ContentStore", "Damage", "Entry", "Freed", "Tree"]
