"""The keyring of the operating system, with errors that say what to do."""

from __future__ import annotations

from typing import Any

from amlkit.errors import AmlkitError, NotSupported
from amlkit.light import dataclass

_SERVICE = "amlkit"


@dataclass(frozen=True)
class Ring:
    """A keyring that can be used. hint: what to do where it refuses."""

    backend: Any
    hint: str

    def get(self, entry: str) -> str | None:
        """Return a secret, or None."""
        found: str | None = self._call("get_password", entry)
        return found

    def put(self, entry: str, secret: str) -> None:
        """Keep a secret."""
        self._call("set_password", entry, secret)

    def remove(self, entry: str) -> None:
        """Remove a secret, where it is there."""
        if self.get(entry) is not None:
            self._call("delete_password", entry)

    def _call(self, name: str, *arguments: str) -> Any:
        from keyring.errors import KeyringError

        try:
            return getattr(self.backend, name)(_SERVICE, *arguments)
        except KeyringError as cause:
            shown = type(cause).__name__
            raise AmlkitError(f"the keyring refuses: {shown}", hint=self.hint) from None


def opened(kind: str, hint: str) -> Ring:
    """Return this machine's keyring. kind: of the secret that it is for.

    Raises: NotSupported: there is none, or it would keep secrets in plain text. AmlkitError.
    """
    try:
        import keyring
        from keyring.backends import fail, null
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        raise NotSupported(
            f"the {kind} cannot be kept: the keyring extra is not installed",
            hint=f"pip install 'amlkit[keyring]', or {hint}",
        ) from None
    try:
        backend = keyring.get_keyring()
    except KeyringError as cause:
        raise AmlkitError(f"the keyring cannot be used: {cause}", hint=hint) from None
    # `keyrings.alt` has one that writes secrets down as they are.
    plain = type(backend).__name__ == "PlaintextKeyring"
    if plain or isinstance(backend, fail.Keyring | null.Keyring):
        raise NotSupported(f"the {kind} cannot be kept: this machine has no keyring", hint=hint)
    return Ring(backend, hint)
