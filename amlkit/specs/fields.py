"""The parts that specs of several kinds share, as the Azure ML YAML reference names them."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Spec(BaseModel):
    """Strict about names: an unknown field is an error, with the closest known one."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value)
    return str(value) if isinstance(value, int | float) else value


def _lower(value: Any) -> Any:
    """Return an enum's word as the reference writes it; Azure ML ignores case and separators."""
    return value.strip().lower() if isinstance(value, str) else value


def _whole(value: Any) -> Any:
    """Return a number of seconds or of things; `"30"` counts, `1h` does not."""
    if isinstance(value, bool):
        raise ValueError("expected a number")  # noqa: TRY004  pydantic wants ValueError
    if isinstance(value, float):
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        if not text.lstrip("-").isdecimal():
            raise ValueError(f"expected a whole number, got `{value}`")
        return int(text)
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"expected a number, got `{str(value).lower()}`")  # noqa: TRY004
    return value


Text: TypeAlias = Annotated[str, BeforeValidator(_as_text)]
Whole: TypeAlias = Annotated[int, BeforeValidator(_whole)]
Number: TypeAlias = Annotated[float, BeforeValidator(_number)]
Word: TypeAlias = Annotated[str, BeforeValidator(_lower)]
Tags: TypeAlias = dict[str, Any]
Scalar: TypeAlias = str | bool | int | float


def words(*known: str) -> str:
    """Return the pattern of a field that takes one of some words, `aml_token` or `AMLToken`."""
    return f"^({'|'.join(known)})$".replace("_", "_?")


def optional(**rules: Any) -> Any:
    """Return a field that may be left out, but not be empty. Azure ML refuses `field: null`."""
    return Field(None, **rules)


class Described(Spec):
    """What every named thing has."""

    schema_: str | None = Field(None, alias="$schema")
    name: str | None = None
    version: Text | None = None
    description: str | None = None
    tags: Tags | None = None
    properties: Tags | None = None


class Shown(Described):
    """What `show` prints beside a registered component's own fields, so that it can be read."""

    id: str | None = None
    archived: bool | None = None
    creation_context: dict[str, Any] | None = None
    latest_version: Text | None = None


_DATA_TYPES = "uri_file|uri_folder|mltable|mlflow_model|custom_model|triton_model"


class Input(Spec):
    """Job input. Reference: "CLI (v2) command job YAML schema", Job inputs."""

    type: Word = Field("uri_folder", pattern=f"^({_DATA_TYPES}|string|number|integer|boolean)$")
    path: str = optional()
    mode: Word = optional()
    description: str | None = None
    value: Any = None
    default: Any = None
    optional: bool | None = None
    min: Any = None
    max: Any = None
    enum: list[Any] | None = None
    path_on_compute: str | None = None
    datastore: str | None = None
    version: Text | None = None


class Output(Spec):
    """Job output. Reference: "CLI (v2) command job YAML schema", Job outputs."""

    type: Word = Field("uri_folder", pattern=f"^({_DATA_TYPES})$")
    path: str | None = None
    mode: Word = optional()
    name: str | None = None
    version: Text | None = None
    description: str | None = None
    early_available: bool | None = None
    path_on_compute: str | None = None


class ComponentInput(Input):
    """Component input. Reference: "CLI (v2) command component YAML schema", Component input."""

    type: Word = Field(pattern=f"^({_DATA_TYPES}|path|string|number|integer|boolean)$")


class ComponentOutput(Output):
    """Component output. Reference: "CLI (v2) command component YAML schema", Component output."""

    type: Word = Field(
        "uri_folder", pattern=f"^({_DATA_TYPES}|path|string|number|integer|boolean)$"
    )
    is_control: bool | None = None


class Build(Spec):
    """Docker build context of an environment."""

    path: str
    dockerfile_path: str | None = None


class Environment(Described):
    """Environment. Reference: "CLI (v2) environment YAML schema"."""

    type: str | None = None
    image: str | None = None
    conda_file: str | dict[str, Any] | None = None
    build: Build | None = None
    os_type: Word | None = Field(None, pattern="^(linux|windows)$")
    inference_config: dict[str, Any] | None = None
    datastore: str | None = None


class Resources(Spec):
    """What a job runs on. Reference: "CLI (v2) command job YAML schema", `resources`."""

    instance_count: Whole = optional()
    instance_type: str | list[str] = optional()
    max_instance_count: Whole = optional()
    shm_size: str = optional()
    docker_args: str | list[str] = optional()
    locations: list[str] = optional()
    properties: dict[str, Any] = optional()
    runtime_version: Text = optional()


class Distribution(Spec):
    """Distribution of a job. Reference: "CLI (v2) command job YAML schema", Distribution."""

    type: Word = Field(pattern="^(pytorch|mpi|tensorflow|ray)$")
    process_count_per_instance: Whole = optional()
    worker_count: Whole = optional()
    parameter_server_count: Whole = optional()
    port: Whole = optional()
    address: str = optional()
    include_dashboard: bool = optional()
    dashboard_port: Whole = optional()
    head_node_additional_args: str = optional()
    worker_node_additional_args: str = optional()


class Limits(Spec):
    """Limits of a command job. timeout: seconds."""

    timeout: Whole = optional()


class QueueSettings(Spec):
    """How a serverless job queues; of no effect on this machine."""

    job_tier: Word = optional(pattern=words("spot", "basic", "standard", "premium", "null"))
    priority: Word = optional(pattern=words("low", "medium", "high"))


class JobIdentity(Spec):
    """Who a job is. Reference: "CLI (v2) command job YAML schema", Identity configurations."""

    type: Word = Field(pattern=words("managed", "managed_identity", "aml_token", "user_identity"))
    client_id: str = optional()
    object_id: str = optional()
    msi_resource_id: str = optional()


Inputs: TypeAlias = dict[str, Input | Scalar]
Outputs: TypeAlias = dict[str, Output | None]
