"""Assets of an Azure ML workspace: read over REST, registered through the SDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from amlkit.azure import asset_records
from amlkit.azure.asset_files import AssetFiles, where
from amlkit.azure.client import ArmClient
from amlkit.azure.datastores import AzureDatastores, parse_uri
from amlkit.azure.names import asset_reference
from amlkit.azure.sdk import Sdk
from amlkit.azure.uploads import CodeStore, Upload, upload_of
from amlkit.errors import Conflict, NotFound, did_you_mean
from amlkit.file_records import AssetFile
from amlkit.records import JSON, Asset, AssetDraft, AssetKind
from amlkit.transfers import Transfer
from amlkit.workspace import Progress

# Kind -> Azure Resource Manager's collection, and the SDK's name for its operations.
_PATHS = {
    AssetKind.DATA: "data",
    AssetKind.ENVIRONMENT: "environments",
    AssetKind.COMPONENT: "components",
    AssetKind.MODEL: "models",
    AssetKind.CODE: "codes",
}
_RACES = 3
"""How often the next free version is taken anew when somebody else was faster."""


class AzureAssets:
    """Versioned assets, on Azure. Content first, then the version: a crash leaves no half asset."""

    def __init__(self, client: ArmClient, datastores: AzureDatastores, sdk: Sdk) -> None:
        self._client = client
        self._datastores = datastores
        self._sdk = sdk

    def create(self, draft: AssetDraft, *, progress: Progress | None = None) -> Asset:
        """Send the files that are not there yet and register the version.

        Raises: Conflict: that version exists with other content. NotFound: no such path.
        """
        if draft.kind is AssetKind.CODE:
            return self._create_code(draft, progress)
        spec = dict(draft.spec)
        if draft.path is not None:
            upload = upload_of(Path(draft.path))
            if (known := self._unchanged(draft, upload)) is not None:
                return known
            spec["path"] = upload.send(self._datastores, progress)
        elif (known := self._unchanged(draft, None)) is not None:
            return known
        return self._register(draft, spec)

    def _unchanged(self, draft: AssetDraft, upload: Upload | None) -> Asset | None:
        """Return the latest version where that is asked for and it has the same content."""
        if not draft.if_changed or draft.version is not None:
            return None
        try:
            latest = self._latest(draft.kind, draft.name)
        except NotFound:
            return None
        there = upload is None or upload.is_at(str(latest.spec.get("path") or ""))
        return latest if there and _same(draft.kind, latest.spec, draft.spec) else None

    def _register(self, draft: AssetDraft, spec: Mapping[str, JSON]) -> Asset:
        """Register a version whose content is there; the next free one without a version."""
        if draft.version is not None:
            return self._create_version(draft, spec, draft.version)
        for attempt in range(_RACES):
            try:
                return self._create_version(draft, spec, self._next_version(draft.kind, draft.name))
            except Conflict:
                if attempt == _RACES - 1:
                    raise
        raise AssertionError

    def _create_version(self, draft: AssetDraft, spec: Mapping[str, JSON], version: str) -> Asset:
        known = self._known(draft.kind, draft.name, version)
        if known is not None:
            if _same(draft.kind, known.spec, spec):
                return known
            raise Conflict(
                f"`{known.reference}` exists with other content",
                hint="leave the version out for the next one",
            )
        document = {
            **self._with_ids(spec),
            "name": draft.name,
            "version": version,
            "description": draft.description,
            "tags": dict(draft.tags),
            "properties": dict(draft.properties),
        }
        kept = {key: value for key, value in document.items() if value not in (None, {})}
        noun = draft.kind.value
        subject = f"{noun} `{draft.name}:{version}`"
        entity = self._sdk.load(noun, kept, Path.cwd())
        operations = _PATHS[draft.kind] if noun != "data" else "data"
        self._sdk.call(subject, lambda ml: getattr(ml, operations).create_or_update(entity))
        return self.get(draft.kind, draft.name, version)

    def _with_ids(self, spec: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return a component's spec with its code by ARM id: the SDK takes a name for a path."""
        code = spec.get("code")
        if not (isinstance(code, str) and code.startswith("azureml:") and "/" not in code):
            return dict(spec)
        name, _, version = code.removeprefix("azureml:").partition(":")
        where = f"{self._client.workspace_id}/codes/{name}/versions/{version}"
        return {**spec, "code": f"azureml:{where}"}

    def _create_code(self, draft: AssetDraft, progress: Progress | None) -> Asset:
        free = draft.version or self._next_version(draft.kind, draft.name)
        made = CodeStore(self._client).store_named(draft, free, progress)
        return asset_records.of_version(draft.kind, draft.name, made)

    def _known(self, kind: AssetKind, name: str, version: str) -> Asset | None:
        try:
            return self.get(kind, name, version)
        except NotFound:
            return None

    def _next_version(self, kind: AssetKind, name: str) -> str:
        try:
            found = self._client.get(f"/{_PATHS[kind]}/{name}", f"{kind.value} `{name}`")
        except NotFound:
            return "1"
        return str(found["properties"].get("nextVersion") or "1")

    def get(self, kind: AssetKind, name: str, version: str | None = None) -> Asset:
        """Return one version, or the latest that is not archived. Raises: NotFound."""
        if version is None:
            return self._latest(kind, name)
        subject = f"{kind.value} `{name}:{version}`"
        try:
            found = self._client.get(f"/{_PATHS[kind]}/{name}/versions/{version}", subject)
        except NotFound:
            raise self._missing(kind, name, version) from None
        return asset_records.of_version(kind, name, found)

    def _latest(self, kind: AssetKind, name: str) -> Asset:
        found = self._client.list(
            f"/{_PATHS[kind]}/{name}/versions",
            f"{kind.value} `{name}`",
            **{"$orderBy": "createdtime desc", "$top": "1", "listViewType": "ActiveOnly"},
        )
        try:
            for each in found:
                return asset_records.of_version(kind, name, each)
        except NotFound:
            pass
        raise self._missing(kind, name, None)

    def _missing(self, kind: AssetKind, name: str, version: str | None) -> NotFound:
        names = [each.name for each in self.list(kind)]
        if version is not None and name in names:
            return NotFound(
                f"no {kind.value} `{name}` has version `{version}`",
                hint=f"see `amlkit {_GROUPS[kind]} list --name {name}`",
            )
        close = did_you_mean(name, names)
        hint = f"did you mean `{close}`?" if close else f"see `amlkit {_GROUPS[kind]} list`"
        noun = "data asset" if kind is AssetKind.DATA else kind.value
        return NotFound(f"no {noun} is called `{name}`", hint=hint)

    def list(
        self, kind: AssetKind, name: str | None = None, *, archived: bool = False
    ) -> Sequence[Asset]:
        """Return every version of a name, or the latest of every name; newest first."""
        view = {"listViewType": "All" if archived else "ActiveOnly"}
        if name is None:
            found = self._client.list(f"/{_PATHS[kind]}", f"{kind.value} assets", **view)
            assets = [asset_records.of_container(kind, each) for each in found]
        else:
            path = f"/{_PATHS[kind]}/{name}/versions"
            try:
                found = self._client.list(path, f"{kind.value} `{name}`", **view)
                assets = [asset_records.of_version(kind, name, each) for each in found]
            except NotFound:
                assets = []
            if not assets and not archived and not self._client_has(kind, name):
                raise self._missing(kind, name, None)
        return sorted(assets, key=lambda each: each.created_at, reverse=True)

    def _client_has(self, kind: AssetKind, name: str) -> bool:
        try:
            self._client.get(f"/{_PATHS[kind]}/{name}", f"{kind.value} `{name}`")
        except NotFound:
            return False
        return True

    def archive(
        self, kind: AssetKind, name: str, version: str | None, *, archived: bool
    ) -> Sequence[Asset]:
        """Hide or show one version or the whole name. Raises: NotFound."""
        changed = self._change(kind, name, version, {"isArchived": archived})
        if version:
            return [asset_records.of_version(kind, name, changed)]
        return [asset_records.of_container(kind, changed)]

    def describe(self, asset: Asset, *, description: str | None, tags: Mapping[str, str]) -> Asset:
        """Replace the description and the tags of a version. Raises: NotFound."""
        changes = {"description": description, "tags": dict(tags)}
        changed = self._change(asset.kind, asset.name, asset.version, changes)
        return asset_records.of_version(asset.kind, asset.name, changed)

    def _change(
        self, kind: AssetKind, name: str, version: str | None, changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        path = f"/{_PATHS[kind]}/{name}" + (f"/versions/{version}" if version else "")
        subject = f"{kind.value} `{name}:{version}`" if version else f"{kind.value} `{name}`"
        try:
            found = self._client.get(path, subject)
        except NotFound:
            raise self._missing(kind, name, version) from None
        properties = {
            key: value for key, value in found["properties"].items() if key not in _READ_ONLY
        }
        body = {"properties": {**properties, **changes}}
        return {**found, **self._client.send("PUT", path, subject, body=body)}

    def download(self, asset: Asset, target: Path, *, progress: Progress | None = None) -> Path:
        """Fetch the asset's files below `target`. Raises: NotSupported: not in a datastore."""
        store, path = where(asset)
        name = path.rstrip("/").rsplit("/", 1)[-1] or asset.name
        if asset.type == "uri_file":
            self._datastores.download(store, path, target, Transfer(progress=progress))
            return target / name
        listed = [each.path for each in self._datastores.files(store, path.rstrip("/"))]
        single = listed == [path.rstrip("/")]
        place = target / name
        self._datastores.download(
            store, path, target if single else place, Transfer(progress=progress)
        )
        return place

    def files(self, asset: Asset, *, follow: bool = False) -> Sequence[AssetFile]:
        """Return the files of a data asset, by path; storage knows no links.

        Raises: NotFound: there are none. NotSupported: they are in no datastore of the workspace.
        """
        return self._files.files(asset)

    def digests(self, asset: Asset, files: Sequence[AssetFile]) -> Mapping[str, str]:
        """Return the MD5 of files by path, reading those that storage does not know it of."""
        return self._files.digests(asset, files)

    def head(self, asset: Asset, file: AssetFile, size: int) -> bytes:
        """Return the first bytes of a file of an asset. Raises: as `files`."""
        return self._files.head(asset, file, size)

    def copy(
        self,
        asset: Asset,
        files: Sequence[AssetFile],
        target: Path,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Write some files of an asset below `target`. Raises: as `files`."""
        self._files.copy(asset, files, target, progress)

    def create_parts(
        self,
        source: Asset,
        parts: Sequence[tuple[AssetDraft, Sequence[AssetFile]]],
        *,
        progress: Progress | None = None,
    ) -> Sequence[Asset]:
        """Copy files into folders of their own, then register them; all of them or none.

        What was registered is archived where a later part cannot be: Azure ML deletes no version.
        Raises: UsageError: a part has no files. NotSupported: as `files`.
        """
        named = [(draft.name, files) for draft, files in parts]
        places = self._files.send_parts(source, named, progress)
        made: list[Asset] = []
        try:
            for (draft, _), place in zip(parts, places, strict=True):
                made.append(self._register(draft, {**draft.spec, "path": place}))
        except BaseException:
            for each in made:
                self.archive(each.kind, each.name, each.version, archived=True)
            raise
        return made

    @cached_property
    def _files(self) -> AssetFiles:
        return AssetFiles(self._datastores)

    def local_path(self, asset: Asset) -> Path | None:
        """Return None: the content is on Azure."""
        return None


_GROUPS = {
    AssetKind.DATA: "data",
    AssetKind.ENVIRONMENT: "env",
    AssetKind.COMPONENT: "component",
    AssetKind.MODEL: "model",
    AssetKind.CODE: "component",
}
_READ_ONLY = frozenset({"provisioningState", "latestVersion", "nextVersion"})


def _same(kind: AssetKind, known: Mapping[str, JSON], wanted: Mapping[str, JSON]) -> bool:
    """Whether a version on Azure has the content that is wanted; what Azure adds is no matter."""
    return all(_plain(key, known.get(key)) == _plain(key, value) for key, value in wanted.items())


def _plain(key: str, value: Any) -> Any:
    if key in {"code", "environment"} and isinstance(value, str):
        return asset_reference(value)
    if key == "path" and isinstance(value, str):
        found = parse_uri(value)
        return (found[0], found[1].rstrip("/")) if found else value
    if isinstance(value, Mapping):
        return {str(each): _plain("", inner) for each, inner in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [_plain("", each) for each in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
