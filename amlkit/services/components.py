"""Components: what `amlkit component ...` means, on every workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit import references
from amlkit.errors import Conflict, NotFound, NotSupported
from amlkit.records import Asset, AssetDraft, AssetKind
from amlkit.workspace import Workspace

if TYPE_CHECKING:
    from amlkit.specs import Loaded

_ABOUT = ("name", "version", "description", "tags", "properties", "$schema")


class Components:
    """The components of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._assets = workspace.assets

    def register(
        self,
        file: str | Path,
        *,
        name: str | None = None,
        version: str | None = None,
        overrides: Sequence[str] = (),
        lenient: bool = False,
    ) -> Asset:
        """Register the component of a YAML file; the same content is no new version.

        version: replaces the file's; without either, the next one when something has changed.
        Raises: InvalidSpec, NotFound. NotSupported: not a command component.
            Conflict: that version exists with other content.
        """
        loaded = load(file, overrides, lenient=lenient)
        if loaded.kind != "component.command":
            raise NotSupported(
                f"`{file}` is a {loaded.kind.removeprefix('component.')} component",
                hint="only command components can be registered; the others can be validated",
            )
        draft = self._draft(loaded, name, version)
        if draft.version is not None:
            return self._assets.create(draft)
        return self._changed(draft)

    def preview(
        self, file: str | Path, *, overrides: Sequence[str] = (), lenient: bool = False
    ) -> Mapping[str, Any]:
        """Return the checked spec that `register` would store; change nothing."""
        return load(file, overrides, lenient=lenient).document

    def _draft(self, loaded: Loaded, name: str | None, version: str | None) -> AssetDraft:
        document = dict(loaded.document)
        chosen = name or str(document.get("name") or "")
        references.check_name(chosen, "component")
        code = document.get("code")
        if isinstance(code, str) and not code.startswith(("azureml:", "http", "git+")):
            stored = self._changed(
                AssetDraft(AssetKind.CODE, chosen, {}, path=str(loaded.resolve_path(code)))
            )
            document["code"] = f"azureml:{stored.reference}"
        given = version or document.get("version")
        return AssetDraft(
            AssetKind.COMPONENT,
            chosen,
            {key: value for key, value in document.items() if key not in _ABOUT},
            version=str(given) if given is not None else None,
            description=document.get("description"),
            tags={key: str(value) for key, value in (document.get("tags") or {}).items()},
        )

    def _changed(self, draft: AssetDraft) -> Asset:
        """Return the latest version when it has this content, else a new one."""
        try:
            latest = self._assets.get(draft.kind, draft.name).version
            return self._assets.create(replace(draft, version=latest))
        except (NotFound, Conflict):
            return self._assets.create(draft)

    def list(self, name: str | None = None, *, archived: bool = False) -> Sequence[Asset]:
        """Return every version of a name, or the latest of every name."""
        return self._assets.list(AssetKind.COMPONENT, name, archived=archived)

    def show(self, reference: str) -> Asset:
        """Return one version. Raises: NotFound."""
        return self._assets.get(AssetKind.COMPONENT, *references.split(reference))

    def archive(self, reference: str, *, archived: bool = True) -> Sequence[Asset]:
        """Hide one version (`NAME:VERSION`) or the whole name."""
        name, version = references.split(reference)
        return self._assets.archive(AssetKind.COMPONENT, name, version, archived=archived)


def load(file: str | Path, overrides: Sequence[str], *, lenient: bool) -> Loaded:
    """Return a component's checked spec. Raises: InvalidSpec, NotFound."""
    from amlkit import specs

    return specs.load(file, kind="component", overrides=overrides, lenient=lenient)
