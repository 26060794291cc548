"""Online and batch deployments, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from amlkit.specs.fields import Environment, Resources, Spec, Whole, Word, optional, words


class DeploymentTemplateReference(Spec):
    """Deployment template reference."""

    asset_id: str = optional()


class AnonymousModel(Spec):
    """Anonymous model."""

    name: str = optional()
    id: Any = None
    type: Word = optional(pattern=words("custom_model", "mlflow_model", "triton_model"))
    path: str = optional()
    version: Any = None
    description: str = optional()
    properties: dict[str, Any] = optional()
    tags: dict[str, Any] = optional()
    stage: str = optional()
    utc_time_created: Any = None
    flavors: dict[str, Any] = optional()
    creation_context: Any = None
    job_name: Any = None
    latest_version: Any = None
    datastore: str = optional()
    intellectual_property: Any = None
    system_metadata: dict[str, Any] = optional()
    default_deployment_template: DeploymentTemplateReference = optional()
    allowed_deployment_templates: list[DeploymentTemplateReference] = optional()


class CodeConfiguration(Spec):
    """Code configuration."""

    code: str = optional()
    scoring_script: str = optional()


class DefaultScaleSettings(Spec):
    """Default scale settings."""

    type: Word = Field(pattern=words("default"))


class TargetUtilizationScaleSettings(Spec):
    """Target utilization scale settings."""

    type: Word = Field(pattern=words("target_utilization"))
    polling_interval: Whole = optional()
    target_utilization_percentage: Whole = optional()
    min_instances: Whole = optional()
    max_instances: Whole = optional()


class RequestSettings(Spec):
    """Request settings."""

    request_timeout_ms: Whole = optional()
    max_concurrent_requests_per_instance: Whole = optional()
    max_queue_wait_ms: Whole = optional()


class LivenessProbe(Spec):
    """Liveness probe."""

    period: Whole = optional()
    initial_delay: Whole = optional()
    timeout: Whole = optional()
    success_threshold: Whole = optional()
    failure_threshold: Whole = optional()


class DataAsset(Spec):
    """Data asset."""

    name: str = optional()
    path: str = optional()
    version: str = optional()
    data_id: str = optional()


class DeploymentCollection(Spec):
    """Deployment collection."""

    enabled: Word = Field(pattern=words("false", "true"))
    data: DataAsset | str = optional()
    client_id: str = optional()


class RequestLogging(Spec):
    """Request logging."""

    capture_headers: list[str] = optional()


class DataCollector(Spec):
    """Data collector."""

    collections: dict[str, DeploymentCollection] = optional()
    rolling_rate: Word = optional(pattern=words("day", "hour", "minute"))
    sampling_rate: float = optional()
    request_logging: RequestLogging = optional()


class OnlineDeployment(Spec):
    """What online deployments have in common.

    Reference: "CLI (v2) managed online deployment YAML schema".
    """

    name: str
    endpoint_name: str = optional()
    schema_: str = optional(alias="$schema")
    description: str = optional()
    id: str = optional()
    tags: dict[str, Any] = optional()
    properties: dict[str, Any] = optional()
    model: str | AnonymousModel = optional()
    code_configuration: CodeConfiguration = optional()
    environment: str | Environment = optional()
    environment_variables: dict[str, Any] = optional()
    app_insights_enabled: bool = optional()
    scale_settings: DefaultScaleSettings | TargetUtilizationScaleSettings = optional()
    request_settings: RequestSettings = optional()
    liveness_probe: LivenessProbe = optional()
    readiness_probe: LivenessProbe = optional()
    provisioning_state: str = optional()
    instance_count: Whole = optional()
    type: Word = optional(pattern=words("kubernetes", "managed"))
    model_mount_path: str = optional()
    instance_type: str = optional()
    data_collector: DataCollector = optional()


class ManagedOnlineDeployment(OnlineDeployment):
    """Managed online deployment. Reference: "CLI (v2) managed online deployment YAML schema"."""

    instance_type: str
    egress_public_network_access: Word = optional(pattern=words("disabled", "enabled"))
    private_network_connection: bool = optional()
    creation_context: Any = None


class ResourceSettings(Spec):
    """Resource settings."""

    cpu: str = optional()
    memory: str = optional()
    gpu: str = optional()


class ResourceRequirements(Spec):
    """Resource requirements."""

    requests: ResourceSettings = optional()
    limits: ResourceSettings = optional()


class KubernetesOnlineDeployment(OnlineDeployment):
    """Kubernetes online deployment.

    Reference: "CLI (v2) Azure Arc-enabled Kubernetes online deployment YAML schema".
    """

    resources: ResourceRequirements = optional()


class BatchRetrySettings(Spec):
    """Batch retry settings."""

    max_retries: Whole = optional()
    timeout: Whole = optional()


class BatchDeployment(Spec):
    """Batch deployment in its older form. Reference: "CLI (v2) batch deployment YAML schema"."""

    name: str
    endpoint_name: str = optional()
    schema_: str = optional(alias="$schema")
    description: str = optional()
    id: str = optional()
    tags: dict[str, Any] = optional()
    properties: dict[str, Any] = optional()
    model: str | AnonymousModel = optional()
    code_configuration: CodeConfiguration = optional()
    environment: str | Environment = optional()
    environment_variables: dict[str, Any] = optional()
    compute: Word | str = optional()
    error_threshold: Whole = optional()
    retry_settings: BatchRetrySettings = optional()
    mini_batch_size: Whole = optional()
    logging_level: str = optional()
    output_action: Word = optional(pattern=words("append_row", "summary_only"))
    output_file_name: str = optional()
    max_concurrency_per_instance: Whole = optional()
    resources: Resources = optional()
    type: Word = optional(pattern=words("model", "pipeline"))
    job_definition: str = optional()
    component: Any = None
    creation_context: Any = None
    provisioning_state: Any = None


class ModelBatchDeploymentSettings(Spec):
    """Model batch deployment settings."""

    error_threshold: Whole = optional()
    instance_count: Whole = optional()
    retry_settings: BatchRetrySettings = optional()
    mini_batch_size: Whole = optional()
    logging_level: str = optional()
    output_action: Word = optional(pattern=words("append_row", "summary_only"))
    output_file_name: str = optional()
    max_concurrency_per_instance: Whole = optional()
    environment_variables: dict[str, Any] = optional()


class ModelBatchDeployment(Spec):
    """Batch deployment of a model. Reference: "CLI (v2) batch deployment YAML schema"."""

    name: str
    endpoint_name: str = optional()
    compute: Word | str
    schema_: str = optional(alias="$schema")
    description: str = optional()
    id: str = optional()
    tags: dict[str, Any] = optional()
    properties: dict[str, Any] = optional()
    model: str | AnonymousModel = optional()
    code_configuration: CodeConfiguration = optional()
    environment: str | Environment = optional()
    environment_variables: dict[str, Any] = optional()
    error_threshold: Whole = optional()
    resources: Resources = optional()
    type: Word = optional(pattern=words("model", "pipeline"))
    settings: ModelBatchDeploymentSettings = optional()


class PipelineComponentBatchDeployment(Spec):
    """Batch deployment of a pipeline component.

    Reference: "CLI (v2) batch deployment YAML schema".
    """

    name: str
    endpoint_name: str = optional()
    component: str | dict[str, Any] = optional()
    type: Word = optional(pattern=words("pipeline"))
    schema_: str = optional(alias="$schema")
    job_definition: str | dict[str, Any] = optional()
    settings: dict[str, Any] = optional()
    description: str = optional()
    tags: dict[str, Any] = optional()
    properties: dict[str, Any] = optional()
