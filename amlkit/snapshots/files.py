"""The files of a code folder, under the rules of every workspace: ignored, too many, secret."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from amlkit.config import home, number
from amlkit.errors import AmlkitError, NotFound
from amlkit.light import replace
from amlkit.snapshots.ignore import IgnoreRules
from amlkit.snapshots.secrets import RULES, Secret, scan
from amlkit.snapshots.statcache import StatCache
from amlkit.snapshots.walk import walk

SIZE_LIMIT_BYTES = 300 * 1024 * 1024
"""What Azure ML takes as one snapshot. Source: "Storage limits of experiment snapshots"."""

SCANS = "scans"
"""The folder below `AMLKIT_HOME` where it is noted which files were searched for secrets."""

_CLEAN = f"clean {RULES}"
_NAMED = 3

File = tuple[str, Path, os.stat_result]


def size_limit_bytes() -> int:
    """Return the largest code folder that is taken, as the user set it."""
    return int((number("snapshot_limit_mb") or 300) * 1024 * 1024)


def of_code(code: Path, includes: Sequence[Path] = (), *, follow: bool = False) -> Iterator[File]:
    """Yield (path, file, its facts) of a code folder or file, and of what is included beside it.

    follow: what a link leads to comes under the link's own path, as where no links can be kept.
    Raises: NotFound: no such folder. AmlkitError: a link leads out of it.
    """
    yield from _below(code, "", follow)
    for top in includes:
        yield from _below(top, top.name, follow)


def _below(top: Path, prefix: str, follow: bool) -> Iterator[File]:
    if not top.exists():
        raise NotFound(f"`{top}` does not exist", hint="mend `code` or `additional_includes`")
    root = top.resolve()
    if root.is_file():
        yield prefix or root.name, root, root.stat()
        return
    for found in walk(root, IgnoreRules.of(root)):
        name = f"{prefix}/{found.relative}" if prefix else found.relative
        if found.kind == "file":
            yield name, Path(found.path), found.stat
        elif found.kind == "link" and follow:
            yield from _below(Path(found.path), name, follow)


def check(code: Path, files: Iterable[File], limit: int | None, *, allow_secrets: bool) -> None:
    """Raises: AmlkitError: the files are too large together, or a secret is in one.

    code: whose files they are. Those that were clean and have not changed since are not read.
    """
    listed = list(files)
    total = sum(facts.st_size for _, _, facts in listed)
    if limit is not None and total > limit:
        largest = max(listed, key=lambda each: each[2].st_size)
        raise AmlkitError(
            f"the code folder has {total} bytes, more than {limit}; the largest is `{largest[0]}`"
            f" with {largest[2].st_size}",
            hint="leave data out with a line in .amlignore and pass it as an input, or raise the"
            " limit: AMLKIT_SNAPSHOT_LIMIT_MB",
        )
    if not allow_secrets and (secrets := _secrets(code, listed)):
        raise AmlkitError(
            _places(secrets),
            hint="read it from an environment variable, or leave the file out with a line in"
            " .amlignore; if it is none, add --allow-secrets",
        )


def _secrets(code: Path, files: Iterable[File]) -> list[Secret]:
    cache = StatCache(home() / SCANS, code.resolve())
    found: list[Secret] = []
    for name, path, facts in files:
        if cache.get(str(path), facts) == _CLEAN:
            continue
        secrets = scan(path, name, facts.st_size)
        found += [replace(each, file=_typed(path)) for each in secrets]
        if not secrets:
            cache.put(str(path), facts, _CLEAN)
    cache.save()
    return found


def _typed(path: Path) -> str:
    """Return a file's path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _places(secrets: Sequence[Secret]) -> str:
    first, *others = secrets
    named = ", ".join(f"{each.file}:{each.line}" for each in others[: _NAMED - 1])
    rest = len(others) - len(others[: _NAMED - 1])
    more = f"; also {named}" if named else ""
    more += f" and {rest} more" if rest else ""
    return f"{first.file}:{first.line}: {first.kind} in the code folder{more}"
