"""Feature sets, entities and stores, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Any

from amlkit.specs.fields import Spec, Word, optional, words
from amlkit.specs.schedules import RecurrenceTrigger
from amlkit.specs.workspaces import (
    CustomerManagedKey,
    Identity,
    ManagedNetwork,
    UserAssignedIdentity,
)


class FeatureSetSpecification(Spec):
    """Feature set specification."""

    path: str


class Notification(Spec):
    """Notification."""

    email_on: list[str]
    emails: list[str]


class MaterializationComputeResource(Spec):
    """Materialization compute resource."""

    instance_type: str = optional()


class MaterializationSettings(Spec):
    """Materialization settings."""

    schedule: RecurrenceTrigger = optional()
    notification: Notification = optional()
    resource: MaterializationComputeResource = optional()
    spark_configuration: dict[str, Any] = optional()
    offline_enabled: bool = optional()
    online_enabled: bool = optional()


class FeatureSet(Spec):
    """Feature set. Reference: "CLI (v2) feature set YAML schema"."""

    name: str
    version: str
    specification: FeatureSetSpecification
    entities: list[str]
    schema_: str = optional(alias="$schema")
    latest_version: Any = None
    stage: str = optional(pattern=words("Development", "Production", "Archived"))
    description: str = optional()
    tags: dict[str, str] = optional()
    materialization_settings: MaterializationSettings = optional()


class DataColumn(Spec):
    """Data column."""

    name: str
    type: str


class FeatureStoreEntity(Spec):
    """Feature store entity. Reference: "CLI (v2) feature entity YAML schema"."""

    name: str
    version: str
    index_columns: list[DataColumn]
    schema_: str = optional(alias="$schema")
    latest_version: Any = None
    stage: str = optional(pattern=words("Development", "Production", "Archived"))
    description: str = optional()
    tags: dict[str, str] = optional()
    properties: dict[str, str] = optional()


class ComputeRuntime(Spec):
    """Compute runtime."""

    spark_runtime_version: str = optional()


class MaterializationStore(Spec):
    """Materialization store."""

    type: str
    target: str


class FeatureStore(Spec):
    """Feature store. Reference: "CLI (v2) feature store YAML schema"."""

    name: str
    schema_: str = optional(alias="$schema")
    compute_runtime: ComputeRuntime = optional()
    offline_store: MaterializationStore = optional()
    online_store: MaterializationStore = optional()
    materialization_identity: UserAssignedIdentity = optional()
    description: str = optional()
    tags: dict[str, str] = optional()
    display_name: str = optional()
    location: str = optional()
    resource_group: str = optional()
    hbi_workspace: bool = optional()
    storage_account: str = optional()
    container_registry: str = optional()
    key_vault: str = optional()
    application_insights: str = optional()
    customer_managed_key: CustomerManagedKey = optional()
    image_build_compute: str = optional()
    public_network_access: Word = optional(pattern=words("disabled", "enabled"))
    identity: Identity = optional()
    primary_user_assigned_identity: str = optional()
    managed_network: ManagedNetwork = optional()
