"""The embedded workspace: one folder that keeps the workspace protocol."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.local.assets import LocalAssets
from amlkit.local.catalogue import AssetTable, Database, JobTable, MetricTable
from amlkit.local.folder import Folder

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from amlkit.file_records import CodeSince
    from amlkit.kept import DamagedFile, FreedContent
    from amlkit.local.computes import LocalComputes
    from amlkit.local.content import ContentStore
    from amlkit.local.datastores import LocalDatastores
    from amlkit.local.environment_group import LocalEnvironments
    from amlkit.local.jobs import LocalJobs
    from amlkit.local.remote import RemoteData
    from amlkit.records import JSON
    from amlkit.workspace import ServedRuns


class LocalWorkspace:
    """An embedded workspace, opened. Each part is made when it is first used."""

    kind = "local"

    def __init__(self, name: str, folder: Folder) -> None:
        self.name = name
        self.folder = folder
        self.user = _user()

    @classmethod
    def open(cls, name: str, folder: Path) -> LocalWorkspace:
        """Open the workspace in `folder`, making it when it is not there.

        Raises: WorkspaceUnusable: not writable, damaged, or written by a newer amlkit.
        """
        place = Folder(folder)
        if not place.catalogue.exists():
            place.ensure()
        return cls(name, place)

    @cached_property
    def database(self) -> Database:
        """The catalogue's connection."""
        return Database(self.folder.catalogue)

    @cached_property
    def asset_table(self) -> AssetTable:
        """Assets in the catalogue."""
        return AssetTable(self.database, user=self.user)

    @cached_property
    def job_table(self) -> JobTable:
        """Jobs in the catalogue."""
        return JobTable(self.database, user=self.user)

    @cached_property
    def metric_table(self) -> MetricTable:
        """Metrics in the catalogue."""
        return MetricTable(self.database)

    @cached_property
    def content(self) -> ContentStore:
        """The content store."""
        from amlkit.local.content import ContentStore

        return ContentStore(self.folder.content)

    @cached_property
    def assets(self) -> LocalAssets:
        """Versioned assets."""
        return LocalAssets(self.asset_table, self)

    @cached_property
    def datastores(self) -> LocalDatastores:
        """Datastores."""
        from amlkit.local.datastores import LocalDatastores

        return LocalDatastores(self.asset_table, self.folder)

    @cached_property
    def remote(self) -> RemoteData:
        """Data that is elsewhere."""
        from amlkit.local.remote import RemoteData

        return RemoteData(self.datastores, self.content, self.folder.staged)

    @cached_property
    def computes(self) -> LocalComputes:
        """This machine."""
        from amlkit.local.computes import LocalComputes

        return LocalComputes(self.folder)

    @cached_property
    def environments(self) -> LocalEnvironments:
        """Environments built on this machine."""
        from amlkit.local.environment_group import LocalEnvironments

        return LocalEnvironments(self.folder.environments, self.datastores.secret_variables)

    @cached_property
    def jobs(self) -> LocalJobs:
        """Jobs."""
        from amlkit.local.jobs import LocalJobs

        return LocalJobs(self)

    def serve_runs(self) -> AbstractContextManager[ServedRuns]:
        """Serve every run over MLflow's REST API while the block runs."""
        from amlkit.local.served_runs import serve

        return serve(self)

    def describe(self) -> Mapping[str, JSON]:
        """Return the folder and how much is in it."""
        return {"folder": str(self.folder.root), "default_datastore": "workspaceblobstore"}

    def verify(self, *, repair: bool = False) -> Iterator[DamagedFile]:
        """Hash everything that is stored again, and yield what is damaged or missing."""
        from amlkit.local import upkeep

        return upkeep.verify(self, repair=repair)

    def collect(self, *, dry_run: bool) -> FreedContent:
        """Free what no asset and no job refers to."""
        from amlkit.local import upkeep

        return upkeep.collect(self, dry_run=dry_run)

    def code_since(self, folder: Path, includes: Sequence[Path] = ()) -> CodeSince:
        """Return the files of a code folder at its last run, and now. Raises: NotFound."""
        from amlkit.local import snapshot

        return snapshot.since(self, folder, includes)

    def close(self) -> None:
        """Close the catalogue."""
        if "database" in self.__dict__:
            self.database.close()


def _user() -> str:
    for key in ("LOGNAME", "USER", "USERNAME"):
        if value := os.environ.get(key):
            return value
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
