"""Online, batch and serverless endpoints, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from amlkit.specs.fields import Spec, Whole, Word, optional, words


class Identity(Spec):
    """Identity."""

    type: Word = optional(pattern=words("none", "system_assigned", "user_assigned"))
    principal_id: str = optional()
    tenant_id: str = optional()
    user_assigned_identities: list[dict[str, str]] = optional()


class OnlineEndpoint(Spec):
    """Online endpoint. Reference: "CLI (v2) online endpoint YAML schema"."""

    name: str = Field(pattern="^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$")
    schema_: str = optional(alias="$schema")
    id: str = optional()
    description: str = optional()
    tags: dict[str, Any] = optional()
    provisioning_state: str = optional()
    properties: dict[str, Any] = optional()
    auth_mode: Word = optional(pattern=words("aad_token", "aml_token", "key"))
    scoring_uri: str = optional()
    location: str = optional()
    openapi_uri: str = optional()
    identity: Identity = optional()
    traffic: dict[str, Whole] = optional()
    kind: Any = None
    mirror_traffic: dict[str, Whole] = optional()


class ManagedOnlineEndpoint(OnlineEndpoint):
    """Managed online endpoint. Reference: "CLI (v2) online endpoint YAML schema"."""

    public_network_access: Word = optional(pattern=words("disabled", "enabled"))


class KubernetesOnlineEndpoint(OnlineEndpoint):
    """Kubernetes online endpoint. Reference: "CLI (v2) online endpoint YAML schema"."""

    compute: str = optional()


class BatchEndpointsDefaults(Spec):
    """Batch endpoints defaults."""

    deployment_name: str = optional()


class BatchEndpoint(Spec):
    """Batch endpoint. Reference: "CLI (v2) batch endpoint YAML schema"."""

    name: str = Field(pattern="^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$")
    schema_: str = optional(alias="$schema")
    id: str = optional()
    description: str = optional()
    tags: dict[str, Any] = optional()
    provisioning_state: str = optional()
    properties: dict[str, Any] = optional()
    auth_mode: Word = optional(pattern=words("aad_token", "aml_token", "key"))
    scoring_uri: str = optional()
    location: str = optional()
    openapi_uri: str = optional()
    identity: Identity = optional()
    defaults: BatchEndpointsDefaults = optional()


class ServerlessEndpoint(Spec):
    """Serverless endpoint. Reference: "Deploy models as serverless API deployments"."""

    name: str
    model_id: str
    schema_: str = optional(alias="$schema")
    id: str = optional()
    description: str = optional()
    display_name: str = optional()
    auth_mode: Word = optional(pattern=words("key", "aad"))
    location: str = optional()
    tags: dict[str, Any] = optional()
    properties: dict[str, Any] = optional()
    provisioning_state: Any = None
    scoring_uri: Any = None
    headers: Any = None
