"""Command and sweep jobs, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from amlkit.specs.fields import (
    Described,
    Distribution,
    Environment,
    Inputs,
    JobIdentity,
    Limits,
    Number,
    Outputs,
    QueueSettings,
    Resources,
    Spec,
    Text,
    Whole,
    Word,
    optional,
    words,
)


class Service(Spec):
    """An interactive service of a job: SSH, JupyterLab, VS Code, TensorBoard."""

    type: Word = optional()
    port: Whole | None = None
    nodes: Text | None = None
    endpoint: str | None = None
    status: str | None = None
    error_message: str | None = None
    properties: dict[str, Any] | None = None
    ssh_public_keys: str | None = None
    log_dir: str | None = None


class JobBase(Described):
    """What every job has. Reference: "CLI (v2) command job YAML schema"."""

    type: str
    name: str = optional()
    description: str = optional()
    tags: dict[str, str | None] = optional()
    properties: dict[str, str | None] = optional()
    display_name: str = optional()
    experiment_name: str = optional()
    compute: str | None = None
    outputs: Outputs = optional()
    identity: JobIdentity = optional()
    services: dict[str, Service] = optional()
    id: str | None = None
    status: str | None = None
    creation_context: dict[str, Any] | None = None
    log_files: dict[str, Any] | None = None


class AutoMLJob(JobBase):
    """What every AutoML job has."""

    queue_settings: QueueSettings = optional()


class JobWithInputs(JobBase):
    """What every job has that is not AutoML's: that has its data in fields of their own."""

    inputs: Inputs = optional()


class CommandJob(JobWithInputs):
    """Command job. Reference: "CLI (v2) command job YAML schema"."""

    type: str = "command"
    inputs: Inputs | None = None  # type: ignore[assignment]
    outputs: Outputs | None = None  # type: ignore[assignment]
    queue_settings: QueueSettings = optional()
    command: str
    code: str | None = None
    environment: str | Environment
    environment_variables: dict[str, Text | None] = optional()
    distribution: Distribution = optional()
    resources: Resources = optional()
    limits: Limits = optional()
    parameters: dict[str, Any] | None = None
    parent_job_name: str | None = None


class Trial(Spec):
    """What each trial of a sweep runs. Reference: "CLI (v2) sweep job YAML schema", `trial`."""

    type: str | None = None
    command: str
    code: str | None = None
    environment: str | Environment
    environment_variables: dict[str, Text | None] = optional()
    distribution: Distribution = optional()
    resources: Resources = optional()
    name: str | None = None
    version: Text | None = None
    display_name: str | None = None
    description: str | None = None
    tags: dict[str, Any] | None = None


class Objective(Spec):
    """What a sweep optimises."""

    goal: Word = Field(pattern="^(maximize|minimize)$")
    primary_metric: str


class SweepLimits(Spec):
    """Limits of a sweep; timeouts in seconds."""

    max_total_trials: Whole
    max_concurrent_trials: Whole = optional()
    timeout: Whole = optional()
    trial_timeout: Whole = optional()


class SamplingAlgorithm(Spec):
    """Sampling algorithm, in its long form."""

    type: Word = Field(pattern="^(random|grid|bayesian)$")
    rule: Word = optional(pattern="^(random|sobol)$")
    seed: Whole = optional()
    logbase: float | str = optional()


class EarlyTermination(Spec):
    """Early termination policy."""

    type: Word = Field(pattern="^(bandit|median_stopping|truncation_selection)$")
    evaluation_interval: Whole = optional()
    delay_evaluation: Whole = optional()
    slack_factor: Number = optional()
    slack_amount: Number = optional()
    truncation_percentage: Whole = optional()
    exclude_finished_jobs: bool = optional()


class Distributed(Spec):
    """One dimension of a search space. Reference: "CLI (v2) sweep job YAML schema"."""

    type: Word = Field(
        pattern="^(choice|randint|uniform|quniform|loguniform|qloguniform"
        "|normal|qnormal|lognormal|qlognormal)$"
    )
    values: list[Any] = optional()
    min_value: Number = optional()
    max_value: Number = optional()
    q: Number = optional()
    mu: Number = optional()
    sigma: Number = optional()
    upper: Number = optional()


class SweepJob(JobWithInputs):
    """Sweep job. Reference: "CLI (v2) sweep job YAML schema"."""

    type: Word = Field(pattern=words("sweep"))
    trial: Trial
    sampling_algorithm: str | SamplingAlgorithm = "random"
    search_space: dict[str, Distributed]
    objective: Objective
    early_termination: EarlyTermination = optional()
    limits: SweepLimits
    queue_settings: QueueSettings = optional()
    resources: Resources = optional()
