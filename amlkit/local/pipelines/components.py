"""The component behind a step: written in the pipeline, in a file of its own, or registered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit.errors import NotSupported, unreadable
from amlkit.light import dataclass, field
from amlkit.records import AssetKind
from amlkit.specs import Loaded

if TYPE_CHECKING:
    from amlkit.workspace import Assets


@dataclass
class ComponentFinder:
    """Finds components, each once. A pipeline that refers to them was validated before."""

    assets: Assets
    _found: dict[tuple[Path | None, str], Loaded] = field(default_factory=dict)

    def find(self, value: Any, owner: Loaded) -> Loaded:
        """Return the component that a step of `owner` names, with its own folder for paths.

        Raises: NotFound: no such file, or no such registered component.
        """
        if isinstance(value, Mapping):
            return Loaded(_kind(value), None, dict(value), owner.path, owner.base)
        text = str(value)
        registered = text.startswith("azureml:")
        key = (None, text) if registered else (owner.resolve_path(text), "")
        if key not in self._found:
            self._found[key] = self._registered(text) if registered else _read(key[0])
        return self._found[key]

    def _registered(self, text: str) -> Loaded:
        from amlkit.references import split

        if text.startswith("azureml://"):
            raise NotSupported(
                f"component `{text}` is in a registry, which needs Azure ML",
                hint="register a copy here: amlkit component register FILE",
            )
        asset = self.assets.get(AssetKind.COMPONENT, *split(text))
        document = {"name": asset.name, "version": asset.version, **asset.spec}
        return Loaded(_kind(document), None, document, None, Path.cwd())


def _read(path: Path | None) -> Loaded:
    from amlkit.specs import source

    assert path is not None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as cause:
        raise unreadable(path, cause) from None
    document = source.parse(text, str(path)).data
    return Loaded(_kind(document), None, document, path, path.parent)


def _kind(document: Mapping[str, Any]) -> str:
    written = document.get("type") or ("pipeline" if "jobs" in document else "command")
    return f"component.{written}"
