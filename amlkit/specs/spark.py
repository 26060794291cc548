"""Spark jobs, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Any, TypeAlias

from pydantic import Field

from amlkit.specs.fields import Environment, Spec, Text, Word, optional, words
from amlkit.specs.jobs import JobWithInputs

SparkSetting: TypeAlias = str | bool | int | float | list[Any] | dict[str, Any]
"""The value of a Spark property: anything but nothing."""


class SparkEntryFile(Spec):
    """Spark entry file."""

    file: str
    spark_job_entry_type: Any = None


class SparkEntryClass(Spec):
    """Spark entry class."""

    class_name: str
    spark_job_entry_type: Any = None


class SparkResourceConfiguration(Spec):
    """Spark resource configuration."""

    instance_type: Word = Field(
        pattern=words(
            "standard_e4s_v3",
            "standard_e8s_v3",
            "standard_e16s_v3",
            "standard_e32s_v3",
            "standard_e64s_v3",
        )
    )
    runtime_version: Text = optional(pattern=r"^\d+(\.\d+)*$")


class SparkJob(JobWithInputs):
    """Spark job. Reference: "CLI (v2) Spark job YAML schema"."""

    entry: SparkEntryFile | SparkEntryClass
    code: str | None = None
    py_files: list[str] = optional()
    jars: list[str] = optional()
    files: list[str] = optional()
    archives: list[str] = optional()
    conf: dict[str, SparkSetting] = optional()
    environment: Environment | str | None = None
    args: str = optional()
    resources: SparkResourceConfiguration = optional()
