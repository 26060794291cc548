"""Schedules of jobs, data imports and model monitors, as the YAML reference names them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from amlkit.specs.fields import Spec, Whole, Word, optional, words
from amlkit.specs.imports import DataImport
from amlkit.specs.monitors import MonitorDefinition


class CronTrigger(Spec):
    """Cron trigger."""

    type: Word = Field(pattern=words("cron"))
    expression: str
    start_time: str = optional()
    end_time: str = optional()
    time_zone: str = optional()


class RecurrencePattern(Spec):
    """Recurrence pattern."""

    hours: Whole | list[Whole]
    minutes: Whole | list[Whole]
    week_days: (
        Word
        | list[
            Annotated[
                Word,
                Field(
                    pattern=words(
                        "friday", "monday", "saturday", "sunday", "thursday", "tuesday", "wednesday"
                    )
                ),
            ]
        ]
    ) = optional()
    month_days: Whole | list[Whole] = optional()


class RecurrenceTrigger(Spec):
    """Recurrence trigger."""

    type: Word = Field(pattern=words("recurrence"))
    frequency: Word = Field(pattern=words("day", "hour", "minute", "month", "week"))
    interval: Whole
    start_time: str = optional()
    end_time: str = optional()
    time_zone: str = optional()
    schedule: RecurrencePattern = optional()


class Schedule(Spec):
    """What every schedule has. Reference: "CLI (v2) schedule YAML schema"."""

    name: str
    schema_: str = optional(alias="$schema")
    id: str = optional()
    description: str = optional()
    tags: dict[str, Any] = optional()
    display_name: str = optional()
    trigger: CronTrigger | RecurrenceTrigger = optional()
    creation_context: Any = None
    is_enabled: Any = None
    provisioning_state: Any = None
    properties: dict[str, str] = optional()


class JobSchedule(Schedule):
    """Schedule of a job: a file, a reference, or a job with what is changed of it."""

    create_job: str | dict[str, Any]


class ImportSchedule(Schedule):
    """Schedule of a data import. Reference: "CLI (v2) import schedule YAML schema"."""

    import_data: str | DataImport


class MonitorSchedule(Schedule):
    """Schedule of a model monitor."""

    create_monitor: MonitorDefinition
