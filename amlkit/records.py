"""What a workspace returns: frozen records with Azure ML's field names, ready for JSON.

Every record has `as_dict()` (what `-o json` prints), `reference` (what `-o name` prints) and
`COLUMNS` (what a table shows people). Times are RFC 3339 in UTC; sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from amlkit.light import dataclass, field, fields

JSON: TypeAlias = "str | int | float | bool | Sequence[JSON] | Mapping[str, JSON] | None"


class AssetKind(StrEnum):
    """The kinds of versioned things that a workspace keeps."""

    DATA = "data"
    ENVIRONMENT = "environment"
    COMPONENT = "component"
    MODEL = "model"
    CODE = "code"


class Status(StrEnum):
    """Azure ML's words for where a job stands."""

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    RUNNING = "Running"
    FINALIZING = "Finalizing"
    CANCEL_REQUESTED = "CancelRequested"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def final(self) -> bool:
        """Whether a job with this status will never change again."""
        return self in FINAL


FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELED})


class Record:
    """Something with a name that a command can print."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("name",)

    @property
    def reference(self) -> str:
        """What another command takes to mean this record."""
        return str(getattr(self, "name", ""))

    def as_dict(self) -> dict[str, JSON]:
        """Return the record as JSON-ready values, in field order."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}  # type: ignore[arg-type]

    def as_fields(self) -> dict[str, JSON]:
        """Return what people see of the record shown by itself: all of it, where that is short."""
        return self.as_dict()


def _plain(value: Any) -> JSON:
    if isinstance(value, Record):
        return value.as_dict()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, StrEnum):
        return value.value
    return value  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Asset(Record):
    """One version of a data asset, environment, component, model or code snapshot.

    spec: the kind's own fields (`type`, `path`; `image`, `conda_file`; `command` ...).
    digest: content hash of the files behind it, where there are any; None on Azure.
    lineage: of data shown by itself, the jobs that read or wrote it.
    """

    COLUMNS = ("name", "version", "type", "description", "created")

    kind: AssetKind
    name: str
    version: str
    spec: Mapping[str, JSON]
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    created_at: str = ""
    created_by: str = ""
    archived: bool = False
    digest: str | None = None
    id: str | None = None
    lineage: tuple[AssetUse, ...] | None = None

    @property
    def reference(self) -> str:
        """`name:version`, as in `azureml:name:version`."""
        return f"{self.name}:{self.version}"

    @property
    def type(self) -> str | None:
        """The `type` field of the spec, such as `uri_folder` or `mlflow_model`."""
        value = self.spec.get("type")
        return str(value) if value is not None else None

    def as_dict(self) -> dict[str, JSON]:
        """Return Azure ML's own layout: the spec's fields beside the common ones."""
        shown: dict[str, JSON] = {
            "name": self.name,
            "version": self.version,
            **{key: value for key, value in self.spec.items() if key not in {"name", "version"}},
            "description": self.description,
            "tags": dict(self.tags),
            "properties": dict(self.properties),
            "archived": self.archived,
            "id": self.id or f"azureml:{self.reference}",
            "creation_context": {"created_at": self.created_at, "created_by": self.created_by},
        }
        if self.lineage is not None:
            shown["lineage"] = _plain(self.lineage)
        return shown


@dataclass(frozen=True)
class AssetUse(Record):
    """A job that read (`input`) or wrote (`output`) an asset, and at which port."""

    COLUMNS = ("job", "direction", "port")

    job: str
    direction: str
    port: str

    @property
    def reference(self) -> str:
        """The job's name."""
        return self.job


@dataclass(frozen=True)
class AssetDraft:
    """What is asked to be registered.

    version: None means the next free one, chosen by the workspace without a race.
    path: local file or folder whose content becomes the asset's; None when the spec says it all.
        Of code, it is a snapshot: without ignored files, refused with a secret in it.
    includes: what lies beside the code folder in its snapshot, under its own name.
    if_changed: without a version, the latest one stands where it has the same content.
    by_reference: copy nothing; note the hash of every file, which has to stay as it is.
    """

    kind: AssetKind
    name: str
    spec: Mapping[str, JSON]
    version: str | None = None
    path: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    digest: str | None = None
    includes: tuple[str, ...] = ()
    allow_secrets: bool = False
    if_changed: bool = False
    by_reference: bool = False


@dataclass(frozen=True)
class MetricPoint:
    """One logged value. step: as logged; timestamp_ms: since the Unix epoch."""

    key: str
    value: float
    step: int
    timestamp_ms: int


@dataclass(frozen=True)
class Job(Record):
    """A command, sweep or pipeline job, a trial or a step.

    inputs, outputs: as in the spec, with references resolved.
    metrics: the last value of each metric. error: why it failed, in one line.
    parent: name of the sweep or pipeline it belongs to.
    jobs: of a pipeline shown by itself, its steps by name: where each stands.
    """

    COLUMNS = ("name", "type", "display_name", "experiment_name", "status", "created", "duration")

    name: str
    type: str
    status: Status
    display_name: str
    experiment_name: str
    description: str | None = None
    parent: str | None = None
    root: str | None = None
    compute: str | None = None
    inputs: Mapping[str, JSON] = field(default_factory=dict)
    outputs: Mapping[str, JSON] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, JSON] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    spec: Mapping[str, JSON] = field(default_factory=dict)
    created_at: str = ""
    created_by: str = ""
    started_at: str | None = None
    ended_at: str | None = None
    exit_code: int | None = None
    error: str | None = None
    archived: bool = False
    best_trial: Mapping[str, JSON] | None = None
    folder: str | None = None
    services: Mapping[str, JSON] = field(default_factory=dict)
    jobs: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def duration_seconds(self) -> float | None:
        """Seconds from start to end (or to now); None before the start."""
        if self.started_at is None:
            return None
        from datetime import UTC, datetime

        end = datetime.fromisoformat(self.ended_at) if self.ended_at else datetime.now(UTC)
        return max(0.0, (end - datetime.fromisoformat(self.started_at)).total_seconds())

    def as_dict(self) -> dict[str, JSON]:
        """Return Azure ML's own layout of a job."""
        shown: dict[str, JSON] = {
            "name": self.name,
            "display_name": self.display_name,
            "experiment_name": self.experiment_name,
            "type": self.type,
            "status": self.status.value,
            "description": self.description,
            "parent": self.parent,
            "compute": self.compute,
            "inputs": _plain(self.inputs),
            "outputs": _plain(self.outputs),
            "metrics": dict(self.metrics),
            "parameters": _plain(self.parameters),
            "tags": dict(self.tags),
            "properties": dict(self.properties),
            "creation_context": {"created_at": self.created_at, "created_by": self.created_by},
            "start_time": self.started_at,
            "end_time": self.ended_at,
            "exit_code": self.exit_code,
            "error": self.error,
            "archived": self.archived,
        }
        if self.services:
            shown["services"] = _plain(self.services)
        if self.best_trial is not None:
            shown["best_trial"] = _plain(self.best_trial)
        if self.jobs:
            shown["jobs"] = _plain(self.jobs)
        return shown


@dataclass(frozen=True)
class Datastore(Record):
    """A named place for files. path: the folder or the URL that it stands for."""

    COLUMNS = ("name", "type", "path", "is_default")

    name: str
    type: str
    path: str
    is_default: bool = False
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    spec: Mapping[str, JSON] = field(default_factory=dict)
    created_at: str = ""

    def as_dict(self) -> dict[str, JSON]:
        """Return the YAML reference's fields beside the name; credentials are never among them."""
        own = {key: value for key, value in self.spec.items() if key != "credentials"}
        return {
            **own,
            "name": self.name,
            "type": self.type,
            "path": self.path,
            "is_default": self.is_default,
            "description": self.description,
            "tags": dict(self.tags),
            "creation_context": {"created_at": self.created_at},
        }


@dataclass(frozen=True)
class StoredFile(Record):
    """One file in a datastore, snapshot or asset; size in bytes."""

    COLUMNS = ("path", "size", "modified_at")

    path: str
    size: int
    modified_at: str | None = None

    @property
    def reference(self) -> str:
        """The path itself."""
        return self.path


@dataclass(frozen=True)
class Compute(Record):
    """Where jobs run. memory: bytes. On the embedded workspace: this machine."""

    COLUMNS = ("name", "type", "state", "cores", "memory", "gpus", "slots", "slots_in_use")

    name: str
    type: str
    state: str
    cores: int | None = None
    memory: int | None = None
    gpus: int | None = None
    slots: int | None = None
    slots_in_use: int | None = None
    size: str | None = None
    location: str | None = None
    spec: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkspaceInfo(Record):
    """A workspace that `-w` knows. kind: `local` or `azure`; location: folder or Azure path."""

    COLUMNS = ("name", "kind", "location", "current")

    name: str
    kind: str
    location: str
    current: bool = False
    subscription_id: str | None = None
    resource_group: str | None = None
    chosen_by: str | None = None
    details: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True)
class Check(Record):
    """One thing that `workspace doctor` looked at. fix: what to do when it is not well."""

    COLUMNS = ("name", "well", "found", "fix")

    name: str
    well: bool
    found: str
    fix: str | None = None


@dataclass(frozen=True)
class Planned(Record):
    """What `--dry-run` prints: the resolved spec and what would happen; nothing has."""

    COLUMNS = ("action",)

    action: str
    spec: Mapping[str, JSON]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, JSON]:
        """Return the action, the resolved spec, and the notes."""
        return {
            "dry_run": True,
            "action": self.action,
            "spec": _plain(self.spec),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class BuiltEnvironment(Record):
    """An environment that this machine has ready. name: its content's key; size: bytes."""

    COLUMNS = ("name", "environment", "size", "created", "path")

    name: str
    path: str
    size: int
    created_at: str
    environment: str
