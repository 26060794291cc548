"""Registered models: what `amlkit model ...` means, on every workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from amlkit import references
from amlkit.errors import AmlkitError, NotFound, UsageError
from amlkit.light import replace
from amlkit.records import Asset, AssetDraft, AssetKind
from amlkit.services import gate
from amlkit.workspace import Progress, Workspace

TYPES = ("custom_model", "mlflow_model", "triton_model")


class Models:
    """The models of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._assets = workspace.assets
        self._jobs = workspace.jobs

    def register(
        self,
        *,
        name: str,
        path: str | Path | None = None,
        job: str | None = None,
        output: str = "default",
        condition: str | None = None,
        metrics: str | Path | None = None,
        type: str | None = None,
        version: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> Asset:
        """Register a local file or folder, or an output of a job (of a sweep: its best trial).

        condition: as in `metrics.accuracy > 0.9`; the metrics of the job, or of the file `metrics`
            (JSON, numbers by name), must meet it.
        Raises: NotFound, Conflict, AmlkitError: the condition is not met; nothing is registered.
        """
        draft = self.draft(
            name=name,
            path=path,
            job=job,
            output=output,
            condition=condition,
            metrics=metrics,
            type=type,
        )
        return self._assets.create(
            replace(draft, version=version, description=description, tags=dict(tags or {})),
            progress=progress,
        )

    def draft(
        self,
        *,
        name: str,
        path: str | Path | None = None,
        job: str | None = None,
        output: str = "default",
        condition: str | None = None,
        metrics: str | Path | None = None,
        type: str | None = None,
    ) -> AssetDraft:
        """Return what `register` would register, the gate passed; change nothing."""
        references.check_name(name, "model")
        if (path is None) == (job is None):
            raise UsageError("a model comes from a path or a job", hint="give --path or --job")
        properties: dict[str, str] = {}
        if job is not None:
            source, path = self._output(job, output)
            properties["azureml.job_name"] = source
            found = self._jobs.get(source).metrics if metrics is None else gate.read(metrics)
            _check(condition, f"job `{source}`", found)
        elif metrics is not None:
            _check(condition, f"`{metrics}`", gate.read(metrics))
        elif condition is not None:
            raise UsageError("--if needs metrics", hint="give --job, or --metrics metrics.json")
        if "://" in str(path):
            kind = _known(type or "custom_model")
            spec = {"type": kind, "path": str(path)}
            return AssetDraft(AssetKind.MODEL, name, spec, properties=properties)
        place = Path(str(path))
        if not place.exists():
            raise NotFound(f"`{place}` does not exist", hint="the path is relative to here")
        guessed = "mlflow_model" if (place / "MLmodel").is_file() else "custom_model"
        kind = _known(type or guessed)
        return AssetDraft(
            AssetKind.MODEL, name, {"type": kind}, path=str(place), properties=properties
        )

    def _output(self, job: str, output: str) -> tuple[str, str]:
        found = self._jobs.get(job)
        if found.type == "sweep":
            if found.best_trial is None:
                raise NotFound(
                    f"sweep `{job}` has no best trial",
                    hint="no trial has completed and logged the primary metric",
                )
            job = str(found.best_trial["name"])
        places = self._jobs.outputs(job)
        if output not in places:
            known = ", ".join(f"`{each}`" for each in places)
            raise NotFound(f"job `{job}` has no output `{output}`", hint=f"it has {known}")
        return job, places[output]

    def list(self, name: str | None = None, *, archived: bool = False) -> Sequence[Asset]:
        """Return every version of a name, or the latest of every name."""
        return self._assets.list(AssetKind.MODEL, name, archived=archived)

    def show(self, reference: str) -> Asset:
        """Return one version. Raises: NotFound."""
        return self._assets.get(AssetKind.MODEL, *references.split(reference))

    def download(self, reference: str, target: Path, *, progress: Progress | None = None) -> Path:
        """Write the files below `target` and return where they are."""
        return self._assets.download(self.show(reference), target, progress=progress)

    def archive(
        self, reference: str, *, archived: bool = True, dry_run: bool = False
    ) -> Sequence[Asset]:
        """Hide `NAME:VERSION`, `NAME@latest` or every version of `NAME`, or show them again.

        dry_run: return what would be changed, and change nothing.
        Raises: NotFound.
        """
        from amlkit.services.archiving import archive

        return archive(self._assets, AssetKind.MODEL, reference, archived=archived, dry_run=dry_run)


def _known(kind: str) -> str:
    if kind not in TYPES:
        raise UsageError(f"`{kind}` is not a type of model", hint=f"use {', '.join(TYPES)}")
    return kind


def _check(condition: str | None, source: str, metrics: Mapping[str, float]) -> None:
    if condition is not None and not gate.passes(condition, metrics, source):
        known = ", ".join(f"{name}={value:g}" for name, value in sorted(metrics.items()))
        raise AmlkitError(
            f"{source} does not meet `{condition}`: nothing was registered", hint=f"it has {known}"
        )
