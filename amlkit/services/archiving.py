"""Hiding versions of assets from lists and showing them again: the same for every kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amlkit import references
from amlkit.errors import NotFound
from amlkit.light import replace

if TYPE_CHECKING:
    from amlkit.records import Asset, AssetKind
    from amlkit.workspace import Assets


def archive(
    assets: Assets, kind: AssetKind, reference: str, *, archived: bool, dry_run: bool
) -> Sequence[Asset]:
    """Hide, or show, `NAME:VERSION`, `NAME@latest`, or every version of `NAME`.

    dry_run: return what would be changed, and change nothing.
    Raises: NotFound.
    """
    name, version = references.split(reference)
    if "@" in reference:
        version = assets.get(kind, name).version
    if not dry_run:
        return assets.archive(kind, name, version, archived=archived)
    if version is not None:
        found = [assets.get(kind, name, version)]
    elif not (found := list(assets.list(kind, name, archived=True))):
        raise NotFound(f"no {kind.value} is called `{name}`", hint="see its `list --archived`")
    return [replace(each, archived=archived) for each in found]
