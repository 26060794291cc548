"""A component from a typed Python function: what `amlkit component from-function` means."""

from amlkit.services.from_function.generate import Generated, from_function

__all__ = ["Generated", "from_function"]
