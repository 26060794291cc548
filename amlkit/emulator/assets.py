"""Routes of versioned assets: data, environments, components, models, codes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from amlkit.emulator import asset_bodies
from amlkit.emulator.asset_bodies import NOUNS, URI_FIELDS
from amlkit.emulator.context import Context, resource
from amlkit.emulator.messages import Refused, Reply, Request, page
from amlkit.emulator.names import Scope, short
from amlkit.emulator.places import Places, upload_container
from amlkit.errors import NotFound
from amlkit.light import replace
from amlkit.records import JSON, Asset, AssetDraft, AssetKind


class Assets:
    """The routes of one noun."""

    def __init__(self, context: Context, scope: Scope, noun: str) -> None:
        self._context = context
        self._scope = scope
        self._noun = noun
        self._kind = NOUNS[noun]
        self._assets = context.workspace.backend.assets
        self._places = Places(context)

    def answer(self, request: Request, rest: list[str]) -> Reply:
        """Answer for all, a name, its versions, or one version."""
        method = request.method
        match [method, *rest]:
            case ["GET"]:
                return page([self._container(each.name) for each in self._list(None, request)])
            case ["GET", name]:
                return Reply(200, self._container(name))
            case ["PUT", name]:
                return self._archive_all(name, request)
            case ["GET", name, "versions"]:
                return page([self._version(each) for each in self._versions(name, request)])
            case ["GET", name, "versions", version]:
                return Reply(200, self._version(self._assets.get(self._kind, name, version)))
            case ["PUT", name, "versions", version]:
                return self._put(name, version, request)
            case ["POST", name, "versions", version, "startPendingUpload"]:
                return self._pending(name, version)
            case ["DELETE", *_]:
                raise Refused(400, "NotSupported", "versions are archived, not deleted")
        raise Refused(405, "MethodNotAllowed", f"{method} is not served for {self._noun}")

    # Reading.

    def _list(self, name: str | None, request: Request) -> Sequence[Asset]:
        view = request.query.get("listViewType", "ActiveOnly")
        try:
            found = self._assets.list(self._kind, name, archived=view != "ActiveOnly")
        except NotFound:
            return []
        return [each for each in found if view != "ArchivedOnly" or each.archived]

    def _versions(self, name: str, request: Request) -> Sequence[Asset]:
        if wanted := request.query.get("hash"):
            # The SDK asks under a name that it has just made up: the content decides.
            known = self._assets.list(self._kind, archived=True)
            found = [each for each in known if each.properties.get("hash_sha256") == wanted]
        else:
            found = list(self._list(name, request))
        top = request.query.get("$top", "")
        return found[: int(top)] if top.isdigit() else found

    def _version(self, asset: Asset) -> dict[str, Any]:
        parts = (self._noun, asset.name, "versions", asset.version)
        made = (asset.created_at, asset.created_by)
        properties = asset_bodies.properties(self._as_sent(asset), self._scope)
        return resource(self._scope, parts, properties, made)

    def _as_sent(self, asset: Asset) -> Asset:
        """Return an asset with the path that the SDK gave it; ours is one of the content store."""
        kept = self._context.area.resource(self._noun, asset.reference)
        return replace(asset, spec={**asset.spec, **kept}) if kept else asset  # type: ignore[dict-item]

    def _container(self, name: str) -> dict[str, Any]:
        versions = self._assets.list(self._kind, name, archived=True)
        if not versions:
            raise NotFound(f"no {self._kind} is called `{name}`")
        latest = next((each for each in versions if not each.archived), versions[0])
        numbers = [int(each.version) for each in versions if each.version.isdigit()]
        properties: dict[str, Any] = {
            "description": latest.description,
            "tags": dict(latest.tags),
            "properties": {},
            "isArchived": all(each.archived for each in versions),
            "latestVersion": latest.version,
            "nextVersion": str(max(numbers, default=0) + 1),
        }
        if self._kind is AssetKind.DATA:
            properties["dataType"] = latest.type or "uri_folder"
        else:
            properties["provisioningState"] = "Succeeded"
        made = (versions[-1].created_at, versions[-1].created_by)
        return resource(self._scope, (self._noun, name), properties, made)

    # Writing.

    def _archive_all(self, name: str, request: Request) -> Reply:
        archived = bool(request.properties().get("isArchived"))
        self._assets.archive(self._kind, name, None, archived=archived)
        return Reply(200, self._container(name))

    def _put(self, name: str, version: str, request: Request) -> Reply:
        properties = request.properties()
        known = self._known(name, version)
        if known is not None and self._same(known, properties):
            return Reply(200, self._version(self._changed(known, properties)))
        made = self._assets.create(self._draft(name, version, properties))
        if self._kind in {AssetKind.DATA, AssetKind.MODEL}:
            uri = short(str(properties[URI_FIELDS[self._noun]]))
            self._context.area.keep(self._noun, made.reference, {"path": uri})
        if self._kind is AssetKind.CODE:
            # It is in the content store now.
            container = upload_container(name, version)
            shutil.rmtree(self._places.folder(container), ignore_errors=True)
        else:
            made = self._changed(made, properties)
        return Reply(201 if known is None else 200, self._version(made))

    def _changed(self, asset: Asset, properties: dict[str, Any]) -> Asset:
        """Bring what is not content to what a body says: archived, description, tags."""
        if self._kind is AssetKind.CODE:
            return asset
        archived = bool(properties.get("isArchived") or properties.get("isAnonymous"))
        if archived != asset.archived:
            (asset,) = self._assets.archive(
                self._kind, asset.name, asset.version, archived=archived
            )
        tags = asset_bodies.texts(properties.get("tags"))
        description = properties.get("description") or None
        if (description, tags) == (asset.description, dict(asset.tags)):
            return asset
        return self._assets.describe(asset, description=description, tags=tags)

    def _known(self, name: str, version: str) -> Asset | None:
        try:
            return self._assets.get(self._kind, name, version)
        except NotFound:
            return None

    def _same(self, known: Asset, properties: dict[str, Any]) -> bool:
        """Whether a body speaks of what is there: an update of its state, not other content."""
        if self._kind in {AssetKind.ENVIRONMENT, AssetKind.COMPONENT}:
            return bool(properties.get("isArchived")) or known.archived
        field = URI_FIELDS[self._noun]
        ours = asset_bodies.properties(self._as_sent(known), self._scope)[field]
        return short(str(properties.get(field) or "")).rstrip("/") == short(ours).rstrip("/")

    def _draft(self, name: str, version: str, properties: dict[str, Any]) -> AssetDraft:
        path, spec = self._content(properties)
        return AssetDraft(
            self._kind,
            name,
            spec,
            version=version,
            path=path,
            description=properties.get("description"),
            tags=asset_bodies.texts(properties.get("tags")),
            properties=asset_bodies.texts(properties.get("properties")),
            # What was uploaded has left the user's folder already.
            allow_secrets=True,
        )

    def _content(self, properties: dict[str, Any]) -> tuple[str | None, dict[str, JSON]]:
        if self._kind is AssetKind.ENVIRONMENT:
            return None, asset_bodies.environment_spec(properties)
        if self._kind is AssetKind.COMPONENT:
            return None, asset_bodies.component_spec(properties)
        uri = properties.get(URI_FIELDS[self._noun])
        if not isinstance(uri, str) or not uri:
            raise Refused(400, "ValidationError", f"`{URI_FIELDS[self._noun]}` is missing")
        kinds = {AssetKind.DATA: "dataType", AssetKind.MODEL: "modelType"}
        given = properties.get(kinds.get(self._kind, ""))
        spec: dict[str, JSON] = {"type": str(given)} if given else {}
        place = self._places.local(uri)
        if place is None:
            return None, {**spec, "path": short(uri)}
        if not place.exists():
            raise Refused(400, "ValidationError", f"nothing was uploaded to `{uri}`")
        return str(place), spec

    def _pending(self, name: str, version: str) -> Reply:
        container = upload_container(name, version)
        self._places.folder(container).mkdir(parents=True, exist_ok=True)
        uri = f"{self._context.blobs}/{container}"
        credential = {"credentialType": "SAS", "sasUri": self._context.blob_url(container)}
        reference = {"blobUri": uri, "storageAccountArmId": "", "credential": credential}
        return Reply(
            200,
            {
                "pendingUploadId": container,
                "pendingUploadType": "TemporaryBlobReference",
                "blobReferenceForConsumption": reference,
            },
        )
