"""Data assets: what `amlkit data ...` means, on every workspace."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit import placing, references
from amlkit.errors import Conflict, NotFound, UsageError
from amlkit.file_records import AssetFile, FileChange
from amlkit.kept import KeptAssets
from amlkit.light import replace
from amlkit.records import (
    JSON,
    Asset,
    AssetDraft,
    AssetKind,
    Planned,
    StoredFile,
)
from amlkit.services import selection
from amlkit.workspace import Progress, Workspace

if TYPE_CHECKING:
    from amlkit.services.preview import Pictures, Rows

TYPES = ("uri_file", "uri_folder", "mltable")


class Data:
    """Data assets of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._assets = workspace.assets

    def create(
        self,
        *,
        name: str,
        path: str | Path,
        type: str | None = None,
        version: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        if_changed: bool = False,
        by_reference: bool = False,
        progress: Progress | None = None,
    ) -> Asset:
        """Register a version of a data asset; `type` is read off the path when it is None.

        path: a local file or folder, whose content is stored, or a URI, which is only noted.
        if_changed: return the latest version where it has the same content.
        by_reference: leave local files where they are; only their hashes are noted, and checked
            whenever the data is used.
        Raises: NotFound: no such path. Conflict: the version exists with other content.
        """
        references.check_name(name, "data asset")
        if remote := _is_remote(str(path)):
            references.check_address(str(path))
        spec: dict[str, JSON] = {"type": _remote_type(str(path), type)} if remote else {}
        draft = AssetDraft(
            AssetKind.DATA,
            name,
            {**spec, "path": str(path)} if remote else {"type": _type(Path(path), type)},
            version=version,
            path=None if remote else str(path),
            description=description,
            tags=dict(tags or {}),
            if_changed=if_changed,
            by_reference=by_reference,
        )
        if draft.path is not None and draft.spec["type"] == "mltable":
            from amlkit.services.preview import transforming

            transforming.load(Path(draft.path))
        if by_reference and (remote or not isinstance(self._assets, KeptAssets)):
            raise UsageError(
                "only files of this machine are registered by reference, in an embedded workspace",
                hint="leave --reference out",
            )
        return self._assets.create(draft, progress=progress)

    def list(self, name: str | None = None, *, archived: bool = False) -> Sequence[Asset]:
        """Return every version of a name, or the latest of every name."""
        return self._assets.list(AssetKind.DATA, name, archived=archived)

    def show(self, reference: str) -> Asset:
        """Return one version, with the jobs that read or wrote it. Raises: NotFound."""
        asset = self._get(reference)
        if not isinstance(self._assets, KeptAssets):
            return asset
        return replace(asset, lineage=tuple(self._assets.uses(asset)))

    def _get(self, reference: str) -> Asset:
        return self._assets.get(AssetKind.DATA, *references.split(reference))

    def diff(self, one: str, other: str) -> Sequence[FileChange]:
        """Return the files that two versions do not share, by path.

        Only files of one size whose content the workspace does not tell are read.
        Raises: NotFound: no such version. NotFound, NotSupported: its files cannot be seen.
        """
        assets = [self._get(each) for each in (one, other)]
        before, after = (self._assets.files(each) for each in assets)
        if unsure := selection.unsure(before, after):
            before = self._read(assets[0], before, unsure)
            after = self._read(assets[1], after, unsure)
        return selection.changes(before, after)

    def _read(
        self, asset: Asset, files: Sequence[AssetFile], paths: Sequence[str]
    ) -> Sequence[AssetFile]:
        """Return the files, those at `paths` with their digests."""
        wanted = set(paths)
        found = self._assets.digests(asset, [each for each in files if each.path in wanted])
        return [replace(each, digest=found.get(each.path, each.digest)) for each in files]

    def download(self, reference: str, target: Path, *, progress: Progress | None = None) -> Path:
        """Write the files below `target` and return where they are."""
        return self._assets.download(self._get(reference), target, progress=progress)

    def preview(
        self, what: str, *, take: int = 10, sheet: Path | None = None, per_label: int = 8
    ) -> Rows | Pictures:
        """Return the first rows of a table, or how many pictures there are of each label.

        what: `NAME[:VERSION]`, a path with a slash in it, or a URI.
        sheet: a PNG file to draw `per_label` pictures of each label on.
        Raises: NotFound. UsageError: neither a table nor pictures. NotSupported: not here.
        """
        from amlkit.services.preview import Fetching, preview

        with Fetching(self._assets) as fetching:
            if "://" not in what and ("/" in what or what.startswith(".") or what.endswith(os.sep)):
                return preview(
                    Path(what), None, fetching.fetch, take=take, sheet=sheet, per_label=per_label
                )
            asset = self._meant(what)
            return fetching.preview(asset, take=take, sheet=sheet, per_label=per_label)

    def _meant(self, what: str) -> Asset:
        """Return an asset; of a URI, one that nobody registered."""
        if "://" not in what:
            return self._get(what)
        references.check_address(what)
        spec: dict[str, JSON] = {"type": _remote_type(what, None), "path": what}
        return Asset(AssetKind.DATA, "data", "1", spec)

    def archive(
        self, reference: str, *, archived: bool = True, dry_run: bool = False
    ) -> Sequence[Asset]:
        """Hide `NAME:VERSION`, `NAME@latest` or every version of `NAME`, or show them again.

        dry_run: return what would be changed, and change nothing.
        Raises: NotFound.
        """
        from amlkit.services.archiving import archive

        return archive(self._assets, AssetKind.DATA, reference, archived=archived, dry_run=dry_run)

    def sample(
        self,
        reference: str,
        target: Path,
        *,
        fraction: float | None = None,
        take: int | None = None,
        seed: int = 0,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Sequence[StoredFile]:
        """Copy a choice of the files to `target`: the same choice on every machine.

        dry_run: only return the choice.
        Raises: UsageError: neither `fraction` nor `take`. Conflict: `target` is not empty.
        """
        if fraction is None and take is None:
            raise UsageError("how much to sample is not said", hint="add --fraction or --take")
        _check_fraction(fraction)
        if not placing.is_free(target):
            raise Conflict(f"`{target}` is not empty", hint="choose another --output-dir")
        asset = self._get(reference)
        files = self._inside(asset)
        paths = selection.sample(files, fraction=fraction, take=take, seed=seed)
        if not dry_run:
            self._assets.copy(asset, [files[path] for path in paths], target, progress=progress)
        return [StoredFile(path, files[path].size) for path in paths]

    def _inside(self, asset: Asset) -> Mapping[str, AssetFile]:
        """Return a folder's files by path. Raises: UsageError: it is one file."""
        if asset.type == "uri_file":
            raise UsageError(f"`{asset.reference}` is one file; a folder is needed")
        return {each.path: each for each in self._assets.files(asset, follow=True)}

    def split(
        self,
        reference: str,
        into: tuple[str, str],
        *,
        fraction: float = 0.8,
        seed: int = 0,
        stratify: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Sequence[Asset] | Sequence[Planned]:
        """Register two assets that part the files, or none; the first has `fraction` of them.

        stratify: of every folder by itself, such as one folder per label.
        dry_run: return what each part would have, and register nothing.
        Raises: UsageError: the fraction is outside 0 to 1, or the names are the same.
        """
        _check_fraction(fraction)
        if into[0] == into[1]:
            raise UsageError(f"both parts are called `{into[0]}`", hint="name two assets")
        for name in into:
            references.check_name(name, "data asset")
        source = self._get(reference)
        files = self._inside(source)
        both = selection.split(files, fraction, seed=seed, stratify=stratify)
        chosen = [[files[path] for path in paths] for paths in both]
        tags = {"split_from": source.reference, "seed": str(seed)}
        spec: dict[str, JSON] = {"type": "uri_folder"}
        drafts = [AssetDraft(AssetKind.DATA, name, spec, tags=tags) for name in into]
        parts = list(zip(drafts, chosen, strict=True))
        if dry_run:
            return [_planned(draft, inside) for draft, inside in parts]
        return self._assets.create_parts(source, parts, progress=progress)


def _planned(draft: AssetDraft, inside: Sequence[AssetFile]) -> Planned:
    size = sum(each.size for each in inside)
    spec: dict[str, JSON] = {"name": draft.name, **draft.spec, "tags": dict(draft.tags)}
    return Planned("create data", {**spec, "files": len(inside), "size": size})


def _check_fraction(fraction: float | None) -> None:
    if fraction is not None and not 0 <= fraction <= 1:
        raise UsageError(f"--fraction `{fraction}` is not between 0 and 1", hint="write 0.8")


def _is_remote(path: str) -> bool:
    return "://" in path or path.startswith("azureml:")


def _remote_type(path: str, asked: str | None) -> str:
    if asked is not None:
        return _known_type(asked)
    return "uri_file" if "." in path.rsplit("/", 1)[-1] else "uri_folder"


def _known_type(asked: str) -> str:
    if asked not in TYPES:
        raise UsageError(f"`{asked}` is not a type of data", hint=f"use one of {', '.join(TYPES)}")
    return asked


def _type(path: Path, asked: str | None) -> str:
    if asked is not None:
        _known_type(asked)
    if not path.exists():
        raise NotFound(f"`{path}` does not exist", hint="check the path; it is relative to here")
    found = "uri_folder" if path.is_dir() else "uri_file"
    if asked is None:
        return found
    if asked != found and not (asked == "mltable" and path.is_dir()):
        what = "folder" if path.is_dir() else "file"
        raise UsageError(f"`{path}` is a {what}, not of type {asked}", hint=f"--type {found}")
    return asked
