"""Datastores of Azure, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from amlkit.specs.fields import Spec, Word, optional, words


class AccountKey(Spec):
    """Account key."""

    account_key: str


class SasToken(Spec):
    """Sas token."""

    sas_token: str


class NoneCredentials(Spec):
    """None credentials."""


class AzureBlob(Spec):
    """Blob datastore. Reference: "CLI (v2) Azure Blob datastore YAML schema"."""

    name: str
    account_name: str
    type: Word = Field(pattern=words("azure_blob"))
    container_name: str
    schema_: str = optional(alias="$schema")
    id: Any = None
    endpoint: str = optional()
    protocol: str = optional()
    description: str = optional()
    tags: dict[str, str] = optional()
    credentials: AccountKey | SasToken | NoneCredentials = optional()


class AzureFile(Spec):
    """File share datastore. Reference: "CLI (v2) Azure Files datastore YAML schema"."""

    name: str
    account_name: str
    type: Word = Field(pattern=words("azure_file"))
    file_share_name: str
    schema_: str = optional(alias="$schema")
    id: Any = None
    endpoint: str = optional()
    protocol: str = optional()
    description: str = optional()
    tags: dict[str, str] = optional()
    credentials: AccountKey | SasToken | NoneCredentials = optional()


class ServicePrincipal(Spec):
    """Service principal."""

    tenant_id: str
    client_id: str
    client_secret: str
    authority_url: str = optional()
    resource_url: str = optional()


class Certificate(Spec):
    """Certificate."""

    tenant_id: str
    client_id: str
    thumbprint: str
    authority_url: str = optional()
    resource_url: str = optional()
    certificate: str = optional()


class AzureDataLakeGen2(Spec):
    """Data Lake Gen2 datastore. Reference: "CLI (v2) Azure Data Lake Gen2 YAML schema"."""

    name: str
    account_name: str
    type: Word = Field(pattern=words("azure_data_lake_gen2"))
    filesystem: str
    schema_: str = optional(alias="$schema")
    id: Any = None
    endpoint: str = optional()
    protocol: str = optional()
    description: str = optional()
    tags: dict[str, str] = optional()
    credentials: ServicePrincipal | Certificate | NoneCredentials = optional()


class AzureDataLakeGen1(Spec):
    """Data Lake Gen1 datastore. Reference: "CLI (v2) Azure Data Lake Gen1 YAML schema"."""

    name: str
    type: Word = Field(pattern=words("azure_data_lake_gen1"))
    store_name: str
    schema_: str = optional(alias="$schema")
    id: Any = None
    credentials: ServicePrincipal | Certificate | NoneCredentials = optional()
    description: str = optional()
    tags: dict[str, dict[str, Any]] = optional()


class OneLakeArtifact(Spec):
    """One lake artifact."""

    name: str
    type: Word = optional(pattern=words("lake_house"))


class OneLake(Spec):
    """OneLake datastore. Reference: "Use OneLake in Azure Machine Learning"."""

    name: str
    type: Word = Field(pattern=words("one_lake"))
    one_lake_workspace_name: str
    endpoint: str
    schema_: str = optional(alias="$schema")
    id: Any = None
    artifact: OneLakeArtifact = optional()
    credentials: ServicePrincipal | NoneCredentials = optional()
    description: str = optional()
    tags: dict[str, str] = optional()
