"""Datastores of an Azure ML workspace: read over REST, defined through the SDK's own YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit import transfers
from amlkit.azure import blobs
from amlkit.azure.client import ArmClient
from amlkit.azure.names import created_at, snake, texts
from amlkit.errors import Conflict, NotFound, did_you_mean
from amlkit.records import JSON, Datastore, StoredFile
from amlkit.transfers import Transfer, Transferred

if TYPE_CHECKING:
    from amlkit.azure.container import ContainerStore
    from amlkit.azure.sdk import Sdk
    from amlkit.shares.store import ShareStore

# Azure Resource Manager's word and the YAML reference's.
_TYPES = {
    "AzureBlob": "azure_blob",
    "AzureFile": "azure_file",
    "AzureDataLakeGen1": "azure_data_lake_gen1",
    "AzureDataLakeGen2": "azure_data_lake_gen2",
    "OneLake": "one_lake",
}
_FIELDS = {
    "account_name": "accountName",
    "container_name": "containerName",
    "file_share_name": "fileShareName",
    "filesystem": "filesystem",
    "endpoint": "endpoint",
    "protocol": "protocol",
}
_URI = re.compile(r"^azureml://(?:.*/)?datastores/(?P<store>[^/]+)/paths/(?P<path>.*)$")


class AzureDatastores:
    """Named places for files, on Azure."""

    def __init__(self, client: ArmClient, sdk: Sdk | None = None) -> None:
        self._client = client
        self._sdk = sdk
        self._descriptions: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        self._places: dict[str, blobs.Place] = {}

    def create(self, name: str, spec: Mapping[str, JSON]) -> Datastore:
        """Define a datastore from the fields of its YAML; the same again is no change.

        Raises: Conflict: the name means another place. UsageError: the SDK refuses the spec.
        """
        assert self._sdk is not None
        known = {each.name: each for each in self.list()}
        entity = self._sdk.load("datastore", {**spec, "name": name}, None)
        if name in known and _differs(known[name].spec, spec):
            raise Conflict(
                f"datastore `{name}` is `{known[name].path}`", hint="choose another name"
            )
        self._sdk.call(f"datastore `{name}`", lambda ml: ml.datastores.create_or_update(entity))
        return self.get(name)

    def get(self, name: str) -> Datastore:
        """Return one. Raises: NotFound."""
        try:
            return _datastore(self._client.get(f"/datastores/{name}", f"datastore `{name}`"))
        except NotFound as error:
            close = did_you_mean(name, [each.name for each in self.list()])
            hint = f"did you mean `{close}`?" if close else "see `amlkit datastore list`"
            raise NotFound(error.message, hint=hint) from None

    def list(self) -> Sequence[Datastore]:
        """Return all, the default first."""
        found = [_datastore(each) for each in self._client.list("/datastores", "datastores")]
        return sorted(found, key=lambda each: not each.is_default)

    def default(self) -> Datastore:
        """Return the workspace's default datastore. Raises: NotFound."""
        for each in self._client.list("/datastores", "default datastore", isDefault="true"):
            return _datastore(each)
        raise NotFound("the workspace has no default datastore")

    def delete(self, name: str) -> None:
        """Forget a definition; the files stay. Raises: NotFound, Conflict: it is the default."""
        if self.get(name).is_default:
            raise Conflict(f"datastore `{name}` is the default", hint="it cannot be deleted")
        self._client.send("DELETE", f"/datastores/{name}", f"datastore `{name}`")

    def place(self, name: str) -> blobs.Place:
        """Return the container behind a datastore, with its key where it has one."""
        if name not in self._places:
            properties, secrets = self._described(name)
            self._places[name] = blobs.place_of(properties, name, secrets, self._client.credential)
        return self._places[name]

    def _described(self, name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return a datastore's properties and its secrets, of which it may have none."""
        if name not in self._descriptions:
            subject = f"datastore `{name}`"
            properties = self._client.get(f"/datastores/{name}", subject)["properties"]
            secrets: Mapping[str, Any] = {}
            if (properties.get("credentials") or {}).get("credentialsType") != "None":
                secrets = self._client.send(
                    "POST",
                    f"/datastores/{name}/listSecrets",
                    subject,
                    body={"expirableSecret": True, "expireAfterHours": 1},
                )
            self._descriptions[name] = properties, secrets
        return self._descriptions[name]

    def _share(self, name: str) -> ShareStore | None:
        """Return the file share behind a datastore; None: it is something else."""
        properties, secrets = self._described(name)
        if properties["datastoreType"] != "AzureFile":
            return None
        from amlkit.azure import shares

        return shares.store_of(properties, name, secrets, self._client.credential)

    def store(self, name: str) -> ContainerStore | ShareStore:
        """Return the container or the file share behind a datastore."""
        from amlkit.azure.container import ContainerStore

        return self._share(name) or ContainerStore(self.place(name))

    def files(
        self, name: str, prefix: str = "", *, limit: int | None = None
    ) -> Iterator[StoredFile]:
        """Yield the files below a prefix, sorted by path."""
        asked, pattern = transfers.split_glob(transfers.inside(prefix, name))
        for each in self._files(name, asked, limit=None if pattern else limit):
            if pattern and not pattern.match(each.path[len(asked) :].lstrip("/")):
                continue
            if not asked or each.path == asked or each.path.startswith(asked.rstrip("/") + "/"):
                yield each

    def _files(self, name: str, asked: str, *, limit: int | None) -> Iterator[StoredFile]:
        if (share := self._share(name)) is None:
            yield from self.place(name).files(asked, limit=limit)
            return
        for each in sorted(share.files(asked), key=lambda each: each.path)[:limit]:
            yield StoredFile(each.path, each.size, each.modified.isoformat(timespec="seconds"))

    def upload(self, name: str, source: Path, target: str, how: Transfer) -> Transferred:
        """Copy a file, a folder or what a glob finds into the datastore; only what is missing."""
        from amlkit import copying

        return copying.upload(self.store(name), source, transfers.inside(target, name), how)

    def download(self, name: str, prefix: str, target: Path, how: Transfer) -> Transferred:
        """Copy files out of the datastore; only what is missing. Raises: NotFound."""
        from amlkit import copying

        return copying.download(self.store(name), transfers.inside(prefix, name), target, how)


def parse_uri(uri: str) -> tuple[str, str] | None:
    """Return (datastore, path) of an `azureml://` datastore URI, long or short; else None."""
    found = _URI.match(uri)
    return (found["store"], found["path"]) if found else None


def _differs(known: Mapping[str, JSON], spec: Mapping[str, JSON]) -> bool:
    return any(
        str(known.get(key)) != str(spec[key])
        for key in ("account_name", "container_name", "file_share_name", "filesystem")
        if key in spec
    )


def _datastore(resource: Mapping[str, Any]) -> Datastore:
    properties = resource["properties"]
    kind = str(properties["datastoreType"])
    spec = {ours: properties[theirs] for ours, theirs in _FIELDS.items() if properties.get(theirs)}
    inner = spec.get("container_name") or spec.get("file_share_name") or spec.get("filesystem")
    service = {"AzureFile": "file", "AzureDataLakeGen2": "dfs"}.get(kind, "blob")
    account = spec.get("account_name")
    path = f"https://{account}.{service}.{spec.get('endpoint')}/{inner}" if account else kind
    return Datastore(
        str(resource["name"]),
        _TYPES.get(kind, snake(kind)),
        path,
        bool(properties.get("isDefault")),
        description=properties.get("description"),
        tags=texts(properties.get("tags")),
        spec=spec,
        created_at=created_at(resource),
    )
