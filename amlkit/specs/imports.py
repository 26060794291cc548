"""Data imports and model packages, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from amlkit.specs.fields import Spec, Word, optional, words


class AutoDeleteSetting(Spec):
    """Auto delete setting."""

    value: str = optional()
    condition: Word = optional(pattern=words("created_greater_than", "last_accessed_greater_than"))


class StoredProcedureParams(Spec):
    """Stored procedure params."""

    name: str = optional()
    value: str = optional()
    type: str = optional()


class Database(Spec):
    """Database."""

    type: Word = Field(pattern=words("database"))
    connection: str
    table_name: str = optional()
    query: str = optional()
    stored_procedure: str = optional()
    stored_procedure_params: list[StoredProcedureParams] = optional()


class FileSystem(Spec):
    """File system."""

    connection: str
    type: Word = optional(pattern=words("file_system"))
    path: str = optional()


class DataImport(Spec):
    """Data import."""

    path: str
    source: Database | FileSystem
    schema_: str = optional(alias="$schema")
    name: str = optional()
    id: str = optional()
    description: str = optional()
    tags: dict[str, Any] = optional()
    version: Any = None
    creation_context: Any = None
    latest_version: Any = None
    auto_delete_setting: AutoDeleteSetting = optional()
    datastore: str = optional()
    properties: Any = None
    type: str = optional(pattern=words("uri_file", "uri_folder", "mltable"))


class ModelPackage(Spec):
    """Model package. Reference: "Create model packages for deployment"."""

    schema_: str = optional(alias="$schema")
    target_environment: str | dict[str, str] = optional()
    target_environment_name: str = optional()
    target_environment_version: str = optional()
    base_environment_source: dict[str, Any] = optional()
    inferencing_server: dict[str, Any] = optional()
    model_configuration: dict[str, Any] = optional()
    inputs: list[dict[str, Any]] = optional()
    tags: dict[str, Any] = optional()
    environment_variables: dict[str, Any] = optional()
