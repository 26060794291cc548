"""What a snapshot of a code folder would hold, and which rule leaves a file out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from amlkit.errors import NotFound
from amlkit.light import dataclass
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


def plan(code: Path, includes: Sequence[Path] = ()) -> Plan:
    """Return what a snapshot of `code` would hold; ignored folders are named, not entered.

    includes: what lies beside it in the snapshot, under its own name.
    Raises: NotFound: no such folder. AmlkitError: a link leads out of it.
    """
    included: list[tuple[str, int]] = []
    left_out: list[tuple[str, Rule]] = []
    for top, prefix in ((code, ""), *((each, each.name) for each in includes)):
        if not top.exists():
            raise NotFound(f"`{top}` does not exist", hint="mend `code` or `additional_includes`")
        if top.is_file():
            included.append((prefix or top.name, top.stat().st_size))
            continue
        out: list[tuple[str, Rule]] = []
        included += [
            (_below(prefix, found.relative), found.stat.st_size if found.kind == "file" else 0)
            for found in walk(top.resolve(), _Recording(out, IgnoreRules.of(top)))
            if found.kind != "folder"
        ]
        left_out += [(_below(prefix, path), rule) for path, rule in out]
    return Plan(tuple(sorted(included)), tuple(sorted(left_out, key=lambda each: each[0])))


def decided_by(code: Path, relative: str) -> tuple[bool, str, Rule | None]:
    """Return whether a path below `code` is in its snapshot, where that was decided, and by what.

    The deciding path is the file itself or a folder above it. No rule: nothing speaks of it.
    """
    rules = IgnoreRules.of(code).entering(code)
    parts = PurePosixPath(relative).parts
    for depth in range(1, len(parts) + 1):
        path = "/".join(parts[:depth])
        is_folder = depth < len(parts) or (code / path).is_dir()
        if (rule := rules.match(path, is_folder=is_folder)) is not None:
            return False, path, rule
        if depth < len(parts):
            rules = rules.entering(code / path, path)
    return True, relative, rules.spoken(relative, is_folder=(code / relative).is_dir())


def _below(prefix: str, path: str) -> str:
    return f"{prefix}/{path}" if prefix else path


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
