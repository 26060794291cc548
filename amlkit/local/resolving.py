"""From a validated spec to a plan: references found, content stored, defaults filled in.

Everything that can be wrong before a job starts is found here: a missing asset, file or
environment, and what this machine cannot do.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit import references
from amlkit.errors import AmlkitError, NotFound, NotSupported, UsageError
from amlkit.light import replace
from amlkit.local import recipes, snapshot
from amlkit.local.assets import referenced
from amlkit.local.declared_outputs import STORAGE, DeclaredOutputs
from amlkit.local.folder import DEFAULT_DATASTORE
from amlkit.local.plans import CommandPlan, InputPlan, OutputPlan, SweepPlan
from amlkit.local.recipes import Recipe
from amlkit.local.storage import places
from amlkit.records import JSON, AssetKind
from amlkit.snapshots.files import size_limit_bytes
from amlkit.workspace import Submission

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace
    from amlkit.specs import Loaded

_REMOTE = ("http://", "https://", "wasbs://", "abfss://", "adl://", "hdfs://", "s3://", "gs://")


class Resolver:
    """Resolves one submission. dry: look everything up, store nothing."""

    def __init__(self, workspace: LocalWorkspace, submission: Submission, *, dry: bool = False):
        self._workspace = workspace
        self._submission = submission
        self.loaded: Loaded = submission.spec
        self._dry = dry
        self.default_datastore = DEFAULT_DATASTORE
        self._codes: dict[tuple[Path, ...], str | None] = {}
        self._outputs = DeclaredOutputs(workspace)
        self.notes = self._outputs.notes
        self.links: list[tuple[str, Any]] = []

    def of(self, loaded: Loaded) -> Resolver:
        """Return a resolver for another file of the same submission: a component's own."""
        other = Resolver(self._workspace, replace(self._submission, spec=loaded), dry=self._dry)
        other.notes, other._codes, other._outputs = self.notes, self._codes, self._outputs
        other.default_datastore = self.default_datastore
        return other

    def command(self, content: Mapping[str, Any]) -> CommandPlan:
        """Return the plan of a command job.

        Raises: NotFound: a file, asset or environment. NotSupported: not on this machine.
        """
        return replace(
            self.task(content, str(content["command"])),
            inputs=self.inputs(content.get("inputs") or {}),
            outputs=self.outputs(content.get("outputs") or {}),
        )

    def task(self, content: Mapping[str, Any], command: str) -> CommandPlan:
        """Return the plan of a command without its inputs and outputs.

        content: where code, environment and limits stand: a job, a component, a parallel task.
        """
        variables = content.get("environment_variables") or {}
        return CommandPlan(
            command=command,
            environment=self.environment(content.get("environment")),
            code=self.code(content.get("code"), content.get("additional_includes") or ()),
            code_folder=self._code_folder(content.get("code")),
            environment_variables={key: str(value) for key, value in variables.items()},
            timeout_seconds=_seconds((content.get("limits") or {}).get("timeout")),
            instance_count=int((content.get("resources") or {}).get("instance_count") or 1),
            distribution=dict(content.get("distribution") or {}),
        )

    def sweep(self, content: Mapping[str, Any], values: Mapping[str, Any]) -> SweepPlan:
        """Return the plan of a sweep job. values: the same, as its model reads it."""
        trial = replace(
            self.task(content["trial"], str(content["trial"]["command"])),
            inputs=self.inputs(content.get("inputs") or {}),
            outputs=self.outputs(content.get("outputs") or {}),
        )
        return self.sweep_of(values, trial)

    def sweep_of(self, values: Mapping[str, Any], trial: CommandPlan) -> SweepPlan:
        """Return the plan of a sweep over a trial that is planned already."""
        from amlkit.local.sampling import check_installed

        algorithm = values.get("sampling_algorithm") or "random"
        if not isinstance(algorithm, Mapping):
            algorithm = {"type": str(algorithm)}
        check_installed(str(algorithm["type"]).lower())
        limits = values["limits"]
        total = int(limits["max_total_trials"])
        seed = algorithm.get("seed")
        return SweepPlan(
            trial=trial,
            search_space=dict(values["search_space"]),
            sampling_algorithm=dict(algorithm),
            goal=str(values["objective"]["goal"]).lower(),
            primary_metric=str(values["objective"]["primary_metric"]),
            max_total_trials=total,
            max_concurrent_trials=min(int(limits.get("max_concurrent_trials") or total), total),
            seed=int(str(seed)) if seed is not None else random.SystemRandom().randrange(2**31),
            early_termination=values.get("early_termination") or None,
            timeout_seconds=_seconds(limits.get("timeout")),
            trial_timeout_seconds=_seconds(limits.get("trial_timeout")),
        )

    # Code and environment.

    def code(self, code: str | None, includes: Sequence[str] = ()) -> str | None:
        """Return the digest of a code folder's snapshot; None without code, and in a dry run.

        includes: `additional_includes`, placed beside the code under their own names.
        """
        if code is None:
            return None
        text = str(code)
        if text.startswith("azureml:"):
            from amlkit.references import split

            asset = self._workspace.assets.get(AssetKind.CODE, *split(text))
            return asset.digest
        if text.startswith(("git+", *_REMOTE)):
            raise NotSupported(f"code `{text}` is remote", hint="clone it and name the folder")
        folder = self.loaded.resolve_path(text)
        if not folder.exists():
            raise self._missing("code", folder)
        if self._dry:
            return None
        tops = (folder, *(self.loaded.resolve_path(each) for each in includes))
        if tops not in self._codes:
            self._codes[tops] = self._snapshot(*tops)
        return self._codes[tops]

    def _code_folder(self, code: str | None) -> str | None:
        if code is None or str(code).startswith(("azureml:", "git+", *_REMOTE)):
            return None
        return str(self.loaded.resolve_path(str(code)).resolve())

    def _snapshot(self, folder: Path, *includes: Path) -> str:
        tree = snapshot.take(
            self._workspace.content,
            folder,
            includes=includes,
            size_limit_bytes=size_limit_bytes(),
            allow_secrets=self._submission.allow_secrets,
        )
        return tree.digest

    def _missing(self, what: str, path: Path) -> NotFound:
        file = self.loaded.path or "stdin"
        return NotFound(
            f"{file}: {what} `{path}` does not exist",
            hint="paths are relative to the folder of the YAML file",
        )

    def environment(self, environment: Any) -> Recipe:
        """Return what to install for an `environment:` of any form."""
        submission = self._submission
        if submission.current_python:
            import sys

            return Recipe("current python", interpreter=sys.executable)
        if submission.environment is not None:
            return self._registered(submission.environment)
        if environment is None:
            raise UsageError(
                "the job names no environment", hint="add `environment:`, or --current-python"
            )
        if isinstance(environment, str):
            return self._named(environment)
        spec = _plain(environment)
        conda = spec.get("conda_file")
        if isinstance(conda, str):
            spec["conda_file"] = self._conda_file(conda)
        recipe = recipes.from_environment(str(spec.get("name") or "inline"), spec)
        self.notes += recipe.notes
        return recipe

    def _named(self, text: str) -> Recipe:
        if text.startswith("azureml://registries/"):
            name = text.split("/environments/", 1)[-1].split("/", 1)[0].split("@", 1)[0]
            recipe = recipes.from_registry(name)
            self.notes += recipe.notes
            return recipe
        if text.startswith("file:"):
            return self._environment_file(text.removeprefix("file:"))
        return self._registered(text)

    def _registered(self, text: str) -> Recipe:
        from amlkit.references import split

        name, version = split(text)
        try:
            asset = self._workspace.assets.get(AssetKind.ENVIRONMENT, name, version)
        except NotFound:
            # Curated environments need no registration: `azureml:AzureML-sklearn-1.5@latest`.
            try:
                return recipes.from_registry(name)
            except NotSupported:
                pass
            raise
        recipe = recipes.from_environment(asset.reference, asset.spec)
        self.notes += recipe.notes
        return recipe

    def _environment_file(self, text: str) -> Recipe:
        from amlkit import specs

        path = self.loaded.resolve_path(text)
        loaded = specs.load(path, kind="environment", again=True)
        spec = dict(loaded.document)
        if isinstance(spec.get("conda_file"), str):
            spec["conda_file"] = specs.load(
                loaded.resolve_path(spec["conda_file"]), kind="conda", again=True
            ).document
        return recipes.from_environment(str(spec.get("name") or path.stem), spec)

    def _conda_file(self, text: str) -> dict[str, Any]:
        from amlkit import specs

        path = self.loaded.resolve_path(text)
        if not path.exists():
            raise self._missing("conda_file", path)
        document: dict[str, Any] = specs.load(path, kind="conda", again=True).document
        return document

    # Inputs and outputs.

    def inputs(self, inputs: Mapping[str, Any]) -> dict[str, InputPlan]:
        """Return the plan of every input."""
        return {
            references.check_port(name, "input"): self.input(name, value)
            for name, value in inputs.items()
        }

    def input(self, name: str, value: Any) -> InputPlan:
        """Return the plan of one input: a literal, or data that is there."""
        if value is None or isinstance(value, str | int | float | bool):
            if isinstance(value, str) and value.startswith(("azureml:", "azureml://")):
                return self.data(name, value, "uri_folder", "ro_mount")
            return InputPlan("literal", value=value)
        plain = _plain(value)
        if plain.get("path") is None:
            return InputPlan("literal", value=plain.get("value", plain.get("default")))
        kind = str(plain.get("type") or "uri_folder").lower()
        mode = str(plain.get("mode") or "ro_mount").lower()
        return self.data(name, str(plain["path"]), kind, mode)

    def data(self, name: str, path: str, kind: str, mode: str) -> InputPlan:
        """Return the plan of an input that is data, wherever it is. Raises: NotFound."""
        if path.startswith(places.SCHEMES):
            return self._remote(name, path, kind, mode)
        if path.startswith("azureml://jobs/"):
            place = self._job_output(name, path)
            if isinstance(place, str):
                return self._remote(name, place, kind, mode)
            return self._local(place, kind, mode)
        if path.startswith("azureml://"):
            raise NotSupported(
                f"input `{name}`: `{path}` is in another workspace or registry",
                hint="download it and register it here with `amlkit data create`",
            )
        if path.startswith("azureml:"):
            return self._asset(name, path, kind, mode)
        if path.startswith(_REMOTE):
            if mode != "direct":
                raise NotSupported(
                    f"input `{name}`: `{path}` is not on this machine",
                    hint="download it and give the local path, or use `mode: direct`",
                )
            return InputPlan(kind, mode, uri=path)
        place = self.loaded.resolve_path(path)
        if not place.exists():
            raise self._missing(f"input `{name}`", place)
        return self._local(place, kind, mode)

    def _job_output(self, name: str, path: str) -> Path | str:
        """Return the place of `azureml://jobs/JOB/outputs/OUTPUT/paths/PATH`.

        An address where the job wrote to storage by itself. Raises: NotFound.
        """
        from amlkit.specs import references

        try:
            found = references.parse(path)
        except references.BadReference as bad:
            raise UsageError(f"input `{name}`: {bad}", hint=bad.hint) from None
        outputs = self._workspace.jobs.outputs(found.name)
        if found.output is None or found.output not in outputs:
            known = ", ".join(f"`{each}`" for each in outputs)
            raise NotFound(
                f"input `{name}`: job `{found.name}` has no output `{found.output}`",
                hint=f"it has {known}" if known else None,
            )
        if outputs[found.output].startswith(STORAGE):
            return f"{outputs[found.output].rstrip('/')}/{found.path or ''}".rstrip("/")
        root = Path(outputs[found.output])
        place = (root / (found.path or "")).resolve()
        if not place.is_relative_to(root.resolve()) or not place.exists():
            raise NotFound(f"input `{name}`: `{path}` does not exist")
        return place

    def _asset(self, name: str, path: str, kind: str, mode: str) -> InputPlan:
        from amlkit.references import split

        wanted = AssetKind.MODEL if kind.endswith("model") else AssetKind.DATA
        asset = self._workspace.assets.get(wanted, *split(path))
        self.links.append((name, asset))
        if referenced(asset) is not None:
            return InputPlan(
                kind,
                mode,
                uri=str(asset.spec["path"]),
                asset=f"{wanted}:{asset.reference}",
                pinned=asset.digest,
            )
        uri = None if asset.digest is not None else str(asset.spec.get("path") or "")
        if uri is not None and uri.startswith(places.SCHEMES):
            return replace(
                self._remote(name, uri, asset.type or kind, mode),
                type=kind,
                asset=f"{wanted}:{asset.reference}",
            )
        if uri is not None and uri.startswith("file://"):
            return self._local(Path(uri.removeprefix("file://")), kind, mode)
        return InputPlan(
            kind, mode, digest=asset.digest, uri=uri, asset=f"{wanted}:{asset.reference}"
        )

    def _remote(self, name: str, uri: str, kind: str, mode: str) -> InputPlan:
        """Return the plan of data that is elsewhere: brought here, or with `direct` its address."""
        try:
            if not self._submission.allow_secrets:
                references.check_address(uri)
            if mode == "direct" and not uri.startswith("azureml:"):
                return InputPlan(kind, mode, uri=uri)
            if kind == "mltable" and not uri.startswith("http"):
                self._workspace.remote.check(uri, kind)
                if not self._workspace.remote.has(f"{uri.rstrip('/')}/MLTable"):
                    raise _no_table(uri)
            if self._dry:
                self._workspace.remote.check(uri, kind)
                return InputPlan(kind, mode, uri=uri)
            digest = self._workspace.remote.fetch(uri, kind, self._submission.progress)
            return InputPlan(kind, mode, digest=digest)
        except AmlkitError as error:
            raise error.about(f"input `{name}`") from None

    def _local(self, place: Path, kind: str, mode: str) -> InputPlan:
        if kind == "mltable" and not (place / "MLTable").is_file():
            raise _no_table(str(place))
        if self._dry:
            return InputPlan(kind, mode, uri=place.as_uri())
        return InputPlan(kind, mode, digest=self._workspace.content.add(place).digest)

    def outputs(self, outputs: Mapping[str, Any]) -> dict[str, OutputPlan]:
        """Return the plan of every output. Raises: NotFound, NotLoggedIn: its storage."""
        return self._outputs.plan(
            {name: _plain(value) for name, value in outputs.items()},
            default_datastore=self.default_datastore,
            resolve_path=self.loaded.resolve_path,
        )


def _no_table(place: str) -> UsageError:
    return UsageError(
        f"`{place}` has no MLTable file",
        hint="a folder of type mltable has a file of that name that says how to read it",
    )


def _plain(value: Any) -> dict[str, JSON]:
    if value is None:
        return {}
    if hasattr(value, "model_dump"):
        found: dict[str, JSON] = value.model_dump(exclude_none=True, mode="json")
        return found
    return dict(value) if isinstance(value, Mapping) else {}


def _seconds(value: Any) -> float | None:
    return float(value) if value not in (None, "") and float(value) > 0 else None
