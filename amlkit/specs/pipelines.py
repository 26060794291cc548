"""Pipeline jobs, pipeline and parallel components, and the steps of pipelines.

A step is read by the model of its type, from STEPS; a pipeline's model keeps steps as they are.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from amlkit.specs.assets import CommandComponent
from amlkit.specs.fields import (
    ComponentInput,
    ComponentOutput,
    Described,
    Distribution,
    Environment,
    Input,
    JobIdentity,
    Limits,
    Output,
    QueueSettings,
    Resources,
    Scalar,
    Shown,
    Spec,
    Text,
    Whole,
    Word,
    optional,
)
from amlkit.specs.jobs import (
    Distributed,
    EarlyTermination,
    JobWithInputs,
    Objective,
    SamplingAlgorithm,
    Service,
    SweepLimits,
)
from amlkit.specs.spark import (
    SparkEntryClass,
    SparkEntryFile,
    SparkResourceConfiguration,
    SparkSetting,
)


class PipelineSettings(Spec):
    """Settings of a pipeline. Reference: "CLI (v2) pipeline job YAML schema", `settings`.

    Azure ML drops unknown ones in silence: `graph` tells them, as errors or as warnings.
    """

    model_config = ConfigDict(extra="allow")

    default_compute: str = optional()
    default_datastore: str = optional()
    continue_on_step_failure: bool = optional()
    force_rerun: bool = optional()
    on_init: str | None = None
    on_finalize: str | None = None


class PipelineJob(JobWithInputs):
    """Pipeline job. Reference: "CLI (v2) pipeline job YAML schema"."""

    type: Word = Field(pattern="^pipeline$")
    jobs: dict[str, dict[str, Any]] | None = None
    component: str | dict[str, Any] | None = None
    settings: PipelineSettings = optional()


class PipelineComponent(Shown):
    """Pipeline component. Reference: "CLI (v2) pipeline component YAML schema"."""

    name: str | None = Field(None, pattern="^[a-z][a-z0-9_]*$")
    type: str = "pipeline"
    display_name: str | None = None
    inputs: dict[str, ComponentInput] | None = None
    outputs: dict[str, ComponentOutput | None] | None = None
    jobs: dict[str, dict[str, Any]]
    is_deterministic: bool | None = None


class RetrySettings(Spec):
    """How often a mini-batch is tried again. timeout: seconds."""

    max_retries: Whole | None = None
    timeout: Whole | None = None


class ParallelTask(Spec):
    """What a parallel job runs. Reference: "CLI (v2) parallel job YAML schema", `task`."""

    type: Word = Field(pattern="^(run_function|model|function)$")
    code: str | None = None
    entry_script: str | None = None
    program_arguments: str | None = None
    append_row_to: str | None = None
    environment: str | Environment | None = None
    model: Any = None


class _Parallel(Spec):
    """What parallel components and parallel steps have in common."""

    task: ParallelTask | None = None
    input_data: str | None = None
    mini_batch_size: str | None = Field(None, pattern=r"^\s*\d+\s*([kKmMgG][bB])?\s*$")
    mini_batch_error_threshold: Whole | str | None = None
    partition_keys: list[str] | str | None = None
    error_threshold: Whole | None = None
    logging_level: str | None = Field(None, pattern="^(DEBUG|INFO|WARNING)$")
    max_concurrency_per_instance: Whole | None = None
    retry_settings: RetrySettings | None = None
    environment_variables: dict[str, Text | None] | None = None
    resources: Resources | None = None


class ParallelComponent(_Parallel, Shown):
    """Parallel component. Reference: "CLI (v2) parallel job YAML schema"."""

    name: str | None = Field(None, pattern="^[a-z][a-z0-9_]*$")
    type: str = "parallel"
    task: ParallelTask
    input_data: str
    display_name: str | None = None
    inputs: dict[str, ComponentInput] | None = None
    outputs: dict[str, ComponentOutput | None] | None = None
    is_deterministic: bool | None = None


class SparkComponent(Described):
    """Spark component. Reference: "CLI (v2) Spark component YAML schema"."""

    name: str | None = Field(None, pattern="^[a-z][a-z0-9_]*$")
    type: str = "spark"
    display_name: str | None = None
    code: str | None = None
    entry: dict[str, Any]
    py_files: list[str] | str | None = None
    jars: list[str] | str | None = None
    files: list[str] | str | None = None
    archives: list[str] | str | None = None
    conf: dict[str, Any] | None = None
    args: str | None = None
    environment: str | Environment | None = None
    inputs: dict[str, ComponentInput] | None = None
    outputs: dict[str, ComponentOutput | None] | None = None
    is_deterministic: bool | None = None
    additional_includes: list[str] | None = None


class Step(Described):
    """What every step has. Reference: "CLI (v2) pipeline job YAML schema", `jobs`."""

    type: str = optional()
    component: str | dict[str, Any] | None = None
    tags: dict[str, str | None] | None = None
    inputs: dict[str, Input | Scalar | None] | None = None
    outputs: dict[str, Output | str | None] = optional()
    properties: dict[str, str | None] = optional()
    compute: str | None = None
    display_name: str | None = None
    experiment_name: str | None = None
    comment: str = optional()
    identity: JobIdentity | None = None
    services: dict[str, Service] | None = None
    queue_settings: QueueSettings | None = None
    resources: Resources | None = None
    limits: Limits | None = None
    environment_variables: dict[str, Text | None] | None = None
    is_deterministic: bool | None = None


class CommandStep(Step):
    """A command step: a component, or the command itself."""

    command: str | None = None
    code: str | None = None
    environment: str | Environment | None = None
    additional_includes: list[str] | None = None
    compute: str = optional()
    identity: JobIdentity = optional()
    services: dict[str, Service] = optional()
    queue_settings: QueueSettings = optional()
    resources: Resources = optional()
    limits: Limits = optional()
    environment_variables: dict[str, Text | None] = optional()
    distribution: Distribution = optional()


class SweepStep(Step):
    """A sweep over a component. Reference: "CLI (v2) sweep job YAML schema", in a pipeline."""

    trial: str | CommandComponent
    sampling_algorithm: str | SamplingAlgorithm = "random"
    search_space: dict[str, Distributed]
    objective: Objective
    early_termination: EarlyTermination | None = None
    limits: SweepLimits  # type: ignore[assignment]
    queue_settings: QueueSettings = optional()
    resources: Resources = optional()


class ParallelStep(Step, _Parallel):
    """A parallel step without a component of its own file."""


class SparkStep(Step):
    """A Spark step. Reference: "CLI (v2) Spark component YAML schema", in a pipeline."""

    entry: SparkEntryFile | SparkEntryClass | None = None
    code: str | None = None
    py_files: list[str] | str | None = None
    jars: list[str] | str | None = None
    files: list[str] | str | None = None
    archives: list[str] | str | None = None
    conf: dict[str, SparkSetting] = optional()
    args: str | None = None
    environment: str | Environment | None = None
    additional_includes: list[str] | None = None
    resources: SparkResourceConfiguration = optional()  # type: ignore[assignment]


class OpenStep(Step):
    """A step whose own fields are checked elsewhere (automl) or not at all (data transfer)."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", populate_by_name=True)

    resources: Any = None
    limits: Any = None


STEPS: dict[str, type[Step]] = {
    "command": CommandStep,
    "sweep": SweepStep,
    "parallel": ParallelStep,
    "pipeline": Step,
    "spark": SparkStep,
    "automl": OpenStep,
    "data_transfer": OpenStep,
    "import": OpenStep,
}
