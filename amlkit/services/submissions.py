"""From a file and options to a submission: loads the spec, and turns a command into a sweep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit.errors import Conflict, UsageError
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
    goal: str = "maximize",
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
    save_as: where to write the YAML of the sweep that is made.
    Raises: UsageError, InvalidSpec, NotFound.
    """
    loaded = _load(file, overrides, lenient)
    if loaded.kind == "job.command":
        if not parameters or metric is None:
            raise UsageError(
                f"`{file}` is a command job: a sweep of it needs a search space and a metric",
                hint="add --param 'lr=loguniform(-6,-1)' --metric accuracy",
            )
        document = _sweep_of(loaded.document, parameters, metric, goal)
    elif loaded.kind == "job.sweep":
        document = dict(loaded.document)
        if parameters:
            document["search_space"] = {
                **document.get("search_space", {}),
                **_space(parameters),
            }
        if metric is not None:
            document["objective"] = {"goal": goal, "primary_metric": metric}
    else:
        raise UsageError(
            f"`{file}` is a {loaded.kind.removeprefix('job.')} job; it cannot be swept",
            hint="give a sweep or a command job",
        )
    _limit(document, sampling, max_trials, concurrency, early_stop, seed)
    if document != loaded.document:
        loaded = _again(loaded, document, lenient)
    if save_as is not None:
        _save(document, save_as)
    return _submission(loaded, name, experiment, tags, environment, current_python, allow_secrets)


def _load(file: str | Path, overrides: Sequence[str], lenient: bool) -> Loaded:
    from amlkit import specs

    return specs.load(file, kind="job", overrides=overrides, lenient=lenient, again=True)


def _again(loaded: Loaded, document: Mapping[str, Any], lenient: bool) -> Loaded:
    """Return the changed document, checked like any file, with the paths of the first."""
    from amlkit import specs

    text = json.dumps(document, ensure_ascii=False)
    checked = specs.load(loaded.path or "-", kind="job.sweep", lenient=lenient, text=text)
    return replace(checked, path=loaded.path, base=loaded.base)


def _sweep_of(
    command: Mapping[str, Any], parameters: Mapping[str, str], metric: str, goal: str
) -> dict[str, Any]:
    """Return the sweep over a command job; `${{inputs.x}}` of a searched `x` is bound to it."""
    space = _space(parameters)
    text = str(command.get("command", ""))
    for name in space:
        text = text.replace(f"${{{{inputs.{name}}}}}", f"${{{{search_space.{name}}}}}")
    unused = [name for name in space if f"search_space.{name}" not in text]
    if unused:
        raise UsageError(
            f"--param `{unused[0]}` is not used by the command",
            hint=f"write ${{{{search_space.{unused[0]}}}}} where its value belongs",
        )
    moved = {"code", "environment", "environment_variables", "distribution", "resources"}
    trial = {"command": text, **{key: value for key, value in command.items() if key in moved}}
    kept = {"type", "command", "$schema", "inputs", "limits", *moved}
    inputs = {k: v for k, v in (command.get("inputs") or {}).items() if k not in space}
    sweep: dict[str, Any] = {
        "type": "sweep",
        **{key: value for key, value in command.items() if key not in kept},
        "trial": trial,
        "search_space": space,
        "objective": {"goal": goal, "primary_metric": metric},
        "limits": {"max_total_trials": 20, "max_concurrent_trials": 2},
    }
    if inputs:
        sweep["inputs"] = inputs
    if (timeout := (command.get("limits") or {}).get("timeout")) is not None:
        sweep["limits"]["trial_timeout"] = timeout
    return sweep


def _space(parameters: Mapping[str, str]) -> dict[str, Any]:
    from amlkit.specs.shorthand import parse_distribution

    return {name: parse_distribution(text) for name, text in parameters.items()}


def _limit(
    document: dict[str, Any],
    sampling: str | None,
    max_trials: int | None,
    concurrency: int | None,
    early_stop: str | None,
    seed: int | None,
) -> None:
    limits = dict(document.get("limits") or {})
    if max_trials is not None:
        limits["max_total_trials"] = max_trials
        limits["max_concurrent_trials"] = min(
            max_trials, int(limits.get("max_concurrent_trials") or max_trials)
        )
    if concurrency is not None:
        limits["max_concurrent_trials"] = concurrency
    document["limits"] = limits
    if sampling is not None:
        document["sampling_algorithm"] = sampling
    if seed is not None:
        current = document.get("sampling_algorithm") or "random"
        algorithm = dict(current) if isinstance(current, Mapping) else {"type": current}
        document["sampling_algorithm"] = {**algorithm, "seed": seed}
    if early_stop is not None:
        from amlkit.specs.shorthand import parse_policy

        document["early_termination"] = parse_policy(early_stop)


def _save(document: Mapping[str, Any], target: Path) -> None:
    import yaml

    if target.exists():
        raise Conflict(f"`{target}` exists", hint="choose another name for --save-as")
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    target.write_text(text, encoding="utf-8")


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
