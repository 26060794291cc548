"""The file share behind a datastore of an Azure ML workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlkit.azure.blobs import secret_of
from amlkit.shares.store import Share, ShareStore


def store_of(
    datastore: Mapping[str, Any], name: str, secrets: Mapping[str, Any], credential: Any
) -> ShareStore:
    """Return the share behind a datastore's description, opened.

    secrets: what `listSecrets` answered; without any the workspace's own login is used.
    """
    account = str(datastore["accountName"])
    endpoint = str(datastore.get("endpoint") or "core.windows.net")
    url = f"{datastore.get('protocol') or 'https'}://{account}.file.{endpoint}"
    found: Any = secret_of(secrets)
    if secrets.get("secretsType") == "AccountKey":
        found = {"account_name": account, "account_key": found}
    return ShareStore(
        name, Share(url, account, str(datastore["fileShareName"])), found or credential
    )
