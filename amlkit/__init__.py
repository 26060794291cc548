"""amlkit: Azure Machine Learning from the command line, with or without Azure."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import the notebook API only when it is asked for: `amlkit --version` must stay bare."""
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'amlkit' has no attribute {name!r}")


_PUBLIC = {"Workspace": "amlkit.services"}
