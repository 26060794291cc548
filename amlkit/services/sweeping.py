"""Sweeps from command jobs and options: what `amlkit job sweep` makes of its flags, as YAML."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlkit.errors import Conflict, UsageError, did_you_mean
from amlkit.light import dataclass, field, replace

GOALS = ("maximize", "minimize")
SAMPLING = ("random", "sobol", "grid", "bayesian")
_OF_TRIAL = ("code", "environment", "environment_variables", "distribution", "resources")
_ELSEWHERE = ("azureml:", "http://", "https://", "git+", "wasbs://", "abfss://", "${{")


@dataclass(frozen=True)
class Flags:
    """What the command line says about a sweep; None where it says nothing.

    parameters: distributions in shorthand, as `{"lr": "loguniform(-6,-1)"}`.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    metric: str | None = None
    goal: str | None = None
    sampling: str | None = None
    max_trials: int | None = None
    concurrency: int | None = None
    early_stop: str | None = None
    seed: int | None = None


def sweep_of(command: Mapping[str, Any], flags: Flags, file: object) -> dict[str, Any]:
    """Return the sweep over a command job; `${{inputs.x}}` of a searched `x` is bound to it.

    file: what the job was read from, for the message. Raises: UsageError.
    """
    if not flags.parameters or flags.metric is None:
        raise UsageError(
            f"`{file}` is a command job: a sweep of it needs a search space and a metric",
            hint="add --param 'lr=loguniform(-6,-1)' --metric accuracy",
        )
    space = _space(flags.parameters)
    variables = {
        name: _bound(str(value), space)
        for name, value in (command.get("environment_variables") or {}).items()
    }
    text = _bound(str(command.get("command", "")), space)
    said = " ".join([text, *variables.values()])
    unused = [name for name in space if f"${{{{search_space.{name}}}}}" not in said]
    if unused:
        raise UsageError(
            f"--param `{unused[0]}` is not used by the command",
            hint=f"write ${{{{search_space.{unused[0]}}}}} where its value belongs",
        )
    trial = {"command": text, **{key: command[key] for key in _OF_TRIAL if key in command}}
    if variables:
        trial["environment_variables"] = variables
    kept = {"type", "command", "$schema", "inputs", "limits", *_OF_TRIAL}
    sweep: dict[str, Any] = {
        "type": "sweep",
        **{key: value for key, value in command.items() if key not in kept},
        "trial": trial,
        "search_space": space,
        "objective": {"goal": "maximize", "primary_metric": flags.metric},
        "limits": {"max_total_trials": 20, "max_concurrent_trials": 2},
    }
    inputs = {k: v for k, v in (command.get("inputs") or {}).items() if k not in space}
    if inputs:
        sweep["inputs"] = inputs
    if (timeout := (command.get("limits") or {}).get("timeout")) is not None:
        sweep["limits"]["trial_timeout"] = timeout
    return adjusted(sweep, replace(flags, parameters={}, metric=None))


def _space(parameters: Mapping[str, str]) -> dict[str, Any]:
    from amlkit.specs.shorthand import parse_distribution

    return {name: parse_distribution(text) for name, text in parameters.items()}


def _bound(text: str, space: Mapping[str, Any]) -> str:
    """Return a text whose bindings to searched inputs and to the search space are of one form."""
    from amlkit.specs import expressions

    parts = expressions.parse(text)
    found, last = "", 0
    for part in parts:
        if isinstance(part, str):
            continue
        if (
            part.root in {"inputs", "search_space"}
            and len(part.keys) == 1
            and part.keys[0] in space
        ):
            found += f"{text[last : part.start]}${{{{search_space.{part.keys[0]}}}}}"
            last = part.end
    return found + text[last:]


def adjusted(sweep: Mapping[str, Any], flags: Flags) -> dict[str, Any]:
    """Return a sweep with what the flags say in place of what it says. Raises: UsageError."""
    document = dict(sweep)
    if flags.parameters:
        document["search_space"] = {**document.get("search_space", {}), **_space(flags.parameters)}
    if flags.goal is not None:
        _check(flags.goal, GOALS, "--goal")
    objective = {"primary_metric": flags.metric, "goal": flags.goal}
    said = {key: value for key, value in objective.items() if value is not None}
    if said:
        document["objective"] = {**(document.get("objective") or {}), **said}
    limits = dict(document.get("limits") or {})
    if flags.max_trials is not None:
        limits["max_total_trials"] = flags.max_trials
        if limits.get("max_concurrent_trials"):
            at_once = int(limits["max_concurrent_trials"])
            limits["max_concurrent_trials"] = min(flags.max_trials, at_once)
    if flags.concurrency is not None:
        limits["max_concurrent_trials"] = flags.concurrency
    document["limits"] = limits
    _sample(document, flags)
    if flags.early_stop is not None:
        from amlkit.specs.shorthand import parse_policy

        document["early_termination"] = parse_policy(flags.early_stop)
    return document


def _check(given: str, known: tuple[str, ...], option: str) -> None:
    if given.lower() not in known:
        close = did_you_mean(given.lower(), known)
        hint = f"did you mean `{close}`?" if close else f"known are {', '.join(known)}"
        raise UsageError(f"{option} `{given}` is not known", hint=hint)


def _sample(document: dict[str, Any], flags: Flags) -> None:
    if flags.sampling is not None:
        _check(flags.sampling, SAMPLING, "--sampling")
        # Azure ML has Sobol's points as a rule of random sampling; people ask for them by name.
        sobol = flags.sampling.lower() == "sobol"
        document["sampling_algorithm"] = (
            {"type": "random", "rule": "sobol"} if sobol else flags.sampling
        )
    if flags.seed is not None:
        current = document.get("sampling_algorithm") or "random"
        algorithm = dict(current) if isinstance(current, Mapping) else {"type": current}
        if str(algorithm.get("type")).lower() == "bayesian":
            raise UsageError(
                "bayesian sampling has no seed on Azure ML",
                hint="leave out --seed, or sample at random",
            )
        document["sampling_algorithm"] = {**algorithm, "seed": flags.seed}


def save(document: Mapping[str, Any], base: Path, target: Path) -> None:
    """Write a sweep's YAML; its paths, relative to `base`, mean the same from where it is saved.

    Raises: Conflict: another file has that name.
    """
    import yaml

    moved = _moved(document, base, target.absolute().parent)
    text = yaml.safe_dump(moved, sort_keys=False, allow_unicode=True)
    if target.exists():
        # The same command twice is no conflict.
        if target.read_text(encoding="utf-8", errors="replace") == text:
            return
        raise Conflict(f"`{target}` exists", hint="choose another name for --save-as")
    target.write_text(text, encoding="utf-8")


def _moved(document: Mapping[str, Any], base: Path, folder: Path) -> dict[str, Any]:
    """Return a sweep whose relative paths start in another folder."""
    found = dict(document)
    if base.absolute() == folder:
        return found

    def path(value: Any) -> Any:
        text = str(value)
        if not isinstance(value, str) or text.startswith(_ELSEWHERE) or Path(text).is_absolute():
            return value
        return Path(os.path.relpath(base / text.removeprefix("file:"), folder)).as_posix()

    trial = dict(found["trial"])
    if "code" in trial:
        trial["code"] = path(trial["code"])
    if isinstance(trial.get("environment"), Mapping):
        environment = dict(trial["environment"])
        if "conda_file" in environment:
            environment["conda_file"] = path(environment["conda_file"])
        if isinstance(environment.get("build"), Mapping):
            build = dict(environment["build"])
            environment["build"] = {**build, "path": path(build.get("path"))}
        trial["environment"] = environment
    found["trial"] = trial
    if isinstance(found.get("inputs"), Mapping):
        found["inputs"] = {
            name: {**each, "path": path(each["path"])}
            if isinstance(each, Mapping) and "path" in each
            else each
            for name, each in found["inputs"].items()
        }
    return found
