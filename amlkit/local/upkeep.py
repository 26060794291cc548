"""Look after what a workspace keeps: check every byte, free what nothing refers to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from amlkit.config import home
from amlkit.kept import DamagedFile, FreedContent
from amlkit.snapshots.files import SCANS
from amlkit.snapshots.statcache import remove_unused

if TYPE_CHECKING:
    from amlkit.local.content import Damage
    from amlkit.local.workspace import LocalWorkspace

GRACE_SECONDS = 3600.0
"""A tree that was stored this recently stays: its asset or job may be about to be written down."""
GIVEN_UP_SECONDS = 24 * 3600.0
"""A download that broke off goes on where it was, unless it is asked to be freed after so long."""


def verify(workspace: LocalWorkspace, *, repair: bool = False) -> Iterator[DamagedFile]:
    """Yield every damaged or missing file, with the assets and jobs that need it.

    repair: take it out of use afterwards, and yield only what that did not mend.
    """
    found = list(workspace.content.verify())
    if repair and found:
        workspace.content.set_aside(found)
        found = list(workspace.content.verify())
    yield from _named(workspace, found)


def _named(workspace: LocalWorkspace, found: Sequence[Damage]) -> Iterator[DamagedFile]:
    users: dict[str, list[str]] = {}
    for digest, assets in workspace.asset_table.users().items():
        users.setdefault(digest, []).extend(assets)
    for digest, jobs in workspace.job_table.digests().items():
        users.setdefault(digest, []).extend(f"job {job}" for job in jobs)
    for damage in found:
        by_path: dict[str, set[str]] = {}
        for tree, path in damage.users:
            by_path.setdefault(path, set()).update(users.get(tree, ()))
        for path, needed_by in by_path.items():
            yield DamagedFile(tuple(sorted(needed_by)), path, damage.problem, damage.digest)
    yield from _lost(workspace, users)


def _lost(workspace: LocalWorkspace, users: dict[str, list[str]]) -> Iterator[DamagedFile]:
    """Yield what somebody refers to and whose list of files is not there at all."""
    content = workspace.content
    for digest in sorted(workspace.asset_table.digests()):
        if not any(path.exists() for path in content.lists(digest)):
            named = tuple(sorted(users.get(digest, ())))
            yield DamagedFile(named, "", "the list of files is missing", digest)


def collect(workspace: LocalWorkspace, *, dry_run: bool) -> FreedContent:
    """Free the content that neither an asset nor a job of the catalogue refers to."""

    def live() -> set[str]:
        return workspace.asset_table.digests() | set(workspace.job_table.digests())

    if not dry_run:
        remove_unused(home() / SCANS)
    freed = workspace.content.collect(live, dry_run=dry_run, grace_seconds=GRACE_SECONDS)
    size = freed.size + workspace.remote.free(unused_seconds=GIVEN_UP_SECONDS, dry_run=dry_run)
    size += workspace.datastores.tidy(dry_run=dry_run)
    return FreedContent(freed.trees, freed.objects, size, dry_run)
