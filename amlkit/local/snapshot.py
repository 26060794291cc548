"""The code folder of a job as it is stored: what is in, what is out, and by which rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amlkit.local.content import ContentStore, Tree
from amlkit.snapshots.files import SIZE_LIMIT_BYTES, check, of_code
from amlkit.snapshots.ignore import IgnoreRules, Rule
from amlkit.snapshots.walk import walk


@dataclass(frozen=True)
class Plan:
    """What a snapshot would hold: (path, size in bytes), and what each rule left out."""

    included: tuple[tuple[str, int], ...]
    excluded: tuple[tuple[str, Rule], ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for _, size in self.included)


def take(
    store: ContentStore,
    code: Path,
    *,
    includes: Sequence[Path] = (),
    size_limit_bytes: int | None = SIZE_LIMIT_BYTES,
    allow_secrets: bool = False,
) -> Tree:
    """Store the code folder (or file), and `includes` beside it under their own names.

    size_limit_bytes: None lifts the limit.
    Raises: NotFound: no such folder. AmlkitError: too large, or a secret is in it.
    """
    check(of_code(code, includes), size_limit_bytes, allow_secrets=allow_secrets)
    rules = IgnoreRules() if code.is_dir() else None
    return store.add(code, ignore=rules, includes=includes)


def plan(code: Path) -> Plan:
    """Return what a snapshot of `code` would hold; ignored folders are named, not entered."""
    left_out: list[tuple[str, Rule]] = []
    files = walk(code.resolve(), _Recording(left_out))
    included = tuple((f.relative, f.stat.st_size) for f in files if f.kind == "file")
    return Plan(tuple(sorted(included)), tuple(sorted(left_out, key=lambda each: each[0])))


class _Recording(IgnoreRules):
    """Ignore rules that note what they leave out."""

    def __init__(self, log: list[tuple[str, Rule]], rules: IgnoreRules | None = None) -> None:
        super().__init__()
        self._log = log
        self._inner = rules or IgnoreRules()

    def entering(self, folder: Path | str, relative: str = "") -> _Recording:
        return _Recording(self._log, self._inner.entering(folder, relative))

    def match(self, relative: str, *, is_folder: bool) -> Rule | None:
        rule = self._inner.match(relative, is_folder=is_folder)
        if rule is not None:
            self._log.append((relative, rule))
        return rule
