"""From the fields of a datastore, or a storage URI, to a container and its address.

Source: "CLI (v2) Azure Blob datastore YAML schema" and its siblings for Azure Files, Azure Data
Lake Gen2 and OneLake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from amlkit.errors import UsageError
from amlkit.light import dataclass
from amlkit.records import JSON

SCHEMES = ("azureml://datastores/", "http://", "https://", "wasbs://", "wasb://", "abfss://")
"""How addresses start whose data can be brought here."""
REMOTE_TYPES = ("azure_blob", "azure_file", "azure_data_lake_gen2", "one_lake")
INNER = {
    "azure_blob": "container_name",
    "azure_file": "file_share_name",
    "azure_data_lake_gen2": "filesystem",
    "one_lake": "one_lake_workspace_name",
}
_URI = re.compile(
    r"^(?:wasbs?|abfss?)://(?P<container>[^@/]+)@(?P<account>[^./]+)\.(?:blob|dfs)\.(?P<endpoint>[^/]+)"
    r"(?:/(?P<path>.*))?$"
)
# An emulator has one host for all accounts, which are then the first part of the path.
_ONE_HOST = re.compile(r"^(localhost|\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\])(:\d+)?$")


@dataclass(frozen=True)
class Place:
    """A container of a storage account. prefix: the folder in it that is the root."""

    url: str
    account: str
    container: str
    prefix: str = ""

    @property
    def address(self) -> str:
        """The URL of the root, as `datastore show` prints it."""
        return "/".join(each for each in (self.url, self.container, self.prefix) if each)


def place_of(spec: Mapping[str, JSON]) -> Place:
    """Return the container that a datastore stands for. Raises: UsageError: a field is missing."""
    kind = str(spec.get("type"))
    inner = str(spec.get(INNER[kind]) or "")
    if not inner:
        option = INNER[kind].replace("_", "-")
        raise UsageError(f"the datastore has no {INNER[kind]}", hint=f"add --{option} NAME")
    if kind == "one_lake":
        artifact = spec.get("artifact")
        folder = str(artifact.get("name") or "") if isinstance(artifact, Mapping) else ""
        host = str(spec.get("endpoint") or "onelake.blob.fabric.microsoft.com")
        url = f"https://{host.replace('.dfs.', '.blob.')}"
        return Place(url, "onelake", inner, folder.strip("/"))
    account = str(spec.get("account_name") or "")
    if not account:
        raise UsageError("the datastore has no account_name", hint="add --account-name NAME")
    service = "file" if kind == "azure_file" else "blob"
    endpoint = str(spec.get("endpoint") or "core.windows.net")
    return Place(
        _url(str(spec.get("protocol") or "https"), account, service, endpoint), account, inner
    )


def _url(protocol: str, account: str, service: str, endpoint: str) -> str:
    bare = endpoint.removeprefix("https://").removeprefix("http://").strip("/")
    if _ONE_HOST.match(bare):
        return f"{protocol}://{bare}/{account}"
    return f"{protocol}://{account}.{service}.{bare}"


def place_of_uri(uri: str) -> tuple[Place, str] | None:
    """Return the container and the path of a `wasbs://` or `abfss://` URI, or None."""
    found = _URI.match(uri)
    if found is None:
        return None
    url = _url("https", found["account"], "blob", found["endpoint"])
    return Place(url, found["account"], found["container"]), found["path"] or ""


def datastore_uri(uri: str) -> tuple[str, str] | None:
    """Return the name and the path of `azureml://datastores/NAME/paths/PATH`, or None."""
    if not uri.startswith("azureml://datastores/"):
        return None
    name, _, path = uri.removeprefix("azureml://datastores/").partition("/paths/")
    return name.rstrip("/"), path
