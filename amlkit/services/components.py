"""Components: what `amlkit component ...` means, on every workspace.

A component is stored as its spec, with nothing left that its folder is needed for
(`services/portable.py`): inner components and conda files are part of the spec, nested pipelines
are components of their own, code folders are code assets (`code: azureml:NAME:VERSION`), whose
digest is the snapshot's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit import references
from amlkit.errors import Conflict, InvalidSpec, NotFound, Problem, UsageError
from amlkit.light import dataclass, replace
from amlkit.records import Asset, AssetDraft, AssetKind
from amlkit.services.portable import InPlace, portable
from amlkit.workspace import Assets, Workspace

if TYPE_CHECKING:
    from amlkit.specs import Loaded

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_ABOUT = ("name", "version", "description", "tags", "properties", "$schema")
_SHOWN = ("id", "creation_context", "archived", "latest_version")


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
        if_changed: bool = True,
        allow_secrets: bool = False,
    ) -> Asset:
        """Register the component of a YAML file, with its code and its inner components.

        version: replaces the file's; without either, the next one.
        if_changed: without a version, the latest one stands where it has the same content.
        Raises: InvalidSpec, NotFound. NotSupported: not a command, parallel or pipeline component.
            Conflict: that version exists with other content.
        """
        loaded = load(file, overrides, lenient=lenient)
        options = {"if_changed": if_changed, "allow_secrets": allow_secrets}
        return self.register_all([loaded], name=name, version=version, **options)[0]

    def register_all(
        self,
        loaded: Sequence[Loaded],
        *,
        name: str | None = None,
        version: str | None = None,
        if_changed: bool = True,
        allow_secrets: bool = False,
    ) -> Sequence[Asset]:
        """Register components that are loaded; all names are checked before any is registered.

        Raises: what `register` raises.
        """
        named = [(each, _name(each, name)) for each in loaded]
        kept = _Kept(self._assets, allow_secrets)
        drafts = [_draft(each, chosen, version, kept) for each, chosen in named]
        return [self._store(each, if_changed=if_changed) for each in drafts]

    def _store(self, draft: AssetDraft, *, if_changed: bool) -> Asset:
        return self._assets.create(replace(draft, if_changed=if_changed))

    def preview(
        self, loaded: Loaded, *, name: str | None = None, version: str | None = None
    ) -> Mapping[str, Any]:
        """Return the spec that `register` would store, with code still a path; change nothing.

        Raises: what `register` raises before it stores anything.
        """
        chosen = _name(loaded, name)
        spec = {**portable(loaded, chosen, InPlace()), "name": chosen}
        return {**spec, "version": version} if version is not None else spec

    def list(self, name: str | None = None, *, archived: bool = False) -> Sequence[Asset]:
        """Return every version of a name, or the latest of every name."""
        return self._assets.list(AssetKind.COMPONENT, name, archived=archived)

    def show(self, reference: str) -> Asset:
        """Return one version. Raises: NotFound."""
        return self._assets.get(AssetKind.COMPONENT, *references.split(reference))

    def archive(
        self, reference: str, *, archived: bool = True, dry_run: bool = False
    ) -> Sequence[Asset]:
        """Hide `NAME:VERSION`, `NAME@latest` or every version of `NAME`, or show them again.

        dry_run: return what would be changed, and change nothing.
        Raises: NotFound.
        """
        from amlkit.services.archiving import archive

        return archive(
            self._assets, AssetKind.COMPONENT, reference, archived=archived, dry_run=dry_run
        )


@dataclass(frozen=True)
class _Kept:
    """Stores the files of a component as assets."""

    assets: Assets
    allow_secrets: bool

    def code(self, name: str, folder: Path, includes: tuple[Path, ...]) -> str:
        beside = tuple(str(each) for each in includes)
        draft = AssetDraft(
            AssetKind.CODE,
            name,
            {},
            path=str(folder),
            includes=beside,
            allow_secrets=self.allow_secrets,
        )
        return f"azureml:{self.assets.create(draft).reference}"

    def data(self, name: str, path: Path, kind: str) -> str:
        draft = AssetDraft(AssetKind.DATA, name, {"type": kind}, path=str(path))
        return f"azureml:{self.assets.create(replace(draft, if_changed=True)).reference}"

    def check(self, kind: AssetKind, reference: str) -> None:
        self.assets.get(kind, *references.split(reference))

    def pipeline(self, name: str, spec: Mapping[str, Any]) -> str:
        draft = _component(name, spec)
        # Pipelines whose nested ones share a name must not undo each other: any version will do.
        for known in _versions(self.assets, name):
            try:
                return f"azureml:{self.assets.create(replace(draft, version=known)).reference}"
            except Conflict:
                continue
        return f"azureml:{self.assets.create(draft).reference}"


def _versions(assets: Assets, name: str) -> Sequence[str]:
    try:
        return [each.version for each in assets.list(AssetKind.COMPONENT, name, archived=True)]
    except NotFound:
        return []


def load(file: str | Path, overrides: Sequence[str], *, lenient: bool) -> Loaded:
    """Return a component's checked spec. Raises: InvalidSpec, NotFound."""
    from amlkit import specs

    return specs.load(file, kind="component", overrides=overrides, lenient=lenient)


def in_place(value: Any, owner: Loaded) -> Loaded | None:
    """Return a component that stands in a file or in the pipeline; None for a registered one."""
    if isinstance(value, Mapping):
        kind = str(value.get("type") or ("pipeline" if "jobs" in value else "command"))
        return replace(owner, kind=f"component.{kind}", document=dict(value))
    if str(value).startswith(("azureml:", "/subscriptions/")):
        return None
    from amlkit import specs

    return specs.load(owner.resolve_path(str(value)), kind="component", lenient=True)


def _name(loaded: Loaded, given: str | None) -> str:
    name = given or loaded.document.get("name")
    if name is None:
        file = str(loaded.path or "<stdin>")
        hint = "add `name:` to the file, or --name"
        raise InvalidSpec([Problem(file, 1, 1, "name", "`name` is missing", hint, "missing-field")])
    if not _NAME.match(str(name)):
        raise UsageError(
            f"`{name}` cannot be the name of a component",
            hint="use lower-case letters, digits and `_`, starting with a letter",
        )
    return str(name)


def _draft(loaded: Loaded, name: str, version: str | None, kept: _Kept) -> AssetDraft:
    given = version or loaded.document.get("version")
    # With `lenient`, there can be fields that Azure ML drops.
    fields = type(loaded.model).model_fields.items()
    known = {field.alias or each for each, field in fields}
    spec = portable(loaded, name, kept)
    draft = _component(name, {key: value for key, value in spec.items() if key in known})
    return replace(draft, version=str(given) if given is not None else None)


def _component(name: str, spec: Mapping[str, Any]) -> AssetDraft:
    return AssetDraft(
        AssetKind.COMPONENT,
        name,
        {key: value for key, value in spec.items() if key not in (*_ABOUT, *_SHOWN)},
        description=spec.get("description"),
        tags=_texts(spec.get("tags")),
        properties=_texts(spec.get("properties")),
    )


def _texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (values or {}).items()}
