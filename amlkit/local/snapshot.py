"""The code folder of a job as it is stored: what is in, what is out, and by which rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.errors import NotFound
from amlkit.file_records import AssetFile, CodeSince
from amlkit.local.content import ContentStore, Entry, Tree
from amlkit.snapshots.files import SIZE_LIMIT_BYTES, check, of_code
from amlkit.snapshots.ignore import IgnoreRules

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace


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
    check(code, of_code(code, includes), size_limit_bytes, allow_secrets=allow_secrets)
    rules = IgnoreRules.of(code) if code.is_dir() else None
    return store.add(code, ignore=rules, includes=includes)


def since(workspace: LocalWorkspace, code: Path, includes: Sequence[Path]) -> CodeSince:
    """Return the files of a code folder as the last run had them, and as they are.

    Raises: NotFound: no job was run from it.
    """
    found = workspace.job_table.last_with_code(str(code.resolve()))
    if found is None:
        raise NotFound(
            f"no job was run from `{code}` yet",
            hint=f"see what would be uploaded: amlkit job snapshot ls {code}",
        )
    job, digest = found
    rules = IgnoreRules.of(code) if code.is_dir() else None
    now = workspace.content.survey(code, ignore=rules, includes=includes)
    return CodeSince(job, files(workspace.content.entries(digest)), files(now))


def files(entries: Iterable[Entry]) -> Sequence[AssetFile]:
    """Return the files and links of a tree, by path."""
    return [
        AssetFile(each.path, each.size, each.digest, each.executable)
        for each in entries
        if each.kind != "folder"
    ]
