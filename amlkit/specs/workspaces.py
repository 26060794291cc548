"""Workspaces and registries, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from amlkit.specs.fields import Spec, Whole, Word, optional, words


class CustomerManagedKey(Spec):
    """Customer managed key."""

    key_vault: str = optional()
    key_uri: str = optional()
    cosmosdb_id: str = optional()
    storage_id: str = optional()
    search_id: str = optional()


class IPRule(Spec):
    """IP rule."""

    value: str


class NetworkAcls(Spec):
    """Network acls."""

    default_action: str
    ip_rules: list[IPRule] | None = None


class UserAssignedIdentity(Spec):
    """User assigned identity."""

    principal_id: str = optional()
    client_id: str = optional()
    resource_id: str = optional()


class Identity(Spec):
    """Identity."""

    type: Word = optional(
        pattern=words("none", "system_assigned", "system_assigned,user_assigned", "user_assigned")
    )
    principal_id: str = optional()
    tenant_id: str = optional()
    user_assigned_identities: dict[str, UserAssignedIdentity] | None = None


class PrivateEndpointDestination(Spec):
    """Private endpoint destination."""

    service_resource_id: str
    subresource_target: str
    spark_enabled: bool


class PrivateEndpointOutboundRule(Spec):
    """Private endpoint outbound rule."""

    name: str
    destination: PrivateEndpointDestination
    parent_rule_names: Any = None
    type: Any = None
    fqdns: list[str] = optional()
    category: Any = None
    status: Any = None


class ServiceTagDestination(Spec):
    """Service tag destination."""

    service_tag: str
    protocol: str
    port_ranges: str
    address_prefixes: list[str] = optional()


class ServiceTagOutboundRule(Spec):
    """Service tag outbound rule."""

    name: str
    destination: ServiceTagDestination
    parent_rule_names: Any = None
    type: Any = None
    category: Any = None
    status: Any = None


class FqdnOutboundRule(Spec):
    """Fqdn outbound rule."""

    name: str
    destination: str
    parent_rule_names: Any = None
    type: Any = None
    category: Any = None
    status: Any = None


class ManagedNetworkStatus(Spec):
    """Managed network status."""

    spark_ready: Any = None
    status: Any = None


class ManagedNetwork(Spec):
    """Managed network."""

    isolation_mode: Word = optional(
        pattern=words("allow_internet_outbound", "allow_only_approved_outbound", "disabled")
    )
    outbound_rules: (
        list[PrivateEndpointOutboundRule | ServiceTagOutboundRule | FqdnOutboundRule] | None
    ) = None
    firewall_sku: Word = optional(pattern=words("basic", "standard"))
    network_id: Any = None
    status: ManagedNetworkStatus = optional()


class ServerlessComputeSettings(Spec):
    """Serverless compute settings."""

    custom_subnet: str | None = None
    no_public_ip: bool = optional()


class Workspace(Spec):
    """Workspace. Reference: "CLI (v2) workspace YAML schema"."""

    name: str
    schema_: str = optional(alias="$schema")
    location: str = optional()
    id: Any = None
    resource_group: str = optional()
    description: str = optional()
    discovery_url: str = optional()
    display_name: str = optional()
    hbi_workspace: bool = optional()
    storage_account: str = optional()
    container_registry: str = optional()
    key_vault: str = optional()
    application_insights: str = optional()
    customer_managed_key: CustomerManagedKey = optional()
    tags: dict[str, str] = optional()
    mlflow_tracking_uri: Any = None
    image_build_compute: str = optional()
    public_network_access: Word = optional(pattern=words("disabled", "enabled"))
    network_acls: NetworkAcls = optional()
    system_datastores_auth_mode: str = optional()
    identity: Identity = optional()
    primary_user_assigned_identity: str = optional()
    workspace_hub: str = optional()
    managed_network: ManagedNetwork = optional()
    provision_network_now: bool = optional()
    enable_data_isolation: bool = optional()
    allow_roleassignment_on_rg: bool = optional()
    serverless_compute: ServerlessComputeSettings = optional()


class Hub(Workspace):
    """Hub workspace. Reference: "CLI (v2) hub YAML schema"."""

    kind: Word = Field(pattern=words("hub"))
    default_resource_group: str = optional()
    associated_workspaces: Any = None


class Project(Workspace):
    """Project workspace. Reference: "CLI (v2) project YAML schema"."""

    kind: Word = Field(pattern=words("project"))
    hub_id: str


class SystemCreatedStorageAccount(Spec):
    """System created storage account."""

    arm_resource_id: Any = None
    storage_account_hns: bool = optional()
    storage_account_type: Word = optional(
        pattern=words(
            "premium_lrs",
            "premium_zrs",
            "standard_grs",
            "standard_gzrs",
            "standard_lrs",
            "standard_ragrs",
            "standard_ragzrs",
            "standard_zrs",
        )
    )
    replication_count: Whole = optional()
    replicated_ids: Any = None


class RegistryRegionDetails(Spec):
    """Registry region details."""

    location: str = optional()
    storage_config: SystemCreatedStorageAccount | list[str] = optional()


class Publisher(Spec):
    """Publisher."""

    publisher: str = optional()


class SystemCreatedAcrAccount(Spec):
    """System created acr account."""

    arm_resource_id: Any = None
    acr_account_sku: Word = optional(pattern=words("premium"))


class Registry(Spec):
    """Registry. Reference: "CLI (v2) registry YAML schema"."""

    location: str
    schema_: str = optional(alias="$schema")
    name: str = optional()
    id: str = optional()
    description: str = optional()
    tags: dict[str, Any] = optional()
    public_network_access: Word = optional(pattern=words("disabled", "enabled"))
    replication_locations: list[RegistryRegionDetails] = optional()
    intellectual_property: Publisher = optional()
    container_registry: str | SystemCreatedAcrAccount = optional()
    identity: Any = None
    kind: Any = None
    sku: Any = None
    managed_resource_group: Any = None
    mlflow_registry_uri: Any = None
    discovery_url: Any = None
