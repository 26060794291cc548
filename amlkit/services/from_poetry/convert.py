"""The verb: from a project's `pyproject.toml` to the conda file of an Azure ML environment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from amlkit.errors import InvalidSpec, NotSupported, Problem, UsageError
from amlkit.services.from_poetry import conda, inlining
from amlkit.services.from_poetry.imports import import_names
from amlkit.services.from_poetry.lines import Lines, from_lock, from_ranges
from amlkit.services.from_poetry.locks import Lock, find_locks, reading
from amlkit.services.from_poetry.markers import Target
from amlkit.services.from_poetry.project import Project, read_project
from amlkit.services.from_poetry.records import CondaFile, Index, Mode, Note
from amlkit.services.from_poetry.selection import (
    Chosen,
    choose,
    choose_target,
    merged,
    python_pin,
)

Engine = Literal["amlkit", "poetry2conda"]


def convert(
    pyproject: Path = Path("pyproject.toml"),
    *,
    groups: Sequence[str] = (),
    extras: Sequence[str] = (),
    python: str | None = None,
    mode: Mode = "auto",
    name: str | None = None,
    conda: bool = False,
    hashes: bool = False,
    inline_path_deps: bool = False,
    engine: Engine = "amlkit",
) -> CondaFile:
    """Return the conda file for a project: its main dependencies, and the groups and extras named.

    pyproject: the file, or its folder. python: `3.11`; without it, 3.11 where the project allows
    it, else the nearest that it does. mode: `locked` takes exact pins from a fresh lock, `ranges`
    what the project declares, `auto` the lock when it is fresh. conda: install what conda-forge
    has with conda. inline_path_deps: put the dependencies of local packages in their place.

    Raises: NotFound: no such file. UsageError: an unknown group, extra or Python; no lock for
    `locked`. InvalidSpec: the file breaks TOML or a rule of its format, the lock is stale, or a
    dependency cannot go to Azure. NotSupported: what was asked has no equivalent.
    """
    if engine == "poetry2conda":
        from amlkit.services.from_poetry.compatibility import convert as unchanged

        _refuse_options(
            name=name,
            python=python,
            conda=conda,
            hashes=hashes,
            mode=mode == "locked",
            inline_path_deps=inline_path_deps,
        )
        return unchanged(pyproject, groups=groups, extras=extras)
    project = read_project(pyproject)
    target = choose_target(project, python, groups, extras)
    chosen, notes = choose(project, target)
    lock, lock_notes = _lock(project, mode, hashes=hashes)
    if lock is not None:
        with reading(lock.path):
            locked = lock.closure(chosen, target)
        declared = frozenset(each.declared.name for each in chosen)
        lines = from_lock(
            project, locked, declared, conda=conda, hashes=hashes, inline=inline_path_deps
        )
        indexes = [Index("", url) for url in dict.fromkeys(e.index for e in locked if e.index)]
    else:
        _refuse_for_ranges(project, chosen, hashes=hashes)
        if inline_path_deps:
            chosen, more = inlining.inline(project, chosen, target)
            notes += more
        joined = merged(chosen)
        lines = from_ranges(project, joined, conda=conda)
        indexes = _indexes(project, joined)
        notes += project.notes
    return _conda_file(
        project,
        target,
        lines,
        indexes,
        (*lock_notes, *notes, *lines.notes),
        name=name,
        mode="ranges" if lock is None else "locked",
        python=python,
    )


def difference(expected: CondaFile, file: Path) -> str:
    """Return a unified diff from what is in `file` to what would be written, "" when the same.

    A missing file differs in every line.
    """
    from difflib import unified_diff

    written = file.read_bytes().decode("utf-8", errors="replace") if file.is_file() else ""
    if written == expected.text:
        return ""
    return "".join(
        unified_diff(
            written.splitlines(keepends=True),
            expected.text.splitlines(keepends=True),
            fromfile=str(file),
            tofile=f"{file} (from the project)",
        )
    )


def _refuse_options(**options: object) -> None:
    """Refuse the options that poetry2conda has no equivalent for."""
    if given := [name for name, value in options.items() if value]:
        raise UsageError(
            f"the engine `poetry2conda` has no `{given[0]}`",
            hint="leave it out, or use the engine `amlkit`",
        )


def _lock(project: Project, mode: Mode, *, hashes: bool) -> tuple[Lock | None, tuple[Note, ...]]:
    """Return the fresh lock to use, if any, and what to say about the others."""
    if mode == "ranges":
        return None, ()
    stale: list[Note] = []
    problems: list[Problem] = []
    for lock in find_locks(project, hashes=hashes):
        with reading(lock.path):
            drift = lock.drift()
        if not drift:
            return lock, tuple(stale)
        named = "; ".join(f"{each.subject}: {each.reason}" for each in drift[:3])
        more = f" and {len(drift) - 3} more" if len(drift) > 3 else ""
        stale.append(Note(lock.path.name, f"stale, not used ({named}{more})"))
        problems += [
            Problem(
                str(lock.path),
                0,
                0,
                each.subject,
                each.reason,
                hint=f"run `{lock.path.stem} lock`, or use `--ranges`",
                code="stale-lock",
            )
            for each in drift
        ]
    if mode == "locked":
        if problems:
            raise InvalidSpec(problems)
        raise UsageError(
            f"`{project.folder}` has no poetry.lock or uv.lock",
            hint="run `poetry lock` or `uv lock`, or use `--ranges`",
        )
    absent = (Note("lock", "no poetry.lock or uv.lock; the declared ranges are used"),)
    return None, tuple(stale) or absent


def _refuse_for_ranges(project: Project, chosen: Iterable[Chosen], *, hashes: bool) -> None:
    if hashes:
        raise UsageError(
            "`--hashes` needs exact versions, and there is no fresh lock",
            hint="run `poetry lock` or `uv lock` first",
        )
    if project.computed_by is not None:
        raise NotSupported(
            f"`{project.file.path}` leaves its dependencies to `{project.computed_by}`, "
            "which computes them when it builds",
            hint="lock the project (`uv lock`), or list them in [project].dependencies",
        )


def _conda_file(
    project: Project,
    target: Target,
    lines: Lines,
    indexes: Sequence[Index],
    notes: tuple[Note, ...],
    *,
    name: str | None,
    mode: Literal["locked", "ranges"],
    python: str | None,
) -> CondaFile:
    pin, reason = python_pin(project.python, target, python)
    if reason:
        notes += (Note("python", f"written as `{pin}`: {reason}"),)
    options, changed = _options(indexes)
    channels = dict.fromkeys(["conda-forge", *(e.channel for e in lines.found)])
    document = conda.document(
        name or project.rules.name or project.title,
        [each for each in channels if each != "pip"],
        [pin, *lines.of_channel(pip=False)],
        [*options, *lines.of_channel(pip=True)],
    )
    return CondaFile(
        name=document["name"],
        text=conda.render(document),
        document=document,
        lines=tuple(lines.found),
        notes=(*notes, *changed),
        python=target.python,
        mode=mode,
        import_names=import_names(lines.found),
    )


def _indexes(project: Project, chosen: Iterable[Chosen]) -> list[Index]:
    used = {each.declared.index.lower() for each in chosen if each.declared.index}
    return [each for each in project.indexes if not each.explicit or each.name in used]


def _options(indexes: Iterable[Index]) -> tuple[list[str], list[Note]]:
    """Return pip's options for the indexes, without any password that a URL carries."""
    options: list[str] = []
    notes: list[Note] = []
    for index in indexes:
        parts = urlsplit(index.url)
        url = index.url
        if parts.password and not parts.password.startswith("${"):
            url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
            notes.append(Note(url, "its user and password are left out of the file"))
        kind = "--index-url" if index.default else "--extra-index-url"
        options.append(f"{'--find-links' if index.flat else kind} {url}")
    return list(dict.fromkeys(options)), notes
