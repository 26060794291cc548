"""Data assets, models, command components and datastores, as the YAML reference names them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from amlkit.specs.fields import (
    ComponentInput,
    ComponentOutput,
    Described,
    Distribution,
    Environment,
    Resources,
    Shown,
    Text,
    Word,
)


class DataAsset(Described):
    """Data asset. Reference: "CLI (v2) data YAML schema"."""

    type: Word = "uri_folder"
    path: str
    datastore: str | None = None
    auto_delete_setting: dict[str, Any] | None = None


class ModelAsset(Described):
    """Model. Reference: "CLI (v2) model YAML schema"."""

    name: str
    type: Word = Field("custom_model", pattern="^(custom_model|mlflow_model|triton_model)$")
    path: str
    flavors: dict[str, Any] | None = None
    stage: str | None = None
    datastore: str | None = None


class CommandComponent(Shown):
    """Command component. Reference: "CLI (v2) command component YAML schema"."""

    name: str | None = Field(None, pattern="^[a-z][a-z0-9_]*$")
    type: str = "command"
    display_name: str | None = None
    command: str
    code: str | None = None
    environment: str | Environment
    environment_variables: dict[str, Text | None] | None = None
    distribution: Distribution | None = None
    resources: Resources | None = None
    inputs: dict[str, ComponentInput] | None = None
    outputs: dict[str, ComponentOutput | None] | None = None
    is_deterministic: bool | None = None
    additional_includes: list[str] | None = None


class LocalDatastore(Described):
    """A folder of this machine as a datastore: only the embedded workspace has this type."""

    name: str
    type: Word
    path: str


class CondaFile(Described):
    """A conda environment file."""

    channels: list[str] | None = None
    dependencies: list[Any]
    prefix: str | None = None
    variables: dict[str, Any] | None = None
