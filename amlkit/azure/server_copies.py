"""Blobs copied by the storage itself, and through this machine where it will not.

Source: "Copy Blob From URL", "Put Block From URL", "Authorize with Microsoft Entra ID".
"""

from __future__ import annotations

import hashlib
import time
from functools import cached_property
from typing import Any

from amlkit import block_upload
from amlkit.azure.blobs import Place
from amlkit.azure.blocks import Blocks, noted
from amlkit.azure.container import unchanged
from amlkit.copying import Stored

_AT_ONCE = 256 * 1024 * 1024
"""The largest blob that is copied in one request."""
_PART = 128 * 1024 * 1024
_STORAGE = "https://storage.azure.com/.default"
_SAS_SECONDS = 24 * 3600
_MARGIN_SECONDS = 300


class Copier:
    """Copies blobs from one container to another, or the same."""

    def __init__(self, source: Place, target: Place) -> None:
        self._source = source
        self._target = target
        self._streaming = False
        self._token: Any = None

    def copy(self, stored: Stored, to: str) -> None:
        """Copy one blob as it was listed; it is there whole or not at all.

        Raises: HttpResponseError: it is gone, or has been written to since.
        """
        from azure.core.exceptions import HttpResponseError

        if not self._streaming:
            try:
                if stored.size <= _AT_ONCE:
                    self._copy_whole(stored, to)
                else:
                    self._copy_parts(stored, to)
                return
            except HttpResponseError:
                # Storage behind a firewall cannot read itself by URL (CannotVerifyCopySource);
                # what else is wrong, streaming says too.
                self._streaming = True
        self._stream(stored, to)

    def _copy_whole(self, stored: Stored, to: str) -> None:
        blob = self._target.client.get_blob_client(to)
        address, same = self._address(stored.path), unchanged(stored, "source_")
        blob.start_copy_from_url(address, requires_sync=True, **same, **self._permission())

    def _copy_parts(self, stored: Stored, to: str) -> None:
        blob = self._target.client.get_blob_client(to)
        blocks = Blocks(blob)
        there = blocks.staged()
        names = []
        for index, offset in enumerate(range(0, stored.size, _PART)):
            length = min(_PART, stored.size - offset)
            of = hashlib.sha256(
                f"{stored.path}\n{stored.md5}\n{stored.etag}\n{offset}".encode()
            ).hexdigest()
            names.append(block_upload.name_of(index, of))
            if there.get(names[-1]) != length:
                blob.stage_block_from_url(
                    names[-1],
                    self._address(stored.path),
                    source_offset=offset,
                    source_length=length,
                    **self._permission(),
                )
        # Parts are copied without a condition.
        source = self._source.client.get_blob_client(stored.path)
        source.get_blob_properties(**unchanged(stored))
        blocks.commit(names, stored.md5)

    def _stream(self, stored: Stored, to: str) -> None:
        found = self._source.client.download_blob(stored.path, **unchanged(stored)).chunks()
        more = noted(stored.md5) if stored.md5 else {}
        client = self._target.client
        client.upload_blob(to, found, length=stored.size, overwrite=True, **more)

    def _address(self, path: str) -> str:
        """Return the URL of a blob, with a signature unless a token goes beside it."""
        url = str(self._source.client.get_blob_client(path).url)
        return f"{url}?{self._sas}" if self._sas else url

    @cached_property
    def _sas(self) -> str | None:
        """A signature made with the account's key; None where the URL has one, or by token."""
        from datetime import UTC, datetime, timedelta

        from azure.storage.blob import ContainerSasPermissions, generate_container_sas

        client = self._source.client
        if not hasattr(client.credential, "account_key"):
            return None
        now = datetime.now(UTC)
        return str(
            generate_container_sas(
                client.account_name,
                self._source.container,
                account_key=client.credential.account_key,
                permission=ContainerSasPermissions(read=True),
                start=now - timedelta(minutes=15),
                expiry=now + timedelta(seconds=_SAS_SECONDS),
            )
        )

    def _permission(self) -> dict[str, str]:
        credential = self._source.credential
        if not hasattr(credential, "get_token"):
            return {}
        if self._token is None or self._token.expires_on < time.time() + _MARGIN_SECONDS:
            self._token = credential.get_token(_STORAGE)
        return {"source_authorization": f"Bearer {self._token.token}"}
