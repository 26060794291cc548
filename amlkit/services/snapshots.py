"""What a job uploads of its code: what `amlkit job snapshot ls|diff|why` mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit.errors import AmlkitError, NotFound, UsageError
from amlkit.file_records import FileChange, SnapshotFile, SnapshotReason
from amlkit.light import dataclass
from amlkit.services import selection
from amlkit.snapshots import files, plan
from amlkit.workspace import Workspace

if TYPE_CHECKING:
    from amlkit.specs import Loaded

_ELSEWHERE = ("azureml:", "git+", "http://", "https://", "/subscriptions/")


@dataclass(frozen=True)
class Code:
    """A code folder (or file) on this machine, and what is included beside it."""

    folder: Path
    includes: tuple[Path, ...] = ()


def codes(source: str | Path) -> Sequence[Code]:
    """Return the code of a folder, or of a job's or component's YAML; of a pipeline, its steps'.

    Raises: NotFound, InvalidSpec. UsageError: the YAML names no code that is here.
    """
    path = Path(source)
    if path.is_dir():
        return [Code(path)]
    from amlkit import specs

    found = list(dict.fromkeys(_of(specs.load(source, lenient=True))))
    if not found:
        raise UsageError(f"`{source}` has no code that would be uploaded", hint="name a folder")
    return found


def _of(loaded: Loaded) -> Iterator[Code]:
    yield from _named(loaded.document, loaded)
    for step in (loaded.document.get("jobs") or {}).values():
        yield from _named(step, loaded)


def _named(step: Mapping[str, Any], owner: Loaded) -> Iterator[Code]:
    """Yield the code that a job, a step or a component names, itself or in a file."""
    from amlkit.services.components import in_place

    for each in (step, step.get("task") or {}):
        code = each.get("code")
        if code is not None and not str(code).startswith(_ELSEWHERE):
            includes = (
                owner.resolve_path(str(more)) for more in each.get("additional_includes") or ()
            )
            yield Code(owner.resolve_path(str(code)), tuple(includes))
    component = step.get("component") or step.get("trial")
    if component is not None and (found := in_place(component, owner)) is not None:
        yield from _of(found)


def listed(source: str | Path, *, ignored: bool = False) -> Sequence[SnapshotFile]:
    """Return the files that would be uploaded. ignored: also what a rule leaves out.

    Raises: NotFound, InvalidSpec, UsageError: as `codes`. AmlkitError: a link leads out.
    """
    found = []
    for code in codes(source):
        planned = plan.plan(code.folder, code.includes)
        where = str(code.folder)
        found += [SnapshotFile(path, size, None, where) for path, size in planned.included]
        if ignored:
            out = planned.excluded
            found += [SnapshotFile(path, None, str(rule), where) for path, rule in out]
    return found


def refused(source: str | Path) -> str | None:
    """Return why a job with this code would be refused, or None."""
    for code in codes(source):
        listed_files = files.of_code(code.folder, code.includes)
        try:
            files.check(code.folder, listed_files, files.size_limit_bytes(), allow_secrets=False)
        except AmlkitError as error:
            return error.message
    return None


def check(loaded: Loaded, *, allow_secrets: bool) -> None:
    """Raises: AmlkitError: a job with this code would be refused."""
    for code in dict.fromkeys(_of(loaded)):
        there = files.of_code(code.folder, code.includes)
        files.check(code.folder, there, files.size_limit_bytes(), allow_secrets=allow_secrets)


def changed(workspace: Workspace, source: str | Path) -> tuple[Sequence[FileChange], Sequence[str]]:
    """Return what has changed since the last run from the same folder, and the run (of each code).

    Raises: NotFound: no job was run from it.
    """
    changes: list[FileChange] = []
    jobs = []
    for code in codes(source):
        then = workspace.code_since(code.folder, code.includes)
        changes += selection.changes(then.before, then.after)
        jobs.append(then.job)
    return changes, list(dict.fromkeys(jobs))


def why(source: str | Path, file: str | Path) -> SnapshotReason:
    """Return whether a file of a code folder would be uploaded, and the rule that decides.

    file: relative to the code folder, or to here.
    Raises: NotFound: no such file in the code folder.
    """
    known = codes(source)
    for code in known:
        if (inside := _inside(code, Path(file))) is None:
            continue
        top, relative, prefix = inside
        included, path, rule = plan.decided_by(top, relative)
        shown = str(rule) if rule is not None else None
        name, where = (f"{prefix}{each}" for each in (relative, path))
        return SnapshotReason(name, included, shown, where, str(code.folder))
    folders = ", ".join(f"`{code.folder}`" for code in known)
    raise NotFound(f"`{file}` is not in {folders}", hint="name a file below the code folder")


def _inside(code: Code, file: Path) -> tuple[Path, str, str] | None:
    """Return the top folder, the path below it, and what stands before that in the snapshot."""
    tops = [(code.folder, "")] + [(each, f"{each.name}/") for each in code.includes]
    for top, prefix in tops:
        if top.is_file():
            if file.absolute() == top.absolute() or file == Path(top.name):
                return top.parent, top.name, ""
            continue
        places = [file.absolute(), (top / file).absolute()]
        if prefix and file.parts[0] == top.name:
            places.append((top.parent / file).absolute())
        for place in places:
            if place.is_relative_to(top.absolute()) and (place.exists() or place.is_symlink()):
                return top, place.relative_to(top.absolute()).as_posix(), prefix
    return None
