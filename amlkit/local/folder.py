"""Where everything is in an embedded workspace's folder.

catalogue.db      what there is (SQLite)
content/          files by content: objects, trees, views
datastores/NAME/  the built-in datastores
jobs/NAME/        code/ (the working folder), user_logs/, outputs of one job
environments/KEY/ built environments
staged/           remote data: downloads that are not whole, notes about those that were
slots/            one lock file for each job that may run at once
"""

from __future__ import annotations

from pathlib import Path

from amlkit.config import home
from amlkit.errors import WorkspaceUnusable
from amlkit.light import dataclass

DEFAULT_DATASTORE = "workspaceblobstore"
BUILT_IN_DATASTORES = {
    DEFAULT_DATASTORE: "azure_blob",
    "workspaceartifactstore": "azure_blob",
    "workspacefilestore": "azure_file",
    "workspaceworkingdirectory": "azure_file",
}


@dataclass(frozen=True)
class Folder:
    """The folder of one embedded workspace."""

    root: Path

    @property
    def catalogue(self) -> Path:
        """The SQLite file."""
        return self.root / "catalogue.db"

    @property
    def content(self) -> Path:
        """The content store."""
        return self.root / "content"

    @property
    def environments(self) -> Path:
        """Built environments; all workspaces of a user share them."""
        return home() / "environments"

    @property
    def slots(self) -> Path:
        """Lock files of the slots."""
        return self.root / "slots"

    @property
    def staged(self) -> Path:
        """Downloads that are not whole, and notes about those that were."""
        return self.root / "staged"

    def datastore(self, name: str) -> Path:
        """The folder behind a built-in datastore."""
        return self.root / "datastores" / name

    def job(self, name: str) -> Path:
        """The folder of one job."""
        return self.root / "jobs" / name

    def code(self, job: str) -> Path:
        """The working folder of a job: its code, `./outputs` and `./logs`."""
        return self.job(job) / "code"

    def log(self, job: str) -> Path:
        """Where the stdout and stderr of a job go."""
        return self.job(job) / "user_logs" / "std_log.txt"

    def output(self, job: str, name: str) -> Path:
        """The default place of a job's named output, as on Azure: `azureml/JOB/NAME`."""
        return self.datastore(DEFAULT_DATASTORE) / "azureml" / job / name

    def ensure(self) -> None:
        """Make the folder where it is missing. Raises: WorkspaceUnusable: it cannot be made."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for name in BUILT_IN_DATASTORES:
                self.datastore(name).mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise WorkspaceUnusable(
                f"the workspace folder `{self.root}` cannot be made: {cause.strerror}",
                hint="mend its permissions, or choose another with AMLKIT_HOME or --workspace",
            ) from None
