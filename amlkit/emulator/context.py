"""What answering a request needs; each connection has its own, as a workspace has one thread."""

from __future__ import annotations

from amlkit.emulator.names import Scope
from amlkit.emulator.signing import Signer
from amlkit.emulator.state import Area
from amlkit.light import dataclass, field
from amlkit.services import Workspace

ACCOUNT = "amlkit"
SUFFIX = "core.localhost"
LOCATION = "local"


@dataclass(frozen=True)
class Context:
    """The workspace and where it is served.

    workspace_id: what the SDK knows the workspace by. current_python: jobs run in this
    interpreter. followed: jobs whose run somebody has looked at.
    """

    workspace: Workspace
    area: Area
    signer: Signer
    port: int
    workspace_id: str
    current_python: bool = False
    followed: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where Resource Manager is."""
        return f"https://localhost:{self.port}"

    @property
    def account(self) -> str:
        """The account's name, such that the SDK makes a loopback URL of it, without any DNS."""
        return f"127.0.0.1:{self.port}/{ACCOUNT}"

    @property
    def blobs(self) -> str:
        """Where the blob endpoint is."""
        return f"https://{self.account}.blob.{SUFFIX}"

    def blob_url(self, container: str, name: str = "") -> str:
        """Return a URL of a blob that carries its own permission."""
        path = f"{container}/{name}" if name else container
        return f"{self.blobs}/{path}?{self.signer.sas(container)}"


def system_data(created_at: str = "", created_by: str = "") -> dict[str, str]:
    """Return who made something and when, as Resource Manager says it."""
    made = created_at or "1970-01-01T00:00:00+00:00"
    return {
        "createdAt": made,
        "createdBy": created_by or "amlkit",
        "createdByType": "User",
        "lastModifiedAt": made,
    }


def resource(
    scope: Scope, parts: tuple[str, ...], properties: dict[str, object], created: tuple[str, str]
) -> dict[str, object]:
    """Return a resource as Resource Manager wraps it. parts: `data`, NAME, `versions`, VERSION."""
    return {
        "id": scope.of(*parts),
        "name": parts[-1],
        "type": "/".join(("Microsoft.MachineLearningServices/workspaces", *parts[::2])),
        "properties": properties,
        "systemData": system_data(*created),
    }
