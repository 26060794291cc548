"""Content on its way to Azure: hashed first, so that what is there already is not sent again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amlkit.azure.blobs import Place
from amlkit.azure.client import ArmClient
from amlkit.azure.datastores import AzureDatastores
from amlkit.errors import Conflict, NotFound, UsageError
from amlkit.file_records import AssetFile
from amlkit.light import dataclass
from amlkit.records import AssetDraft
from amlkit.snapshots.files import check, of_code, size_limit_bytes
from amlkit.snapshots.walk import walk
from amlkit.workspace import Progress

HASH_VERSION = "202208"
"""The name that Azure ML gives to `content_hash`. Source: azure-ai-ml, `get_content_hash`."""


def content_hash(files: Mapping[str, Path]) -> str:
    """Return Azure ML's hash of a set of files: their number, paths, sizes and contents.

    The SDK makes the same one, so that either finds what the other has sent.
    """
    ordered = sorted(files.items(), key=lambda item: item[0].lower())
    digest = hashlib.sha256(str(len(ordered)).encode())
    for name, path in ordered:
        digest.update(f"#{name}#{path.stat().st_size}".encode())
    for _, path in ordered:
        with path.open("rb") as content:
            while chunk := content.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def listed(files: Mapping[str, Path]) -> Sequence[AssetFile]:
    """Return the files of a code folder with the hash of each."""
    found = []
    for name, path in sorted(files.items()):
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        found.append(AssetFile(name, path.stat().st_size, digest))
    return found


@dataclass(frozen=True)
class Upload:
    """A file or folder to be sent. folder: where in the datastore; whole: the path of it all.

    facts: of each file as it was hashed: where it goes is named after what is in it.
    """

    files: Mapping[str, Path]
    folder: str
    whole: str
    facts: Mapping[Path, os.stat_result]

    def is_at(self, uri: str) -> bool:
        """Whether that is where it is, or would be sent to."""
        return uri.rstrip("/").endswith("/paths/" + self.whole.rstrip("/"))

    def send(self, datastores: AzureDatastores, progress: Progress | None) -> str:
        """Send what is not there to the default datastore; return the URI.

        An upload that was broken off and is done again sends only what is missing: the path holds
        the hash of the content, and a blob is there whole or not at all.
        Raises: AmlkitError: a file has changed since it was hashed.
        """
        store = datastores.default().name
        place = datastores.place(store)
        there = {each.path: each.size for each in place.files(self.folder + "/")}
        missing = {
            f"{self.folder}/{name}": path
            for name, path in self.files.items()
            if there.get(f"{self.folder}/{name}") != self.facts[path].st_size
        }
        place.send(missing, progress, facts=self.facts)
        return f"azureml://datastores/{store}/paths/{self.whole}"


def upload_of(source: Path) -> Upload:
    """Return a file or folder with its place, by the hash of its content.

    Raises: NotFound: no such path. UsageError: an empty folder.
    """
    files = _all_files(source)
    if not files:
        raise UsageError(f"`{source}` has no files", hint="Azure ML keeps no empty folders")
    facts = {path: path.stat() for path in files.values()}
    folder = f"LocalUpload/{content_hash(files)}"
    if source.is_dir():
        folder = f"{folder}/{source.absolute().name}"
        return Upload(files, folder, f"{folder}/", facts)
    return Upload(files, folder, f"{folder}/{source.name}", facts)


def _all_files(source: Path) -> dict[str, Path]:
    if not source.exists():
        raise NotFound(f"`{source}` does not exist", hint="check the path; it is relative to here")
    if source.is_file():
        return {source.name: source}
    root = os.path.realpath(source)
    files: dict[str, Path] = {}
    links: dict[str, str] = {}
    for each in walk(Path(root), None):
        # `resolve` raises where a link leads in a circle.
        aim = os.path.realpath(each.path)
        if Path(aim).is_file():
            files[each.relative] = Path(aim)
        elif each.kind == "link" and Path(aim).is_dir():
            links[each.relative] = Path(aim).relative_to(root).as_posix()
    return {**files, **_linked(files, links)}


def _linked(files: Mapping[str, Path], links: Mapping[str, str]) -> dict[str, Path]:
    """Return what is in linked folders, below the links; not of a folder that the link is in."""
    return {
        f"{link}{name.removeprefix(folder)}": path
        for link, folder in links.items()
        for name, path in files.items()
        if name.startswith(f"{folder}/") and not link.startswith(f"{folder}/")
    }


class CodeStore:
    """Code snapshots of a workspace, under amlkit's ignore rules."""

    def __init__(self, client: ArmClient) -> None:
        self._client = client
        self._stored: dict[str, dict[str, Any]] = {}
        self.sent: dict[Path, Sequence[AssetFile]] = {}
        """The files of each code folder that was asked for."""

    def store(
        self, code: Path, includes: Sequence[Path] = (), *, allow_secrets: bool = False
    ) -> dict[str, Any]:
        """Return the code asset of a folder's content: the one that is there, or a new one.

        Raises: NotFound, AmlkitError: too large, or a secret is in it.
        """
        import uuid

        files, digest = _snapshot(code, includes, allow_secrets=allow_secrets)
        self.sent[code.resolve()] = listed(files)
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, digest))
        # Steps that share a folder ask once.
        if name not in self._stored:
            self._stored[name] = self._known(name, digest) or self._new(name, "1", digest, files)
        return self._stored[name]

    def store_named(
        self, draft: AssetDraft, next_version: str, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Return the code asset of that name and content; a new version where there is none.

        Raises: Conflict: the version that is asked for has other content.
        """
        includes = [Path(each) for each in draft.includes]
        folder = Path(str(draft.path))
        files, digest = _snapshot(folder, includes, allow_secrets=draft.allow_secrets)
        if draft.version is None:
            known = self._known(draft.name, digest)
            return known or self._new(draft.name, next_version, digest, files, progress)
        path = f"/codes/{draft.name}/versions/{draft.version}"
        try:
            there = self._client.get(path, f"code `{draft.name}:{draft.version}`")
        except NotFound:
            return self._new(draft.name, draft.version, digest, files, progress)
        if (there["properties"].get("properties") or {}).get("hash_sha256") != digest:
            raise Conflict(
                f"code `{draft.name}:{draft.version}` exists with other content",
                hint="leave the version out for the next one",
            )
        return there

    def _known(self, name: str, digest: str) -> dict[str, Any] | None:
        found = self._client.list(
            f"/codes/{name}/versions", f"code `{name}`", hash=digest, hashVersion=HASH_VERSION
        )
        return next(iter(_existing(found)), None)

    def _new(
        self,
        name: str,
        version: str,
        digest: str,
        files: Mapping[str, Path],
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        subject = f"code `{name}`"
        path = f"/codes/{name}/versions/{version}"
        pending = self._client.send(
            "POST",
            f"{path}/startPendingUpload",
            subject,
            body={"pendingUploadType": "TemporaryBlobReference"},
        )["blobReferenceForConsumption"]
        place = _signed(pending["credential"]["sasUri"])
        place.send({f"code/{name_}": each for name_, each in files.items()}, progress)
        properties = {
            "codeUri": f"{pending['blobUri']}/code",
            "isAnonymous": True,
            "properties": {"hash_sha256": digest, "hash_version": HASH_VERSION},
        }
        return self._client.send("PUT", path, subject, body={"properties": properties})


def _snapshot(
    code: Path, includes: Sequence[Path], *, allow_secrets: bool
) -> tuple[dict[str, Path], str]:
    listed = list(of_code(code, includes, follow=True))
    check(code, listed, size_limit_bytes(), allow_secrets=allow_secrets)
    files = {relative: path for relative, path, _ in listed}
    if not files:
        raise UsageError(f"code folder `{code}` has no files", hint="Azure ML keeps no empty ones")
    return files, content_hash(files)


def _existing(found: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    try:
        yield from found
    except NotFound:
        return


def _signed(url: str) -> Place:
    """Return the container of a signed URL."""
    address, _, signature = url.partition("?")
    account, _, container = address.rstrip("/").rpartition("/")
    return Place("code snapshots", account, container, signature)
