"""Connections of a workspace, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Any, TypeAlias

from pydantic import Field

from amlkit.specs.fields import Spec, Word, optional, words


class PatTokenConfiguration(Spec):
    """Pat token configuration."""

    type: Word = Field(pattern=words("pat"))
    pat: str = optional()


class SasTokenConfiguration(Spec):
    """Sas token configuration."""

    type: Word = Field(pattern=words("sas"))
    sas_token: str = optional()


class UsernamePasswordConfiguration(Spec):
    """Username password configuration."""

    type: Word = Field(pattern=words("username_password"))
    username: str = optional()
    password: str = optional()


class ManagedIdentityConfiguration(Spec):
    """Managed identity configuration."""

    type: Word = Field(pattern=words("managed_identity"))
    client_id: str = optional()
    resource_id: str = optional()


class ServicePrincipalConfiguration(Spec):
    """Service principal configuration."""

    type: Word = Field(pattern=words("service_principal"))
    client_id: str = optional()
    client_secret: str = optional()
    tenant_id: str = optional()


class AccessKeyConfiguration(Spec):
    """Access key configuration."""

    type: Word = Field(pattern=words("access_key"))
    access_key_id: str = optional()
    secret_access_key: str = optional()


class ApiKeyConfiguration(Spec):
    """Api key configuration."""

    type: Word = Field(pattern=words("api_key"))
    key: str = optional()


class AccountKeyConfiguration(Spec):
    """Account key configuration."""

    type: Word = Field(pattern=words("account_key"))
    account_key: str = optional()


class AadCredentialConfiguration(Spec):
    """Aad credential configuration."""

    type: Word = Field(pattern=words("aad"))


class NoneCredentialConfiguration(Spec):
    """None credential configuration."""

    type: Word = Field(pattern=words("none"))


Credentials: TypeAlias = (
    PatTokenConfiguration
    | SasTokenConfiguration
    | UsernamePasswordConfiguration
    | ManagedIdentityConfiguration
    | ServicePrincipalConfiguration
    | AccessKeyConfiguration
    | ApiKeyConfiguration
    | AccountKeyConfiguration
    | AadCredentialConfiguration
    | NoneCredentialConfiguration
)


class WorkspaceConnection(Spec):
    """Connection. Reference: "CLI (v2) connections YAML schema"."""

    type: Word = Field(
        pattern=words(
            "azure_data_lake_gen2",
            "azure_my_sql_db",
            "azure_postgres_db",
            "azure_sql_db",
            "azure_synapse_analytics",
            "container_registry",
            "custom",
            "git",
            "python_feed",
            "s3",
            "snowflake",
        )
    )
    schema_: str = optional(alias="$schema")
    name: str = optional()
    id: str = optional()
    description: str = optional()
    tags: dict[str, Any] = optional()
    creation_context: Any = None
    target: str = optional()
    credentials: Credentials = optional()
    is_shared: bool = optional()
    metadata: dict[str, Any] = optional()


class AzureBlobStoreConnection(WorkspaceConnection):
    """Azure blob store connection."""

    type: Word = Field(pattern=words("azure_blob"))
    account_name: str
    container_name: str
    credentials: SasTokenConfiguration | AccountKeyConfiguration | AadCredentialConfiguration = (
        optional()
    )
    url: str = optional()


class OneLakeArtifact(Spec):
    """One lake artifact."""

    type: Word = Field(pattern=words("lake_house"))
    name: str


class MicrosoftOneLakeConnection(WorkspaceConnection):
    """Microsoft one lake connection."""

    type: Word = Field(pattern=words("azure_one_lake"))
    credentials: ServicePrincipalConfiguration | AadCredentialConfiguration = optional()
    artifact: OneLakeArtifact | None = None
    endpoint: str = optional()
    one_lake_workspace_name: str = optional()


class AzureOpenAIConnection(WorkspaceConnection):
    """Azure open AI connection."""

    type: Word = Field(pattern=words("azure_open_ai"))
    api_key: str | None = None
    api_version: str | None = None
    azure_endpoint: str = optional()
    open_ai_resource_id: str | None = None


class AzureAIServicesConnection(WorkspaceConnection):
    """Azure AI services connection."""

    type: Word = Field(pattern=words("azure_ai_services"))
    api_key: str | None = None
    endpoint: str = optional()
    ai_services_resource_id: str = optional()


class AzureAISearchConnection(WorkspaceConnection):
    """Azure AI search connection."""

    type: Word = Field(pattern=words("azure_ai_search"))
    api_key: str | None = None
    endpoint: str = optional()


class AzureContentSafetyConnection(AzureAISearchConnection):
    """Azure content safety connection."""

    type: Word = Field(pattern=words("azure_content_safety"))


class AzureSpeechServicesConnection(AzureAISearchConnection):
    """Azure speech services connection."""

    type: Word = Field(pattern=words("azure_speech_services"))


class APIKeyConnection(WorkspaceConnection):
    """API key connection."""

    type: Word = Field(pattern=words("api_key"))
    api_key: str
    api_base: str


class OpenAIConnection(WorkspaceConnection):
    """Open AI connection."""

    type: Word = Field(pattern=words("open_ai"))
    api_key: str


class SerpConnection(OpenAIConnection):
    """Serp connection."""

    type: Word = Field(pattern=words("serp"))


class ServerlessConnection(AzureAISearchConnection):
    """Serverless connection."""

    type: Word = Field(pattern=words("serverless"))
    api_key: str
