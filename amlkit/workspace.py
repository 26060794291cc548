"""The protocol that every workspace keeps, in small groups, and the one function that opens one.

Promises, for all workspaces:
- Ownership: what is passed in is never changed; what comes back is the caller's (frozen records).
- Threads: one workspace object belongs to one thread; processes may share a workspace freely.
- Names not found raise `NotFound`; a name or version taken by other content raises `Conflict`;
  what a workspace cannot do raises `NotSupported` with the way out.
- A method that changes something has either done it all or not at all when it returns or raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from amlkit.errors import NotSupported
from amlkit.light import dataclass, field
from amlkit.workspace_assets import Assets, Progress

if TYPE_CHECKING:
    from amlkit.config import WorkspaceChoice
    from amlkit.file_records import CodeSince
    from amlkit.records import (
        JSON,
        Asset,
        BuiltEnvironment,
        Check,
        Compute,
        Datastore,
        Job,
        MetricPoint,
        Status,
        StoredFile,
    )
    from amlkit.specs import Loaded
    from amlkit.transfers import Transfer, Transferred


@dataclass(frozen=True)
class JobFilter:
    """Which jobs to list; None means any. limit: newest so many."""

    status: str | None = None
    experiment: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    archived: bool = False
    limit: int | None = None


@dataclass(frozen=True)
class Submission:
    """A validated job, ready to go.

    spec: the loaded file, with its own folder for relative paths.
    environment: replaces every `environment` of the spec (`NAME[:VERSION]`), or None.
    current_python: run in amlkit's own interpreter instead of building an environment.
    progress: told what is fetched for the job's inputs.
    """

    spec: Loaded
    name: str | None = None
    experiment: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    environment: str | None = None
    current_python: bool = False
    allow_secrets: bool = False
    reuse_from: str | None = None
    only: tuple[str, ...] = ()
    from_step: str | None = None
    force_rerun: bool = False
    progress: Progress | None = field(default=None, compare=False, repr=False)


class Jobs(Protocol):
    """Command, sweep and pipeline jobs, their trials and steps."""

    def submit(self, submission: Submission) -> Job:
        """Start a job and return at once.

        Raises: Conflict: the name is taken. NotFound: something the spec refers to is missing.
        """
        ...

    def plan(self, submission: Submission) -> Mapping[str, JSON]:
        """Return what `submit` would run, resolved; change nothing."""
        ...

    def get(self, name: str) -> Job:
        """Return the job as it stands now."""
        ...

    def list(self, wanted: JobFilter) -> Sequence[Job]:
        """Return jobs, newest first; children only when `parent` is given."""
        ...

    def wait(
        self, name: str, *, timeout_seconds: float | None, changed: Callable[[Job], None] | None
    ) -> Job:
        """Return when the job is final. Raises: WaitTimedOut."""
        ...

    def log(self, name: str, *, follow: bool) -> Iterator[bytes]:
        """Yield the job's stdout and stderr as they stand, and with `follow` until it ends."""
        ...

    def metrics(self, name: str) -> Mapping[str, Sequence[MetricPoint]]:
        """Return every logged value, by metric, in the order of logging."""
        ...

    def explain(self, name: str) -> Mapping[str, JSON]:
        """Return why a pipeline's step was run or reused, and what changed since the run before.

        Raises: UsageError: it is no step. NotSupported: the workspace does not know.
        """
        ...

    def cancel(self, name: str) -> Job:
        """Ask the job to stop; a final job stays as it is."""
        ...

    def resume(self, name: str, *, failed: bool = False) -> Job:
        """Go on with a sweep or pipeline that was interrupted.

        failed: of a sweep, run the trials that failed again, also when the sweep is Completed.
        """
        ...

    def outputs(self, name: str) -> Mapping[str, str]:
        """Return where each output is: a local path or a URI. `default` is the run's own folder."""
        ...

    def download(self, name: str, output: str | None, target: Path) -> Path:
        """Write one output (or all of the run's files) below `target`."""
        ...

    def archive(self, name: str, *, archived: bool) -> Job:
        """Hide the job from lists, or show it again."""
        ...

    def tag(self, name: str, tags: Mapping[str, str]) -> Job:
        """Add or replace tags."""
        ...


class Datastores(Protocol):
    """Named places for files."""

    def create(self, name: str, spec: Mapping[str, JSON]) -> Datastore:
        """Define a datastore; the same definition again is no change. Raises: Conflict."""
        ...

    def get(self, name: str) -> Datastore:
        """Return one."""
        ...

    def list(self) -> Sequence[Datastore]:
        """Return all, the default first."""
        ...

    def delete(self, name: str) -> str | None:
        """Forget the definition; its files stay.

        Returns what is in the way of its secret, which then stays where it was kept.
        """
        ...

    def files(self, name: str, prefix: str = "") -> Iterator[StoredFile]:
        """Yield the files below a prefix, sorted by path."""
        ...

    def upload(self, name: str, source: Path, target: str, how: Transfer) -> Transferred:
        """Copy a file, a folder or what a glob finds into the datastore."""
        ...

    def download(self, name: str, prefix: str, target: Path, how: Transfer) -> Transferred:
        """Copy files out of the datastore. Raises: NotFound."""
        ...


class Computes(Protocol):
    """Where jobs run."""

    def list(self) -> Sequence[Compute]:
        """Return every compute."""
        ...

    def get(self, name: str) -> Compute:
        """Return one."""
        ...

    def create(self, spec: Mapping[str, JSON]) -> Compute:
        """Create one. Raises: NotSupported on the embedded workspace."""
        ...

    def start(self, name: str) -> Compute:
        """Start it."""
        ...

    def stop(self, name: str) -> Compute:
        """Stop it."""
        ...

    def delete(self, name: str) -> None:
        """Delete it."""
        ...


class Environments(Protocol):
    """Environments as they are built for use."""

    def build(self, asset: Asset, log: Callable[[str], None]) -> BuiltEnvironment:
        """Make an environment ready, telling `log` each line of it. Raises: AmlkitError."""
        ...

    def find(self, asset: Asset) -> BuiltEnvironment | None:
        """Return what is ready for an environment, or None."""
        ...

    def built(self) -> Sequence[BuiltEnvironment]:
        """Return all that is ready."""
        ...

    def remove(self, built: BuiltEnvironment) -> None:
        """Delete one."""
        ...


@dataclass(frozen=True)
class ServedRuns:
    """Where MLflow finds a workspace's runs. token: what every request has to carry."""

    url: str
    token: str


class Workspace(Protocol):
    """One workspace: the groups above, and where it is."""

    name: str
    kind: str

    @property
    def assets(self) -> Assets:
        """Versioned assets."""
        ...

    @property
    def jobs(self) -> Jobs:
        """Jobs."""
        ...

    @property
    def datastores(self) -> Datastores:
        """Datastores."""
        ...

    @property
    def computes(self) -> Computes:
        """Computes."""
        ...

    @property
    def environments(self) -> Environments:
        """Built environments."""
        ...

    def serve_runs(self) -> AbstractContextManager[ServedRuns]:
        """Serve every run over MLflow's REST API while the block runs. Raises: NotSupported."""
        ...

    def code_since(self, folder: Path, includes: Sequence[Path] = ()) -> CodeSince:
        """Return the files of a code folder as the last job from it had them, and now.

        Raises: NotFound: no job was submitted from it, of those that this machine knows.
        """
        ...

    def describe(self) -> Mapping[str, JSON]:
        """Return what `workspace show` prints beside the name."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class Account(Protocol):
    """The login of a workspace that needs one."""

    def sign_in(
        self,
        *,
        secret: str | None,
        tell: Callable[[str], None],
        may_cache_plain: Callable[[], bool],
    ) -> Mapping[str, JSON]:
        """Log in afresh; return what has to be remembered of it, never a secret.

        Raises: NotLoggedIn: refused. NotFound: no such workspace.
        """
        ...

    def forget(self) -> None:
        """Remove everything that a login left on this machine."""
        ...

    def checks(self) -> Iterator[Check]:
        """Yield what was looked at, ending at the first thing that is not well."""
        ...


def open_workspace(choice: WorkspaceChoice) -> Workspace:
    """Open the chosen workspace; an embedded one is made when it is not there yet.

    Raises: WorkspaceUnusable: the folder cannot be used. NotLoggedIn: Azure needs a login.
        NotSupported: it is on Azure, and the extra for that is not installed.
    """
    if choice.kind == "azure":
        with _needs_extra(choice):
            from amlkit.azure.workspace import AzureWorkspace

            return AzureWorkspace.open(choice)
    from amlkit.local.workspace import LocalWorkspace

    return LocalWorkspace.open(choice.name, choice.folder)


def warm_up(choice: WorkspaceChoice) -> None:
    """Start what submitting a job will need, while its spec is still being read.

    It is harmless: when no job comes, nothing is left.
    """
    if choice.kind == "local":
        from amlkit.local import launch

        launch.warm()


def open_account(choice: WorkspaceChoice) -> Account:
    """Return the login of an Azure workspace. Raises: NotSupported: the extra is missing."""
    with _needs_extra(choice):
        from amlkit.azure.account import AzureAccount

        return AzureAccount(choice)


@contextmanager
def _needs_extra(choice: WorkspaceChoice) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as missing:
        if not str(missing.name).startswith(("azure", "msal")):
            raise
        raise NotSupported(
            f"`{choice.name}` is an Azure ML workspace, and the Azure packages are not installed",
            hint="pip install 'amlkit[azure]', or use amlkit -w local ...",
        ) from None


__all__ = [
    "Account",
    "Assets",
    "BuiltEnvironment",
    "Computes",
    "Datastores",
    "Environments",
    "JobFilter",
    "Jobs",
    "Progress",
    "ServedRuns",
    "Status",
    "Submission",
    "Workspace",
    "open_account",
    "open_workspace",
    "warm_up",
]
