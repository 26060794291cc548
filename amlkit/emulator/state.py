"""What an emulator leaves in its workspace's folder, and whether one runs there.

emulator/emulator.lock  held while it runs: the system lets go of it however the process ends
emulator/state.json     port, process and the key of this start; only its user can read it
emulator/identity.json  the workspace's id: the SDK keeps what it has sent to a workspace by it
emulator/ca.pem         the CA of this start, with the roots that were trusted before
emulator/uploads/       code that the SDK uploads before it becomes a code asset
emulator/metadata/, blocks/, resources/   what blobs and ARM bodies carry beyond the workspace's own
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from amlkit.errors import Conflict, NotFound
from amlkit.light import asdict, dataclass
from amlkit.local import processes
from amlkit.records import Record

LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Running(Record):
    """An emulator that runs.

    key: what its tokens are signed with; it ends with the process. started: when the process was
    started, as its number may come again.
    """

    COLUMNS = ("name", "url", "pid")

    name: str
    url: str
    pid: int
    key: str = ""
    ca: str = ""
    started: str = ""

    def as_dict(self) -> dict[str, object]:  # type: ignore[override]
        """Return all but the key."""
        return {"name": self.name, "url": self.url, "pid": self.pid, "ca": self.ca}

    def environment(self) -> dict[str, str]:
        """Return the variables that point the Azure SDK at this emulator."""
        return {
            "ARM_CLOUD_METADATA_URL": f"{self.url}/metadata/endpoints?api-version=2019-05-01",
            "REQUESTS_CA_BUNDLE": self.ca,
            "IDENTITY_ENDPOINT": f"{self.url}/msi/token",
            "IDENTITY_HEADER": self.key,
            **_unproxied(),
            **_sole(),
        }


def _unproxied() -> dict[str, str]:
    """Keep loopback traffic away from a proxy, where there is one."""
    if not any(os.environ.get(key) for key in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY")):
        return {}
    given = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    return {"NO_PROXY": ",".join(filter(None, [given, "localhost", "127.0.0.1"]))}


def _sole() -> dict[str, str]:
    """Keep `DefaultAzureCredential` from a real login that the variables here would begin first."""
    if not any(os.environ.get(key) for key in ("AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE")):
        return {}
    return {"AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential"}


class Area:
    """The emulator's part of a workspace's folder."""

    def __init__(self, workspace: Path) -> None:
        self.root = workspace / "emulator"

    @property
    def ca(self) -> Path:
        """The bundle that clients trust."""
        return self.root / "ca.pem"

    def lock(self) -> FileLock:
        """Return the lock of the running emulator, taken.

        Raises: Conflict: another emulator runs on this workspace.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(self.root / "emulator.lock", thread_local=False)
        try:
            # Whoever only looks whether one runs has the lock for a moment, too.
            lock.acquire(timeout=0 if self._alive() else LOOK_SECONDS, poll_interval=0.01)
        except Timeout:
            found = self._alive()
            where = f" at {found.url}" if found else ""
            raise Conflict(
                f"an emulator of this workspace runs already{where}",
                hint='use it: eval "$(amlkit emulator env)", or amlkit emulator stop',
            ) from None
        # Of one that was killed: its process number is somebody else's by now.
        self.forget()
        return lock

    def running(self) -> Running:
        """Return the emulator that runs. Raises: NotFound: none does."""
        found = self._alive()
        if found is None or not self.locked():
            raise NotFound("no emulator runs", hint="amlkit emulator start --detach")
        return found

    def locked(self) -> bool:
        """Whether an emulator holds the lock."""
        if not (self.root / "emulator.lock").exists():
            return False
        lock = FileLock(self.root / "emulator.lock", thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    def holds(self, running: Running) -> bool:
        """Whether an emulator has not ended yet."""
        return self._read() in (running, None) and self.locked()

    def announce(self, running: Running) -> None:
        """Write down where this emulator listens."""
        write_private(self.root / "state.json", json.dumps(asdict(running)).encode())

    def forget(self) -> None:
        """Remove what is of no use when the process ends, the key first."""
        (self.root / "state.json").unlink(missing_ok=True)

    def workspace_id(self) -> str:
        """Return the id of the workspace, made when it is first served.

        Another folder has another id: the SDK remembers on disk which components a workspace has.
        """
        path = self.root / "identity.json"
        try:
            return str(json.loads(path.read_bytes())["workspace_id"])
        except (OSError, ValueError, KeyError, TypeError):
            made = str(uuid.uuid4())
            write_private(path, json.dumps({"workspace_id": made}).encode())
            return made

    def _alive(self) -> Running | None:
        found = self._read()
        return found if found and processes.started(found.pid) == found.started else None

    def _read(self) -> Running | None:
        try:
            return Running(**json.loads((self.root / "state.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    # ARM bodies that hold more than the workspace keeps: as they came, by noun and name.

    def resource(self, noun: str, name: str) -> dict[str, object] | None:
        """Return a stored body, or None."""
        try:
            found = json.loads(self._resource(noun, name).read_bytes())
        except (OSError, ValueError):
            return None
        return dict(found)

    def resources(self, noun: str) -> list[dict[str, object]]:
        """Return all stored bodies of a noun, by name."""
        folder = self.root / "resources" / noun
        files = sorted(folder.glob("*.json")) if folder.is_dir() else []
        return [json.loads(each.read_bytes()) for each in files]

    def keep(self, noun: str, name: str, body: Mapping[str, object]) -> None:
        """Store a body."""
        write_private(self._resource(noun, name), json.dumps(body).encode())

    def drop(self, noun: str, name: str) -> bool:
        """Remove a body; say whether there was one."""
        path = self._resource(noun, name)
        there = path.exists()
        path.unlink(missing_ok=True)
        return there

    def _resource(self, noun: str, name: str) -> Path:
        plain = "".join(c if c.isalnum() or c in "-_." else f"%{ord(c):x}" for c in name)
        return self.root / "resources" / noun / f"{plain}.json"


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step; nobody else can read it."""
    with replacing(path) as handle:
        handle.write(content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file that replaces another in one step; after an error nothing is left of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".amlkit-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as handle:
            yield handle
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def is_scratch(name: str) -> bool:
    """Whether a file of that name is one that was being written when its process was killed."""
    return re.fullmatch(r"\.amlkit-[0-9]+-[0-9a-f]{8}", name) is not None
