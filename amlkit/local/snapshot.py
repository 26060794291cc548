"""The code folder of a job as it is stored: what is in, what is out, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from amlkit.errors import AmlkitError, NotFound
from amlkit.local.content import ContentStore, Tree
from amlkit.local.content.walk import walk
from amlkit.local.ignore import IgnoreRules, Rule
from amlkit.local.secrets import Secret, scan

SIZE_LIMIT_BYTES = 300 * 1024 * 1024
"""What Azure ML takes as one snapshot. Source: "Storage limits of experiment snapshots"."""


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
    _check(_files(code, includes), size_limit_bytes, allow_secrets=allow_secrets)
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


def _files(code: Path, includes: Sequence[Path]) -> Iterator[tuple[str, Path, int]]:
    for top in (code, *includes):
        if not top.exists():
            raise NotFound(f"`{top}` does not exist", hint="mend `code` or `additional_includes`")
        root = top.resolve()
        if root.is_file():
            yield root.name, root, root.stat().st_size
            continue
        for found in walk(root, IgnoreRules()):
            if found.kind == "file":
                yield found.relative, Path(found.path), found.stat.st_size


def _check(
    files: Iterator[tuple[str, Path, int]], limit: int | None, *, allow_secrets: bool
) -> None:
    total = 0
    largest = ("", 0)
    secrets: list[Secret] = []
    for name, path, size in files:
        total += size
        largest = max(largest, (name, size), key=lambda each: each[1])
        if not allow_secrets:
            secrets += scan(path, name, size)
    if limit is not None and total > limit:
        raise AmlkitError(
            f"the code folder has {total} bytes, more than {limit}; the largest is `{largest[0]}`"
            f" with {largest[1]}",
            hint="leave data out with a line in .amlignore, and pass it as an input",
        )
    if secrets:
        first = secrets[0]
        more = f" (and {len(secrets) - 1} more)" if len(secrets) > 1 else ""
        raise AmlkitError(
            f"{first.file}:{first.line}: {first.kind} in the code folder{more}",
            hint="pass it as an environment variable, or add --allow-secrets if it is not one",
        )
