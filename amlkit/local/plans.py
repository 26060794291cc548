"""What a supervisor needs to run a job: resolved values, as plain JSON in the catalogue.

A plan is made once, when the job is submitted, so that a supervisor starts without reading YAML
and a resumed job runs what was submitted, whatever has changed since.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit.light import asdict, dataclass, field
from amlkit.local.recipes import Recipe
from amlkit.records import JSON

if TYPE_CHECKING:
    from amlkit.local.folder import Folder


@dataclass(frozen=True)
class InputPlan:
    """One input. Exactly one of value, digest and uri is set, or none for an optional one.

    value: a literal. digest: content in the store. uri: an address that is passed or fetched.
    asset: `kind:name:version` of the asset it came from.
    pinned: what the content at `uri` has to be, for an asset that was registered by reference.
    """

    type: str
    mode: str = "ro_mount"
    value: JSON = None
    digest: str | None = None
    uri: str | None = None
    asset: str | None = None
    pinned: str | None = None


RUN_FOLDER = "${{run_folder}}"
"""The path of an output that is the run's own folder."""


@dataclass(frozen=True)
class OutputPlan:
    """One output. path: its folder or file here, or None for the default place.

    uri: where in Azure storage it is sent to from there; with the mode `direct`, what the job is
    given in the place of a folder. Both may hold `${{name}}`, the name of the job that writes it.
    name, version: the asset that it becomes when the job completes.
    """

    type: str = "uri_folder"
    mode: str = "rw_mount"
    path: str | None = None
    name: str | None = None
    version: str | None = None
    uri: str | None = None

    def place(self, folder: Folder, job: str, port: str) -> Path:
        """Return the folder or file that a job writes this output to."""
        if self.path == RUN_FOLDER:
            return folder.code(job)
        if self.path is not None:
            return Path(_named(self.path, job))
        place = folder.output(job, port)
        if self.type != "uri_file":
            return place
        uri = self.address(job)
        return place / (uri.rsplit("/", 1)[-1] if uri is not None else port)

    def address(self, job: str) -> str | None:
        """Return the address in Azure storage of what a job writes, or None."""
        return _named(self.uri, job) if self.uri is not None else None

    @property
    def direct(self) -> bool:
        """Whether the job writes to the address by itself."""
        return self.uri is not None and self.mode == "direct"


def _named(text: str, job: str) -> str:
    return re.sub(r"\$\{\{\s*name\s*\}\}", job, text)


def customized(path: str, output: str, datastore: str) -> str:
    """Fill in what is known of a customised output path; `${{name}}` is the job's, known later."""
    known = {"default_datastore": datastore, "output_name": output}

    def fill(found: re.Match[str]) -> str:
        return known.get(found.group(1), f"${{{{{found.group(1)}}}}}")

    return re.sub(r"\$\{\{\s*(\w+)\s*\}\}", fill, path)


@dataclass(frozen=True)
class CommandPlan:
    """One command with everything it runs on.

    code: digest of the snapshot. code_folder: where it was taken, when it was a folder here.
    """

    command: str
    environment: Recipe
    code: str | None = None
    code_folder: str | None = None
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, InputPlan] = field(default_factory=dict)
    outputs: Mapping[str, OutputPlan] = field(default_factory=dict)
    timeout_seconds: float | None = None
    instance_count: int = 1
    distribution: Mapping[str, JSON] = field(default_factory=dict)

    def as_json(self) -> dict[str, JSON]:
        """Return the plan for the catalogue."""
        plain: dict[str, Any] = asdict(self)
        plain["environment"] = self.environment.as_json()
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> CommandPlan:
        """Return the plan that `as_json` wrote."""
        return cls(
            **{
                **plain,
                "environment": Recipe.from_json(plain["environment"]),
                "inputs": {key: InputPlan(**each) for key, each in plain["inputs"].items()},
                "outputs": {key: OutputPlan(**each) for key, each in plain["outputs"].items()},
            }
        )


@dataclass(frozen=True)
class SweepPlan:
    """A sweep: what a trial runs, where it searches, and when it stops. Timeouts in seconds."""

    trial: CommandPlan
    search_space: Mapping[str, Mapping[str, JSON]]
    sampling_algorithm: Mapping[str, JSON]
    goal: str
    primary_metric: str
    max_total_trials: int
    max_concurrent_trials: int
    seed: int
    early_termination: Mapping[str, JSON] | None = None
    timeout_seconds: float | None = None
    trial_timeout_seconds: float | None = None

    def as_json(self) -> dict[str, JSON]:
        """Return the plan for the catalogue."""
        return {**asdict(self), "trial": self.trial.as_json()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> SweepPlan:
        """Return the plan that `as_json` wrote."""
        return cls(**{**plain, "trial": CommandPlan.from_json(plain["trial"])})
