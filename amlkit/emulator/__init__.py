"""A second door to the local workspace: the Azure Resource Manager REST API on loopback."""
