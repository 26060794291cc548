"""A real Azurite with a container of its own for each test, and a keyring in a file."""

from __future__ import annotations

import sys
import time
import uuid
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import azurite
import shares_server


@dataclass
class Storage:
    """A container, and the flags that define it as a datastore."""

    endpoint: str
    container: str
    log: deque

    def requests(self, *words):
        """Return the lines of Azurite's log about this container that have all the words."""
        mark, deadline = uuid.uuid4().hex, time.monotonic() + 30
        with self.client as client:
            client.get_blob_client(mark).exists()
        # The log comes through a pipe, behind the answers.
        while not any(mark in line for line in list(self.log)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return [line for line in list(self.log) if all(w in line for w in (self.container, *words))]

    def uncommitted(self, name):
        """Return how many blocks of a file were sent that is not there yet."""
        from azure.core.exceptions import ResourceNotFoundError

        with self.client as client:
            try:
                return len(client.get_blob_client(name).get_block_list("uncommitted")[1])
            except ResourceNotFoundError:
                return 0

    @property
    def flags(self):
        return (
            "--type", "azure_blob", "--protocol", "http", "--endpoint", self.endpoint,
            "--account-name", azurite.ACCOUNT, "--container-name", self.container,
        )  # fmt: skip

    @property
    def env(self):
        return {"STORAGE_KEY": azurite.KEY}

    @property
    def client(self):
        from azure.storage.blob import ContainerClient

        url = f"http://{self.endpoint}/{azurite.ACCOUNT}"
        return ContainerClient(url, self.container, credential=azurite.KEY)

    def names(self):
        with self.client as client:
            return sorted(each.name for each in client.list_blobs())

    def put(self, name, content, **more):
        with self.client as client:
            client.upload_blob(name, content, overwrite=True, **more)

    def sas(self, *, hours, write=True):
        from datetime import UTC, datetime, timedelta

        from azure.storage.blob import ContainerSasPermissions, generate_container_sas

        now = datetime.now(UTC)
        return generate_container_sas(
            azurite.ACCOUNT, self.container, account_key=azurite.KEY,
            permission=ContainerSasPermissions(read=True, write=write, list=True, delete=write),
            start=now - timedelta(hours=9), expiry=now + timedelta(hours=hours),
        )  # fmt: skip


@pytest.fixture(scope="session")
def azurite_endpoint():
    try:
        log = deque()
        with azurite.running(log=log) as endpoint:
            yield endpoint, log
    except azurite.Missing as cause:
        pytest.skip(f"no Azurite: {cause}")


@pytest.fixture
def storage(azurite_endpoint):
    endpoint, log = azurite_endpoint
    found = Storage(endpoint, f"c{uuid.uuid4().hex[:12]}", log)
    with found.client as client:
        client.create_container()
    return found


@pytest.fixture
def blob(storage, amlkit):
    """Run amlkit with a datastore `images` that is the container; its key in a variable."""

    def run(*arguments, env=None, **more):
        return amlkit(*arguments, env={**storage.env, **(env or {})}, **more)

    made = run(
        "datastore",
        "create",
        "--name",
        "images",
        *storage.flags,
        "--account-key-env",
        "STORAGE_KEY",
    )
    assert made.returncode == 0, made.stderr
    return run


@pytest.fixture
def shares():
    """A server of file shares, with a share `images`."""
    from shares_tree import Share

    with shares_server.running() as service:
        service.shares["images"] = Share()
        yield service


SHARE = ("--type", "azure_file", "--account-name", shares_server.ACCOUNT)


@pytest.fixture
def share(shares, amlkit):
    """Run amlkit with a datastore `images` that is the share; its key in a variable."""

    def run(*arguments, env=None, **more):
        env = {"SHARE_KEY": shares_server.KEY, **(env or {})}
        return amlkit(*arguments, env=env, **more)

    made = run(
        "datastore", "create", "--name", "images", *SHARE, "--file-share-name", "images",
        "--protocol", "http", "--endpoint", shares.endpoint, "--account-key-env", "SHARE_KEY",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert shares.log == []
    return run


@pytest.fixture
def keyring_env(tmp_path):
    """Variables that give the keyring package a backend, as a desktop's settings do."""
    folder = Path(__file__).parent / "keyring_backend"
    return {
        "PYTHONPATH": str(folder),
        "PYTHON_KEYRING_BACKEND": "file_keyring.FileKeyring",
        "FILE_KEYRING": str(tmp_path / "outside-the-workspace.json"),
    }
