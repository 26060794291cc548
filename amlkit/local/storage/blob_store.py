"""A container of Azure storage, through obstore: files listed, sent, fetched, removed.

obstore sends a thousand small files for a fifth of the processor time of azure-storage-blob,
500 MB in two thirds of the time, and is imported in 50 ms.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit.block_upload import BLOCK, LARGE
from amlkit.copying import MD5, Moved, Stored, begun, check, hash_of
from amlkit.errors import NotSupported
from amlkit.local.storage.places import Place
from amlkit.local.storage.refusals import translated

if TYPE_CHECKING:
    from amlkit.local.storage.tokens import Tokens


class BlobStore:
    """The files of one container. login: fields for obstore, or a function that returns a key.

    Raises: NotSupported: obstore is not installed.
    """

    remote = True

    def __init__(self, name: str, place: Place, login: dict[str, Any]) -> None:
        try:
            import obstore  # noqa: F401
        except ModuleNotFoundError:
            raise NotSupported(
                f"datastore `{name}` is in Azure storage, which needs the blob extra",
                hint="pip install 'amlkit[blob]'",
            ) from None
        self.name = name
        self.place = place
        self._login = login

    @property
    def address(self) -> str:
        """The URL of the root."""
        return self.place.address

    @cached_property
    def _store(self) -> Any:
        from obstore.store import AzureStore

        return AzureStore(
            self.place.container,
            prefix=self.place.prefix or None,
            account_name=self.place.account,
            endpoint=self.place.url,
            client_options={
                "allow_http": self.place.url.startswith("http://"),
                "connect_timeout": timedelta(seconds=10),
                "timeout": timedelta(minutes=10),
            },
            retry_config={"max_retries": 4, "retry_timeout": timedelta(minutes=2)},
            **self._login,
        )

    def files(self, prefix: str) -> Iterator[Stored]:
        """Yield the file at a path and those below it."""
        import obstore

        with translated(self.name, self.place):
            if prefix:
                # A folder is not found here, and the listing below says what is missing.
                with suppress(FileNotFoundError, obstore.exceptions.NotFoundError):
                    yield _stored(obstore.head(self._store, prefix))
            for batch in obstore.list(self._store, prefix=prefix or None, chunk_size=1000):
                for each in batch:
                    if each["path"] != prefix:
                        yield _stored(each)

    def key(self, path: str) -> str:
        """Return what is the same for all ways to write a path."""
        return path

    def md5(self, path: str) -> str | None:
        """Return the MD5 that was stored with a file, or None."""
        import obstore

        with translated(self.name, self.place):
            found = obstore.get(self._store, path, options={"head": True})
            value: str | None = found.attributes.get(MD5)
            return value

    def put(self, path: str, source: Path, moved: Moved) -> None:
        """Write a file; it is there whole or not at all, with its MD5 beside it."""
        import obstore

        if source.stat().st_size > LARGE and (way := self._way_in(path)) is not None:
            from amlkit.local.storage import blocks

            address, tokens = way
            with translated(self.name, self.place):
                blocks.put(address, source, MD5, moved, tokens)
            return
        with translated(self.name, self.place):
            if source.stat().st_size <= LARGE:
                content = source.read_bytes()
                # Of what is sent, even if the file changes just now.
                attributes = {MD5: hashlib.md5(content, usedforsecurity=False).hexdigest()}
                obstore.put(self._store, path, content, attributes=attributes)
                moved(len(content))
            else:
                attributes = {MD5: hash_of(source)}
                content_blocks = _blocks(source, moved)
                obstore.put(
                    self._store, path, content_blocks, attributes=attributes, chunk_size=BLOCK,
                    max_concurrency=4,
                )  # fmt: skip

    def _way_in(self, path: str) -> tuple[str, Tokens | None] | None:
        """Return the address of a file with a SAS, or with tokens; None where only obstore knows.

        That is a managed or federated identity.
        """
        from urllib.parse import quote

        from amlkit.local.storage import blocks

        provider = self._login.get("credential_provider")
        known = provider() if provider is not None else {}
        place = self.place
        whole = f"{place.prefix}/{path}" if place.prefix else path
        address = f"{place.url}/{place.container}/{quote(whole)}"
        if "access_key" in known:
            key = str(known["access_key"])
            return blocks.signed(place.url, place.account, place.container, whole, key), None
        if "sas_token" in known:
            return f"{address}?{known['sas_token']}", None
        tokens = self._tokens
        return (address, tokens) if tokens is not None and tokens() is not None else None

    @cached_property
    def _tokens(self) -> Tokens | None:
        from amlkit.local.storage import tokens

        return tokens.of_login(self._login, self.place.url)

    def fetch(self, stored: Stored, target: Path, moved: Moved) -> None:
        """Write a file to `target`, going on where an earlier attempt at the same stopped.

        Raises: AmlkitError: what came is not what was stored.
        """
        import obstore

        options: dict[str, Any] = {"if_match": stored.etag} if stored.etag else {}
        with begun(target, stored) as (part, start), translated(self.name, self.place):
            moved(start)
            if start == stored.size:
                options["head"] = True
            elif start:
                options["range"] = {"offset": start}
            found = obstore.get(self._store, stored.path, options=options)
            if start < stored.size:
                with part.open("ab") as sink:
                    for chunk in found.stream(min_chunk_size=BLOCK):
                        sink.write(chunk)
                        moved(len(chunk))
            check(part, stored, found.attributes.get(MD5))
            part.replace(target)

    def tidy(self) -> None:
        """Do nothing: storage lets go by itself of blocks that became no file."""

    def delete(self, path: str) -> None:
        """Remove a file."""
        import obstore

        with translated(self.name, self.place):
            obstore.delete(self._store, path)


def _stored(meta: Any) -> Stored:
    modified: datetime = meta["last_modified"]
    return Stored(meta["path"], int(meta["size"]), modified.astimezone(UTC), meta["e_tag"])


def _blocks(source: Path, moved: Moved) -> Iterator[bytes]:
    with source.open("rb") as content:
        while block := content.read(BLOCK):
            yield block
            moved(len(block))


def identity() -> dict[str, Any]:
    """Return what obstore needs to go by identity: `az login` where there is one.

    Without the Azure CLI, a service principal in AZURE_CLIENT_ID, AZURE_TENANT_ID and
    AZURE_CLIENT_SECRET, or the machine's managed identity.
    """
    principal = os.environ.get("AZURE_CLIENT_SECRET") or os.environ.get(
        "AZURE_FEDERATED_TOKEN_FILE"
    )
    return {"use_azure_cli": True} if shutil.which("az") and not principal else {}


def login_with(kind: str, secret: str, more: dict[str, Any]) -> dict[str, Any]:
    """Return what obstore needs to log in with an account key, a SAS or a service principal."""
    if kind == "account_key":
        return {"credential_provider": lambda: {"access_key": secret, "expires_at": None}}
    if kind == "sas_token":
        token = secret.removeprefix("?")
        return {"credential_provider": lambda: {"sas_token": token, "expires_at": None}}
    found = {
        "client_secret": secret,
        "client_id": more["client_id"],
        "tenant_id": more["tenant_id"],
    }
    if more.get("authority_url"):
        found["authority_host"] = more["authority_url"]
    return found
