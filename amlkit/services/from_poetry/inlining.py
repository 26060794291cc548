"""`--inline-path-deps`: a local package is replaced by what it depends on.

Its code is not in the environment; it must travel with the job, inside `code:`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from amlkit.light import replace
from amlkit.services.from_poetry.direct import is_local
from amlkit.services.from_poetry.lines import local_refusal
from amlkit.services.from_poetry.markers import Target
from amlkit.services.from_poetry.project import Project, read_project
from amlkit.services.from_poetry.records import Declared, Note
from amlkit.services.from_poetry.selection import Chosen, choose, choose_target
from amlkit.services.from_poetry.toml_file import read_toml


def inline(
    project: Project,
    chosen: Sequence[Chosen],
    target: Target,
    *,
    seen: frozenset[str] = frozenset(),
) -> tuple[tuple[Chosen, ...], tuple[Note, ...]]:
    """Return the dependencies with each local package replaced by its own.

    Raises: InvalidSpec: a local package without a `pyproject.toml`, such as a wheel file.
    """
    found: list[Chosen] = []
    notes: list[Note] = []
    for each in chosen:
        declared = each.declared
        if declared.direct is None or not is_local(declared.direct):
            found.append(each)
            continue
        folder = _folder(project, declared)
        location = declared.direct.location
        notes.append(Note(declared.name, f"inlined: send `{location}` with the job's code"))
        if declared.name in seen:
            continue
        other = read_project(folder)
        inside = choose_target(other, None, (), sorted(declared.extras))
        inside = replace(target, extras=inside.extras, groups=frozenset())
        its_own, its_notes = choose(other, inside)
        deeper, more = inline(other, its_own, inside, seen=seen | {declared.name})
        found += [replace(one, asked_by=f"{declared.name}, local") for one in deeper]
        notes += [*its_notes, *more]
    return tuple(found), tuple(notes)


def _folder(project: Project, declared: Declared) -> Path:
    direct = declared.direct
    assert direct is not None
    root = "${PROJECT_ROOT}"
    location = direct.location.replace(f"/{root}", root).replace(
        root, str(project.folder.resolve())
    )
    folder = project.folder / location / (direct.subdirectory or "")
    if location.startswith("workspace member "):
        folder = _member(project, declared.name) or folder
    if not (folder / "pyproject.toml").is_file():
        raise local_refusal(project, declared.name, declared.where, direct)
    return folder


def _member(project: Project, name: str) -> Path | None:
    for folder in (project.folder.resolve(), *project.folder.resolve().parents):
        if not (folder / "pyproject.toml").is_file():
            continue
        workspace = read_toml(folder / "pyproject.toml").table("tool", "uv").get("workspace")
        for pattern in (workspace or {}).get("members", ()):
            for member in sorted(folder.glob(pattern)):
                if (member / "pyproject.toml").is_file() and read_project(member).name == name:
                    return member
    return None
