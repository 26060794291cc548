"""Look after a workspace's content: what `amlkit workspace verify` and `gc` mean."""

from __future__ import annotations

from collections.abc import Iterator

from amlkit.errors import NotSupported
from amlkit.kept import DamagedFile, FreedContent, KeptContent
from amlkit.workspace import Workspace


def verify(workspace: Workspace, *, repair: bool = False) -> Iterator[DamagedFile]:
    """Hash everything that is stored again, and yield what is damaged or missing.

    repair: take it out of use afterwards, and yield only what that did not mend. Registering the
        same files again then makes their version whole.
    Raises: NotSupported: the content is not on this machine.
    """
    return _kept(workspace).verify(repair=repair)


def collect(workspace: Workspace, *, dry_run: bool = False) -> FreedContent:
    """Free what no asset and no job refers to. Raises: NotSupported."""
    return _kept(workspace).collect(dry_run=dry_run)


def _kept(workspace: Workspace) -> KeptContent:
    if not isinstance(workspace, KeptContent):
        raise NotSupported(
            f"the content of `{workspace.name}` is in Azure storage, which looks after itself",
            hint="this is for embedded workspaces: amlkit -w local ...",
        )
    return workspace
