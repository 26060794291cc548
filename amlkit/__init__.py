"""amlkit: Azure Machine Learning from the command line, with or without Azure."""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def __getattr__(name: str) -> Any:
    """Import the notebook API only when it is asked for: `amlkit --version` must stay bare."""
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'amlkit' has no attribute {name!r}")


_PUBLIC = {
    "Workspace": "amlkit.services",
    "Input": "amlkit.services.pipelines",
    "Output": "amlkit.services.pipelines",
    "load_component": "amlkit.services.pipelines",
    "pipeline": "amlkit.services.pipelines",
}
