"""The Azure ML SDK, for what uploads, resolves or submits; imported when that is asked for.

Importing it takes seconds, so that nothing which only reads does.
"""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from amlkit.azure.clouds import CLOUDS, Cloud
from amlkit.azure.errors import translated
from amlkit.azure.nesting import has_nested, in_files
from amlkit.config import number

T = TypeVar("T")


class Sdk:
    """One workspace's `MLClient`."""

    def __init__(
        self, credential: Any, cloud: Cloud, subscription: str, group: str, workspace: str
    ) -> None:
        self._credential = credential
        self._cloud = cloud
        self._where = (subscription, group, workspace)

    @cached_property
    def client(self) -> Any:
        """The `MLClient`."""
        # With show_progress=False a failing upload hangs for ever; its bars are muted instead.
        os.environ["TQDM_DISABLE"] = "1"
        os.environ.setdefault("AZUREML_LOG_LEVEL", "ERROR")
        with warnings.catch_warnings(), _without("ARM_CLOUD_METADATA_URL"):
            warnings.simplefilter("ignore")
            from azure.ai.ml import MLClient

            return MLClient(
                self._credential,
                *self._where,
                show_progress=True,
                # Between two looks at a long-running operation; the SDK's own default is 30.
                polling_interval=number("azure_poll_seconds") or 2.0,
                enable_telemetry=False,
                **_cloud_options(self._cloud),
            )

    def load(self, noun: str, document: Mapping[str, Any], base: Path | None) -> Any:
        """Return the SDK's entity of a spec, by its own `load_*`; relative paths are below `base`.

        Raises: UsageError: the SDK refuses it.
        """
        self.client  # noqa: B018  quiet first: importing the SDK warns
        import azure.ai.ml as sdk

        origin = {"relative_origin": str(base / "spec.yml")} if base is not None else {}
        with translated(f"{noun} spec"), _quiet(), TemporaryDirectory() as folder:
            if has_nested(document):
                document = in_files(document, base or Path.cwd(), Path(folder))
            return getattr(sdk, f"load_{noun}")(
                io.StringIO(json.dumps(document, ensure_ascii=False)), **origin
            )

    def call(self, subject: str, ask: Callable[[Any], T]) -> T:
        """Return what `ask` gets from the `MLClient`. Raises: AmlkitError: about `subject`."""
        with translated(subject), _quiet():
            return ask(self.client)

    def wait(self, subject: str, begin: Callable[[Any], Any]) -> Any:
        """Return the result of a long-running operation."""
        return self.call(subject, lambda ml: begin(ml).result())


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Hide the address of a cloud that is known already: the import alone asks it five times."""
    given = os.environ.pop(name, None)
    try:
        yield
    finally:
        if given is not None:
            os.environ[name] = given


class _quiet(ExitStack):  # noqa: N801  reads as a verb
    """Keep the SDK's prints, warnings and log lines off the terminal: errors say it all."""

    def __enter__(self) -> _quiet:
        import logging

        super().__enter__()
        self.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)
        self.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        self.enter_context(redirect_stdout(io.StringIO()))
        self.enter_context(redirect_stderr(io.StringIO()))
        return self


def _cloud_options(cloud: Cloud) -> dict[str, Any]:
    if cloud.name in CLOUDS:
        return {"cloud": cloud.name}
    # The SDK keeps the first metadata it hears of a name, so each address is a name of its own.
    name = f"{cloud.name}-{abs(hash(cloud.resource_manager)) % 10**8}"
    return {
        "cloud": name,
        "cloud_metadata": {
            "azure_portal": cloud.portal,
            "resource_manager": cloud.resource_manager + "/",
            "active_directory": cloud.authority + "/",
            "aml_resource_id": cloud.ml_audience,
            "storage_endpoint": cloud.storage_suffix,
            "registry_discovery_endpoint": cloud.resource_manager + "/",
        },
    }
