"""Computes of an Azure ML workspace: read over REST, changed through the SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amlkit.azure.client import ArmClient
from amlkit.azure.names import snake
from amlkit.azure.sdk import Sdk
from amlkit.errors import NotFound, UsageError, did_you_mean
from amlkit.records import JSON, Compute

_TYPES = {"AmlCompute": "amlcompute", "ComputeInstance": "computeinstance"}


class AzureComputes:
    """Where jobs run, on Azure."""

    def __init__(self, client: ArmClient, sdk: Sdk) -> None:
        self._client = client
        self._sdk = sdk

    def list(self) -> Sequence[Compute]:
        """Return every compute, by name."""
        found = [_compute(each) for each in self._client.list("/computes", "computes")]
        return sorted(found, key=lambda each: each.name)

    def get(self, name: str) -> Compute:
        """Return one. Raises: NotFound."""
        try:
            return _compute(self._client.get(f"/computes/{name}", f"compute `{name}`"))
        except NotFound:
            close = did_you_mean(name, [each.name for each in self.list()])
            hint = f"did you mean `{close}`?" if close else "see `amlkit compute list`"
            raise NotFound(f"no compute is called `{name}`", hint=hint) from None

    def create(self, spec: Mapping[str, JSON]) -> Compute:
        """Create a compute from the fields of its YAML and wait for it; the same again is none."""
        name = str(spec.get("name") or "")
        if not name:
            raise UsageError("the compute has no name", hint="add --name, or `name:` in the file")
        entity = self._sdk.load("compute", spec, None)
        self._sdk.wait(f"compute `{name}`", lambda ml: ml.compute.begin_create_or_update(entity))
        return self.get(name)

    def start(self, name: str) -> Compute:
        """Start a compute instance and wait for it. Raises: NotFound."""
        return self._change(name, lambda ml: ml.compute.begin_start(name))

    def stop(self, name: str) -> Compute:
        """Stop a compute instance and wait for it. Raises: NotFound."""
        return self._change(name, lambda ml: ml.compute.begin_stop(name))

    def delete(self, name: str) -> None:
        """Delete a compute and wait for it. Raises: NotFound."""
        self.get(name)
        self._sdk.wait(f"compute `{name}`", lambda ml: ml.compute.begin_delete(name))

    def _change(self, name: str, begin: Callable[[Any], Any]) -> Compute:
        if self.get(name).type != "computeinstance":
            raise UsageError(
                f"compute `{name}` is a cluster, which starts and stops its machines by itself",
                hint="only compute instances are started and stopped",
            )
        self._sdk.wait(f"compute `{name}`", begin)
        return self.get(name)


def _compute(resource: Mapping[str, Any]) -> Compute:
    outer = resource["properties"]
    inner = outer.get("properties") or {}
    kind = str(outer.get("computeType"))
    provisioning = str(outer.get("provisioningState") or "")
    scale = inner.get("scaleSettings") or {}
    return Compute(
        str(resource["name"]),
        _TYPES.get(kind, snake(kind)),
        str(inner.get("state") or inner.get("allocationState") or provisioning),
        slots=scale.get("maxNodeCount"),
        slots_in_use=inner.get("currentNodeCount"),
        size=inner.get("vmSize"),
        location=resource.get("location"),
        spec={snake(str(key)): _named(value) for key, value in inner.items() if value is not None},
    )


def _named(value: Any) -> JSON:
    if isinstance(value, Mapping):
        return {snake(str(key)): _named(each) for key, each in value.items()}
    return value  # type: ignore[no-any-return]
