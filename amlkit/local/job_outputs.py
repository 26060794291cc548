"""What a job left: where each output is, and copies of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit import placing
from amlkit.errors import NotFound, did_you_mean
from amlkit.light import dataclass
from amlkit.local.plans import OutputPlan
from amlkit.records import Job

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace


@dataclass(frozen=True)
class Written:
    """Where an output is. uri: in Azure storage, or None; here too, unless the mode is `direct`."""

    place: Path | None
    uri: str | None = None

    @property
    def path(self) -> str:
        """The place here, or where there is none the address."""
        return str(self.place) if self.place is not None else str(self.uri)


def written(workspace: LocalWorkspace, job: Job) -> Mapping[str, Written]:
    """Return where each output is: a sweep's are its best trial's, a pipeline's its steps'."""
    if (reused := job.properties.get("reused_job_id")) is not None:
        return _of(workspace, reused)
    if job.type == "sweep":
        best = job.properties.get("best_child_run_id")
        return _of(workspace, best) if best is not None else {}
    plan = workspace.job_table.plan(job.name)
    if job.type == "pipeline":
        return _of_steps(workspace, job.name, plan)
    if not plan and job.parent is not None:
        plan = workspace.job_table.plan(job.parent)
        plan = plan.get("trial", plan)
    found = {"default": Written(workspace.folder.code(job.name) / "outputs")}
    for port, output in (plan.get("outputs") or {}).items():
        declared = OutputPlan(**output)
        place = None if declared.direct else declared.place(workspace.folder, job.name, port)
        found[port] = Written(place, declared.address(job.name))
    return found


def _of(workspace: LocalWorkspace, job: str) -> Mapping[str, Written]:
    return written(workspace, workspace.job_table.get(job))


def _of_steps(
    workspace: LocalWorkspace, name: str, plan: Mapping[str, Any]
) -> Mapping[str, Written]:
    from amlkit.local.pipelines.plans import job_of

    found: dict[str, Written] = {}
    for port, source in (plan.get("outputs") or {}).items():
        owner = plan["given"].get(source["step"]) or job_of(name, source["step"])
        found[port] = _of(workspace, owner)[source["port"]]
    return found


def download(
    job: Job, places: Mapping[str, str], output: str | None, target: Path, *, folder: Path
) -> Path:
    """Copy one output below `target`; without one: outputs, logs and artifacts of the run.

    folder: the job's own. Raises: NotFound: no such output, or it was not written.
    """
    if output is not None:
        if output not in places:
            close = did_you_mean(output, places)
            known = ", ".join(f"`{each}`" for each in places)
            hint = f"did you mean `{close}`?" if close else f"it has {known}"
            raise NotFound(f"job `{job.name}` has no output `{output}`", hint=hint)
        if "://" in places[output]:
            raise NotFound(
                f"job `{job.name}` wrote output `{output}` to `{places[output]}` by itself",
                hint="amlkit datastore download NAME PATH -p DIR",
            )
        source, part = Path(places[output]), f"named-outputs/{output}"
        if not source.exists():
            raise NotFound(f"`{source.name}` was not written by the job")
        _copy({part: source}, target)
        return target / part if source.is_dir() else target / part / source.name
    parts = {"user_logs": folder / "user_logs", "artifacts": folder / "artifacts"}
    if "default" in places:
        parts["artifacts/outputs"] = Path(places["default"])
    named = {f"named-outputs/{port}": Path(places[port]) for port in places if port != "default"}
    found = {part: place for part, place in parts.items() if place.is_dir()}
    _copy(found | {part: place for part, place in named.items() if place.exists()}, target)
    return target


def _copy(parts: Mapping[str, Path], target: Path) -> None:
    """Copy files and folders, each to its folder below `target`, where a file is whole or not."""
    with placing.scratch(target) as scratch:
        for part, source in parts.items():
            place = scratch / part
            if source.is_dir():
                shutil.copytree(
                    source,
                    place,
                    ignore=_without_content,
                    dirs_exist_ok=True,
                    copy_function=_writable_copy,
                )
            else:
                place.mkdir(parents=True)
                _writable_copy(str(source), str(place / source.name))
        placing.merge(scratch, target)


def _without_content(folder: str, names: Iterable[str]) -> set[str]:
    """Return what has nothing to copy: pipes, broken links, links to a folder around them."""
    around = Path(folder).resolve()
    left_out = set()
    for path in (Path(folder, name) for name in names):
        there = path.is_file() or path.is_dir()
        if not there or (path.is_symlink() and around.is_relative_to(path.resolve())):
            left_out.add(path.name)
    return left_out


def _writable_copy(source: str, target: str) -> str:
    """Copy a file; what was sealed in the workspace is the user's to change in the copy."""
    made = Path(shutil.copy2(source, target))
    made.chmod(made.stat().st_mode | 0o200)
    return str(made)
