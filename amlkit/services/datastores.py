"""Datastores: what `amlkit datastore ...` means, on every workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amlkit import references
from amlkit.errors import NotFound, NotSupported, UsageError
from amlkit.light import dataclass, field
from amlkit.records import JSON, Datastore, Planned, StoredFile
from amlkit.transfers import Transfer, Transferred
from amlkit.workspace import Progress, Workspace

SECRETS = ("account_key", "sas_token", "client_secret")


@dataclass(frozen=True)
class Credentials:
    """How to get into storage. kind: one of `SECRETS`; value, or variable that has it.

    tenant_id, client_id: of a service principal; authority_url: of another cloud's logins.
    """

    kind: str | None = None
    value: str | None = field(default=None, repr=False)
    variable: str | None = None
    tenant_id: str | None = None
    client_id: str | None = None
    authority_url: str | None = None

    def fields(self) -> dict[str, JSON]:
        """Return the fields of `credentials:` that these stand for."""
        found: dict[str, JSON] = {}
        if self.kind and self.value is not None:
            found[self.kind] = self.value
        elif self.kind and self.variable:
            found[f"{self.kind}_variable"] = self.variable
        more = {
            "tenant_id": self.tenant_id,
            "client_id": self.client_id,
            "authority_url": self.authority_url,
        }
        return found | {key: value for key, value in more.items() if value}


class Datastores:
    """The datastores of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._datastores = workspace.datastores
        self._local = workspace.kind == "local"

    def create(
        self,
        *,
        name: str,
        path: str | Path | None = None,
        type: str = "local",
        description: str | None = None,
        fields: Mapping[str, JSON] | None = None,
        credentials: Credentials = Credentials(),
        dry_run: bool = False,
    ) -> Datastore | Planned:
        """Define a folder of this machine, or Azure storage, as a datastore.

        fields: of the type, as the YAML reference names them (`account_name` ...).
        Raises: NotSupported: another type. NotFound: no such folder. Conflict: the name is taken.
        """
        references.check_name(name, "datastore")
        document: dict[str, JSON] = {"type": type, "description": description, **(fields or {})}
        if path is not None:
            document["path"] = str(path)
        return self._define(name, document, credentials, Path(), dry_run=dry_run)

    def create_from(
        self,
        file: Path,
        *,
        name: str | None = None,
        overrides: Sequence[str] = (),
        credentials: Credentials = Credentials(),
        dry_run: bool = False,
    ) -> Datastore | Planned:
        """Define the datastore of a YAML file; the same definition again is no change.

        Raises: InvalidSpec, NotFound: the file. NotSupported: not on this workspace.
            Conflict: the name is taken.
        """
        from amlkit import specs

        loaded = specs.load(file, kind="datastore", overrides=overrides)
        document = {key: each for key, each in loaded.document.items() if key != "$schema"}
        chosen = references.check_name(name or str(document.pop("name", "")), "datastore")
        document.pop("name", None)
        return self._define(
            chosen, document, credentials, loaded.resolve_path("."), dry_run=dry_run
        )

    def _define(
        self,
        name: str,
        document: dict[str, Any],
        credentials: Credentials,
        folder: Path,
        *,
        dry_run: bool,
    ) -> Datastore | Planned:
        if document["type"] == "local":
            document = self._folder(document, folder)
        given = {**(document.get("credentials") or {}), **credentials.fields()}
        if given:
            document["credentials"] = given if self._local else _with_values(given)
        if dry_run:
            shown = {**document, "name": name}
            if given:
                shown["credentials"] = {
                    key: "(a secret)" if key in SECRETS else value for key, value in given.items()
                }
            return Planned("create datastore", shown)
        return self._datastores.create(name, document)

    def _folder(self, document: dict[str, Any], folder: Path) -> dict[str, Any]:
        if not self._local:
            raise NotSupported(
                "a datastore of an Azure ML workspace is in Azure storage, not in a folder here",
                hint="describe it in a file: amlkit datastore create -f blob-datastore.yml",
            )
        if not document.get("path"):
            raise UsageError("a datastore that is a folder needs a path", hint="--path FOLDER")
        place = (folder / Path(str(document["path"])).expanduser()).absolute()
        if not place.is_dir():
            raise NotFound(
                f"`{document['path']}` is not a folder", hint=f"mkdir -p {document['path']}"
            )
        return {"type": "local", "path": str(place), "description": document.get("description")}

    def list(self) -> Sequence[Datastore]:
        """Return all, the default first."""
        return self._datastores.list()

    def show(self, name: str) -> Datastore:
        """Return one. Raises: NotFound."""
        return self._datastores.get(name)

    def delete(self, name: str) -> str | None:
        """Forget a definition and its secret; its files stay.

        Returns what is in the way of the secret, which then stays in the keyring.
        Raises: NotFound, Conflict: it is built in.
        """
        return self._datastores.delete(name)

    def files(self, name: str, prefix: str = "") -> Sequence[StoredFile]:
        """Return the files below a prefix, or that a glob finds, sorted by path."""
        return sorted(self._datastores.files(name, prefix), key=lambda each: each.path)

    def upload(
        self,
        name: str,
        source: Path,
        *,
        target: str = "",
        delete: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Transferred:
        """Copy a file, a folder or what a glob finds into a datastore; only what is missing.

        delete: also remove from `target` what `source` does not have.
        Raises: UsageError: a folder without a target, or `delete` of more than a folder's copy.
        """
        if source.is_dir() and not target:
            raise UsageError("a folder needs a place", hint="add --target PATH_IN_THE_DATASTORE")
        if delete and (not source.is_dir() or not any(source.iterdir())):
            raise UsageError(
                f"--delete mirrors a folder with files, and `{source}` is none",
                hint="leave --delete out",
            )
        return self._datastores.upload(name, source, target, Transfer(delete, dry_run, progress))

    def download(
        self,
        name: str,
        prefix: str,
        target: Path,
        *,
        delete: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Transferred:
        """Copy files out of a datastore; only what is missing.

        delete: also remove from `target` what the datastore does not have.
        Raises: NotFound. UsageError: `delete` in the folder one is in, or above it.
        """
        here = Path.cwd().resolve()
        if delete and (target.resolve() == here or target.resolve() in here.parents):
            raise UsageError(
                f"--delete would remove files of `{target.resolve()}`, where you are",
                hint="name a folder of its own: --download-path FOLDER",
            )
        if delete and any(letter in prefix for letter in "*?["):
            raise UsageError("--delete mirrors a folder, not a glob", hint="leave --delete out")
        return self._datastores.download(name, prefix, target, Transfer(delete, dry_run, progress))


def _with_values(credentials: Mapping[str, Any]) -> dict[str, Any]:
    """Return credentials as Azure ML takes them, with the values of environment variables."""
    import os

    found = {key: each for key, each in credentials.items() if not key.endswith("_variable")}
    for kind in SECRETS:
        if (variable := credentials.get(f"{kind}_variable")) is not None:
            if not os.environ.get(variable):
                raise UsageError(
                    f"environment variable `{variable}` is not set", hint=f"export {variable}=..."
                )
            found[kind] = os.environ[variable]
    return found
