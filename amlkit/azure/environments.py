"""Environments on Azure are built there, when a job first needs them; nothing is built here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amlkit.errors import NotSupported
from amlkit.records import Asset, BuiltEnvironment


class AzureEnvironments:
    """What is built on this machine for an Azure workspace: nothing."""

    def build(self, asset: Asset, log: Callable[[str], None]) -> BuiltEnvironment:
        """Raises: NotSupported: Azure builds it."""
        raise NotSupported(
            f"Azure ML builds `{asset.reference}` itself, when a job first needs it",
            hint="to try it on this machine: amlkit -w local env build -f conda.yml",
        )

    def find(self, asset: Asset) -> BuiltEnvironment | None:
        """Return None: nothing is built here."""
        return None

    def built(self) -> Sequence[BuiltEnvironment]:
        """Return nothing."""
        return ()

    def remove(self, built: BuiltEnvironment) -> None:
        """Raises: NotSupported: there is nothing to remove."""
        raise NotSupported(f"`{built.name}` is not kept by an Azure ML workspace")
