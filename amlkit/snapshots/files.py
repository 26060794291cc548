"""The files of a code folder, under the rules of every workspace: ignored, too many, secret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from amlkit.config import number
from amlkit.errors import AmlkitError, NotFound
from amlkit.snapshots.ignore import IgnoreRules
from amlkit.snapshots.secrets import Secret, scan
from amlkit.snapshots.walk import walk

SIZE_LIMIT_BYTES = 300 * 1024 * 1024
"""What Azure ML takes as one snapshot. Source: "Storage limits of experiment snapshots"."""


def size_limit_bytes() -> int:
    """Return the largest code folder that is taken, as the user set it."""
    return int((number("snapshot_limit_mb") or 300) * 1024 * 1024)


def of_code(
    code: Path, includes: Sequence[Path] = (), *, follow: bool = False
) -> Iterator[tuple[str, Path, int]]:
    """Yield (path, file, bytes) of a code folder or file, and of what is included beside it.

    follow: what a link leads to comes under the link's own path, as where no links can be kept.
    Raises: NotFound: no such folder. AmlkitError: a link leads out of it.
    """
    yield from _below(code, "", follow)
    for top in includes:
        yield from _below(top, top.name, follow)


def _below(top: Path, prefix: str, follow: bool) -> Iterator[tuple[str, Path, int]]:
    if not top.exists():
        raise NotFound(f"`{top}` does not exist", hint="mend `code` or `additional_includes`")
    root = top.resolve()
    if root.is_file():
        yield prefix or root.name, root, root.stat().st_size
        return
    for found in walk(root, IgnoreRules()):
        name = f"{prefix}/{found.relative}" if prefix else found.relative
        if found.kind == "file":
            yield name, Path(found.path), found.stat.st_size
        elif found.kind == "link" and follow:
            yield from _below(Path(found.path), name, follow)


def check(
    files: Iterator[tuple[str, Path, int]], limit: int | None, *, allow_secrets: bool
) -> None:
    """Raises: AmlkitError: the files are too large together, or a secret is in one."""
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
