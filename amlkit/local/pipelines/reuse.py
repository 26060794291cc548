"""Step reuse: when an earlier run of a step stands for a new one, and why it does not.

A step is the same when everything it runs on is the same: command, code, environment, variables,
inputs and declared outputs. What another step made counts as the run that made it, as on Azure
ML: a step that was run again makes what follows it run again. An earlier run only stands when its
outputs are as it left them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from amlkit.light import asdict, dataclass
from amlkit.local.pipelines.plans import StepPlan, Work
from amlkit.local.plans import CommandPlan, InputPlan, SweepPlan
from amlkit.records import JSON


@dataclass(frozen=True)
class Made:
    """An output of a job that has run: whose it is, and where. job: who made it first.

    path: on this machine, or where the job wrote to storage by itself its address.
    """

    job: str
    port: str
    path: str


def parts(step: StepPlan, work: Work, made: Mapping[str, Made]) -> dict[str, JSON]:
    """Return all that decides what a step does, by name. made: its bound inputs."""
    trial = work.trial if isinstance(work, SweepPlan) else work
    found: dict[str, JSON] = {
        "type": step.type,
        "command": trial.command,
        "code": trial.code,
        "environment": _environment(trial),
        "environment_variables": dict(trial.environment_variables),
        "distribution": {**trial.distribution, "instance_count": trial.instance_count},
        "outputs": {
            port: {"type": each.type, "mode": each.mode, "path": each.path, "name": each.name}
            | ({"uri": each.uri} if each.uri is not None else {})
            for port, each in trial.outputs.items()
        },
        "inputs": {port: _input(each, made.get(port)) for port, each in trial.inputs.items()},
    }
    if isinstance(work, SweepPlan):
        kept = ("search_space", "sampling_algorithm", "goal", "primary_metric", "max_total_trials")
        plain = asdict(work)
        found |= {key: plain[key] for key in (*kept, "early_termination")}
    return found


def _environment(plan: CommandPlan) -> dict[str, JSON]:
    recipe = plan.environment
    return {
        "python": recipe.python,
        "requirements": sorted(recipe.requirements),
        "interpreter": recipe.interpreter,
    }


def _input(plan: InputPlan, made: Made | None) -> dict[str, JSON]:
    if made is not None:
        return {"job": made.job, "output": made.port, "mode": plan.mode}
    if plan.digest is not None:
        return {"content": plan.digest, "mode": plan.mode}
    if plan.pinned is not None:
        return {"content": plan.pinned, "mode": plan.mode}
    if plan.uri is not None:
        return {"uri": plan.uri, "mode": plan.mode}
    return {"value": plan.value}


def key(parts_: Mapping[str, JSON]) -> str:
    """Return the content key of a step's parts."""
    text = json.dumps(parts_, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def fingerprint(place: Path) -> str | None:
    """Return a hash of what an output looks like: paths, sizes, times. None: it is not there."""
    try:
        lines = sorted(_seen(place))
    except FileNotFoundError:
        return None
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _seen(place: Path) -> Iterator[str]:
    if not place.is_dir():
        stat = place.stat()
        yield f"{place.name}\t{stat.st_size}\t{stat.st_mtime_ns}"
        return
    todo = [(str(place), "")]
    while todo:
        folder, prefix = todo.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                name = f"{prefix}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    todo.append((entry.path, f"{name}/"))
                    yield f"{name}/"
                    continue
                stat = entry.stat(follow_symlinks=False)
                yield f"{name}\t{stat.st_size}\t{stat.st_mtime_ns}"


def seal(place: Path) -> None:
    """Make the files of a finished output read-only: later steps share them."""
    files = [place] if place.is_file() else [each for each in place.rglob("*") if each.is_file()]
    for each in files:
        if not each.is_symlink():
            each.chmod(each.stat().st_mode & ~0o222)
