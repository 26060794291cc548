"""From a file and options to a submission: loads the spec, and turns a command into a sweep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit.errors import InvalidSpec, Problem, UsageError
from amlkit.light import dataclass, replace
from amlkit.services import sweeping
from amlkit.workspace import Submission

if TYPE_CHECKING:
    from amlkit.specs import Loaded


def prepare(
    file: str | Path,
    *,
    overrides: Sequence[str] = (),
    lenient: bool = False,
    name: str | None = None,
    experiment: str | None = None,
    tags: Mapping[str, str] | None = None,
    environment: str | None = None,
    current_python: bool = False,
    allow_secrets: bool = False,
    only: Sequence[str] = (),
    from_step: str | None = None,
    reuse_from: str | None = None,
    force_rerun: bool = False,
) -> Submission:
    """Return a submission of the job in a YAML file (`-` is stdin).

    only, from_step: of a pipeline, run these steps, or this one and what follows it.
    reuse_from: the earlier run whose outputs the others' are; default: the newest that has them.
    force_rerun: of a pipeline, let no earlier run stand for a step.
    Raises: InvalidSpec, NotFound. UsageError: the four are for pipelines.
    """
    loaded = _load(file, overrides, lenient)
    chosen = Selection(tuple(only), from_step, reuse_from, force_rerun)
    chosen.check(loaded.kind)
    submission = _submission(
        loaded, name, experiment, tags, environment, current_python, allow_secrets
    )
    return replace(
        submission,
        only=chosen.only,
        from_step=from_step,
        reuse_from=reuse_from,
        force_rerun=force_rerun,
    )


@dataclass(frozen=True)
class Selection:
    """Which steps of a pipeline to run, on what."""

    only: tuple[str, ...] = ()
    from_step: str | None = None
    reuse_from: str | None = None
    force_rerun: bool = False

    def check(self, kind: str) -> None:
        """Raises: UsageError: it is for another kind of job, or contradicts itself."""
        if self != Selection() and kind != "job.pipeline":
            raise UsageError(
                "--only, --from, --reuse-from and --force-rerun are for pipelines",
                hint=f"this is a {kind.removeprefix('job.')} job: leave them out",
            )
        if self.only and self.from_step is not None:
            raise UsageError("--only and --from exclude each other", hint="give one of them")
        if self.reuse_from is not None and not (self.only or self.from_step is not None):
            raise UsageError("--reuse-from needs --only or --from", hint="name the steps to run")


def prepare_sweep(
    file: str | Path,
    *,
    parameters: Mapping[str, str] | None = None,
    metric: str | None = None,
    goal: str | None = None,
    sampling: str | None = None,
    max_trials: int | None = None,
    concurrency: int | None = None,
    early_stop: str | None = None,
    seed: int | None = None,
    save_as: Path | None = None,
    overrides: Sequence[str] = (),
    lenient: bool = False,
    name: str | None = None,
    experiment: str | None = None,
    tags: Mapping[str, str] | None = None,
    environment: str | None = None,
    current_python: bool = False,
    allow_secrets: bool = False,
) -> Submission:
    """Return a submission of a sweep: the file's own, or a command job with a search space.

    parameters: distributions in shorthand, as `{"lr": "loguniform(-6,-1)"}`.
    goal: `maximize` or `minimize`; the file's own, or maximize, when None.
    sampling: `random`, `grid`, `bayesian`, or `sobol` for random sampling by that rule.
    save_as: where to write the YAML of the sweep that is made.
    Raises: UsageError, InvalidSpec, NotFound.
    """
    flags = sweeping.Flags(
        parameters or {}, metric, goal, sampling, max_trials, concurrency, early_stop, seed
    )
    loaded = _load(file, overrides, lenient)
    if loaded.kind == "job.command":
        document = sweeping.sweep_of(loaded.document, flags, file)
    elif loaded.kind == "job.sweep":
        document = sweeping.adjusted(loaded.document, flags)
    else:
        raise UsageError(
            f"`{file}` is a {loaded.kind.removeprefix('job.')} job; it cannot be swept",
            hint="give a sweep or a command job",
        )
    if document != loaded.document:
        loaded = _again(loaded, document, lenient)
    if save_as is not None:
        sweeping.save(document, loaded.base, save_as)
    return _submission(loaded, name, experiment, tags, environment, current_python, allow_secrets)


def _load(file: str | Path, overrides: Sequence[str], lenient: bool) -> Loaded:
    from amlkit import specs

    return specs.load(file, kind="job", overrides=overrides, lenient=lenient, again=True)


def _again(loaded: Loaded, document: Mapping[str, Any], lenient: bool) -> Loaded:
    """Return the changed document, checked like any file, with the paths of the first.

    Raises: InvalidSpec: without lines and columns, which the document as it is now has not.
    """
    from amlkit import specs

    def placed(problems: Sequence[Problem]) -> list[Problem]:
        return [replace(each, line=0, column=0) for each in problems]

    text = json.dumps(document, ensure_ascii=False)
    try:
        checked = specs.load(loaded.path or "-", kind="job.sweep", lenient=lenient, text=text)
    except InvalidSpec as error:
        raise InvalidSpec(placed(error.problems)) from None
    warnings = tuple(placed(checked.warnings))
    return replace(checked, path=loaded.path, base=loaded.base, warnings=warnings)


def _submission(
    loaded: Loaded,
    name: str | None,
    experiment: str | None,
    tags: Mapping[str, str] | None,
    environment: str | None,
    current_python: bool,
    allow_secrets: bool,
) -> Submission:
    return Submission(
        loaded,
        name=name,
        experiment=experiment,
        tags=dict(tags or {}),
        environment=environment,
        current_python=current_python,
        allow_secrets=allow_secrets,
    )


def meaningless_here(document: Mapping[str, Any]) -> list[str]:
    """Return what a job says about Azure ML's machines, as `compute gpu-cluster`."""
    found = []
    compute = str(document.get("compute") or "local").removeprefix("azureml:")
    if compute != "local":
        found.append(f"compute {compute}")
    if document.get("queue_settings"):
        found.append("queue_settings")
    return found
