"""Environments: what `amlkit env ...` means, on every workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amlkit import references
from amlkit.errors import Conflict, NotFound, UsageError, unreadable
from amlkit.light import dataclass, replace
from amlkit.records import JSON, Asset, AssetDraft, AssetKind, BuiltEnvironment
from amlkit.workspace import JobFilter, Workspace

# Source: Azure/AzureML-Containers, "Azure Machine Learning base images".
BASE_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
_ABOUT = ("name", "version", "description", "tags", "properties", "$schema")


@dataclass(frozen=True)
class ListedEnvironment(Asset):
    """An environment asset, and whether it is built on this machine. size: bytes."""

    COLUMNS = ("name", "version", "built", "size", "description", "created")  # type: ignore[assignment]

    built: bool = False
    size: int | None = None

    def as_dict(self) -> dict[str, JSON]:
        """Return the asset's fields, and the two of this machine."""
        return {**super().as_dict(), "built": self.built, "size": self.size}


class Environments:
    """The environments of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._assets = workspace.assets

    def register(
        self, name: str, conda_file: Mapping[str, Any], *, image: str | None = None
    ) -> Asset:
        """Register a conda file on an image; the same content is no new version."""
        references.check_name(name, "environment")
        spec: dict[str, JSON] = {"image": image or BASE_IMAGE, "conda_file": dict(conda_file)}
        return self.create(AssetDraft(AssetKind.ENVIRONMENT, name, spec))

    def draft(
        self,
        *,
        file: Path | None = None,
        name: str | None = None,
        image: str | None = None,
        conda_file: Path | None = None,
        version: str | None = None,
        overrides: Sequence[str] = (),
    ) -> AssetDraft:
        """Return what `create` would register: a YAML file's environment, or one from parts.

        name, image, conda_file and version replace the file's.
        Raises: UsageError: no name, or nothing to make it of. InvalidSpec, NotFound: a file.
        """
        document = _document(file, overrides)
        if image is not None:
            document["image"] = image
        if conda_file is not None:
            document["conda_file"] = read_conda(conda_file)
        if not document.get("image") and not document.get("build"):
            raise UsageError(
                "an environment needs an image", hint=f"add --image {BASE_IMAGE}, or -f FILE"
            )
        chosen = name or str(document.get("name") or "")
        if not chosen:
            raise UsageError("the environment has no name", hint="add --name NAME")
        given = version or document.get("version")
        return AssetDraft(
            AssetKind.ENVIRONMENT,
            references.check_name(chosen, "environment"),
            {key: value for key, value in document.items() if key not in _ABOUT},
            version=str(given) if given is not None else None,
            description=document.get("description"),
            tags={key: str(value) for key, value in (document.get("tags") or {}).items()},
        )

    def create(self, draft: AssetDraft) -> Asset:
        """Register a draft; without a version, the latest one where it has the same content.

        Raises: Conflict: the draft's version exists with other content.
        """
        if draft.version is not None:
            return self._assets.create(draft)
        try:
            latest = self._assets.get(draft.kind, draft.name).version
            return self._assets.create(replace(draft, version=latest))
        except (NotFound, Conflict):
            return self._assets.create(draft)

    def list(
        self, name: str | None = None, *, archived: bool = False
    ) -> Sequence[ListedEnvironment]:
        """Return every version of a name, or the latest of every name, and what is built."""
        found = self._assets.list(AssetKind.ENVIRONMENT, name, archived=archived)
        return [self._listed(asset) for asset in found]

    def _listed(self, asset: Asset) -> ListedEnvironment:
        here = self._workspace.environments.find(asset)
        return ListedEnvironment(
            **vars(asset), built=here is not None, size=here.size if here else None
        )

    def show(self, reference: str) -> Asset:
        """Return one version. Raises: NotFound."""
        return self._assets.get(AssetKind.ENVIRONMENT, *references.split(reference))

    def archive(
        self, reference: str, *, archived: bool = True, dry_run: bool = False
    ) -> Sequence[Asset]:
        """Hide `NAME:VERSION`, `NAME@latest` or every version of `NAME`, or show them again.

        dry_run: return what would be changed, and change nothing.
        Raises: NotFound.
        """
        from amlkit.services.archiving import archive

        return archive(
            self._assets, AssetKind.ENVIRONMENT, reference, archived=archived, dry_run=dry_run
        )

    def build(self, reference: str, *, log: Callable[[str], None]) -> BuiltEnvironment:
        """Build an environment asset on this machine and import what it declares.

        log: gets every line of the build.
        Raises: NotFound. AmlkitError: it cannot be built, or a package cannot be imported.
        """
        return self._workspace.environments.build(self.show(reference), log)

    def build_file(self, file: Path, *, log: Callable[[str], None]) -> BuiltEnvironment:
        """Build a conda file, as `build` does an asset."""
        spec = {"conda_file": read_conda(file)}
        unregistered = Asset(AssetKind.ENVIRONMENT, file.name, "unregistered", spec)
        return self._workspace.environments.build(unregistered, log)

    def unused(self) -> Sequence[BuiltEnvironment]:
        """Return what is built and no environment asset, archived or not, refers to."""
        group = self._workspace.environments
        names = {e.name for e in self._assets.list(AssetKind.ENVIRONMENT, archived=True)}
        used = {
            found.name
            for name in names
            for asset in self._assets.list(AssetKind.ENVIRONMENT, name, archived=True)
            if (found := group.find(asset)) is not None
        }
        return [each for each in group.built() if each.name not in used]

    def remove(self, built: Sequence[BuiltEnvironment]) -> None:
        """Delete built environments. Raises: Conflict: a job is running, maybe in one of them."""
        jobs = self._workspace.jobs.list(JobFilter())
        if running := [job.name for job in jobs if not job.status.final]:
            raise Conflict(
                f"job `{running[0]}` is not finished and may use one of them",
                hint=f"amlkit job wait {running[0]}",
            )
        for each in built:
            self._workspace.environments.remove(each)


def read_conda(file: Path) -> dict[str, Any]:
    """Return a conda file's content. Raises: NotFound, InvalidSpec."""
    if not file.is_file():
        raise unreadable(file, IsADirectoryError() if file.is_dir() else FileNotFoundError())
    from amlkit import specs

    return dict(specs.load(file, kind="conda").document)


def _document(file: Path | None, overrides: Sequence[str]) -> dict[str, Any]:
    if file is None:
        if overrides:
            raise UsageError("--set changes a file, and there is none", hint="add -f FILE")
        return {}
    from amlkit import specs

    loaded = specs.load(file, kind="environment", overrides=overrides)
    document = dict(loaded.document)
    if isinstance(document.get("conda_file"), str):
        document["conda_file"] = read_conda(loaded.resolve_path(document["conda_file"]))
    return document
