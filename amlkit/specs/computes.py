"""Computes, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from amlkit.specs.fields import Spec, Whole, Word, optional, words


class Compute(Spec):
    """What every compute has."""

    name: str
    schema_: str = optional(alias="$schema")
    id: Any = None
    type: str = optional()
    location: str = optional()
    description: str = optional()
    provisioning_errors: Any = None
    created_on: Any = None
    provisioning_state: Any = None
    resource_id: str = optional()
    tags: dict[str, str] = optional()


class AmlComputeSshSettings(Spec):
    """Aml compute ssh settings."""

    admin_username: str = optional()
    admin_password: str = optional()
    ssh_key_value: str = optional()


class NetworkSettings(Spec):
    """Network settings."""

    vnet_name: str = optional()
    subnet: str = optional()
    public_ip_address: Any = None
    private_ip_address: Any = None


class UserAssignedIdentity(Spec):
    """User assigned identity."""

    resource_id: str = optional()
    principal_id: Any = None
    client_id: Any = None
    tenant_id: Any = None


class Identity(Spec):
    """Identity."""

    type: Word = optional(
        pattern=words("none", "system_assigned", "system_assigned,user_assigned", "user_assigned")
    )
    user_assigned_identities: list[UserAssignedIdentity] = optional()
    principal_id: Any = None
    tenant_id: Any = None


class AmlCompute(Compute):
    """Compute cluster. Reference: "CLI (v2) compute cluster (AmlCompute) YAML schema"."""

    type: Word = Field(pattern=words("amlcompute"))
    size: str = optional()
    tier: Word = optional(pattern=words("dedicated", "low_priority"))
    min_instances: Whole = optional()
    max_instances: Whole = optional()
    idle_time_before_scale_down: Whole = optional()
    ssh_public_access_enabled: bool = optional()
    ssh_settings: AmlComputeSshSettings = optional()
    network_settings: NetworkSettings = optional()
    identity: Identity = optional()
    enable_node_public_ip: bool = optional()


class CreateOnBehalfOf(Spec):
    """Create on behalf of."""

    user_tenant_id: str = optional()
    user_object_id: str = optional()


class ComputeInstanceSshSettings(Spec):
    """Compute instance ssh settings."""

    admin_username: Any = None
    ssh_port: Any = None
    ssh_key_value: str = optional()


class CronTrigger(Spec):
    """Cron trigger."""

    type: Word = Field(pattern=words("cron"))
    expression: str
    start_time: str = optional()
    time_zone: str = optional()


class RecurrenceSchedule(Spec):
    """Recurrence schedule."""

    week_days: list[
        Annotated[
            Word,
            Field(
                pattern=words(
                    "friday", "monday", "saturday", "sunday", "thursday", "tuesday", "wednesday"
                )
            ),
        ]
    ] = optional()
    hours: list[Whole] = optional()
    minutes: list[Whole] = optional()


class RecurrenceTrigger(Spec):
    """Recurrence trigger."""

    type: Word = Field(pattern=words("recurrence"))
    frequency: Word = Field(pattern=words("day", "hour", "minute", "month", "week"))
    start_time: str = optional()
    time_zone: str = optional()
    interval: Whole = optional()
    schedule: RecurrenceSchedule = optional()


class ComputeStartStopSchedule(Spec):
    """Compute start stop schedule."""

    action: Word = Field(pattern=words("start", "stop"))
    trigger: CronTrigger | RecurrenceTrigger = optional()
    state: Word = optional(pattern=words("disabled", "enabled"))
    schedule_id: Any = None
    provisioning_state: Any = None


class ComputeSchedules(Spec):
    """Compute schedules."""

    compute_start_stop: list[ComputeStartStopSchedule] = optional()


class ImageSettings(Spec):
    """Image settings."""

    reference: str = optional()


class EndpointsSettings(Spec):
    """Endpoints settings."""

    target: Whole = optional()
    published: Whole = optional()


class VolumeSettings(Spec):
    """Volume settings."""

    source: str = optional()
    target: str = optional()


class CustomApplications(Spec):
    """Custom applications."""

    name: str
    type: Word = optional(pattern=words("docker"))
    image: ImageSettings = optional()
    endpoints: list[EndpointsSettings] = optional()
    environment_variables: dict[str, Any] = optional()
    bind_mounts: list[VolumeSettings] = optional()


class ScriptReference(Spec):
    """Script reference."""

    path: str = optional()
    command: str = optional()
    timeout_minutes: Whole = optional()


class SetupScripts(Spec):
    """Setup scripts."""

    creation_script: ScriptReference = optional()
    startup_script: ScriptReference = optional()


class ComputeInstance(Compute):
    """Compute instance. Reference: "CLI (v2) compute instance YAML schema"."""

    type: Word = Field(pattern=words("computeinstance"))
    size: str = optional()
    network_settings: NetworkSettings = optional()
    create_on_behalf_of: CreateOnBehalfOf = optional()
    ssh_settings: ComputeInstanceSshSettings = optional()
    ssh_public_access_enabled: bool = optional()
    state: Any = None
    last_operation: Any = None
    services: Any = None
    schedules: ComputeSchedules = optional()
    identity: Identity = optional()
    idle_time_before_shutdown: str = optional()
    idle_time_before_shutdown_minutes: Whole = optional()
    custom_applications: list[CustomApplications] = optional()
    setup_scripts: SetupScripts = optional()
    os_image_metadata: Any = None
    enable_node_public_ip: bool = optional()
    enable_sso: bool = optional()
    enable_root_access: bool = optional()
    release_quota_on_stop: bool = optional()
    enable_os_patching: bool = optional()


class VirtualMachineSshSettings(Spec):
    """Virtual machine ssh settings."""

    admin_username: str = optional()
    admin_password: str = optional()
    ssh_port: Whole = optional()
    ssh_private_key_file: str = optional()


class VirtualMachineCompute(Compute):
    """Attached virtual machine. Reference: "CLI (v2) attached Virtual Machine YAML schema"."""

    type: Word = Field(pattern=words("virtualmachine"))
    resource_id: str
    compute_location: Any = None
    ssh_settings: VirtualMachineSshSettings = optional()


class KubernetesCompute(Compute):
    """Attached Kubernetes cluster.

    Reference: "CLI (v2) Attached Azure Arc-enabled Kubernetes cluster YAML schema".
    """

    type: Word = Field(pattern=words("kubernetes"))
    namespace: str = optional()
    properties: dict[str, Any] = optional()
    identity: Identity = optional()


class AutoScaleSettings(Spec):
    """Auto scale settings."""

    min_node_count: Any = None
    max_node_count: Any = None
    auto_scale_enabled: Any = None


class AutoPauseSettings(Spec):
    """Auto pause settings."""

    delay_in_minutes: Any = None
    auto_pause_enabled: Any = None


class SynapseSparkCompute(Compute):
    """Attached Synapse Spark pool.

    Reference: "CLI (v2) Attached Synapse Spark pool YAML schema".
    """

    type: Word = Field(pattern=words("synapsespark"))
    resource_id: str
    identity: Identity = optional()
    node_family: Any = None
    node_size: Any = None
    node_count: Any = None
    spark_version: Any = None
    scale_settings: AutoScaleSettings = optional()
    auto_pause_settings: AutoPauseSettings = optional()
