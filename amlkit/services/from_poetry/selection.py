"""Which of a project's dependencies the target gets: its Python, its extras, its groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from packaging.utils import canonicalize_name
from packaging.version import Version

from amlkit.errors import UsageError, did_you_mean
from amlkit.light import dataclass, replace
from amlkit.services.from_poetry import restrictions, sources
from amlkit.services.from_poetry.constraints import Constraint, NotAConstraint, both
from amlkit.services.from_poetry.markers import LATEST_PATCH, NotAMarker, Target
from amlkit.services.from_poetry.project import Project
from amlkit.services.from_poetry.records import Declared, Note

# 3.11 first: every image and wheel that matters has it. Then its neighbours, the nearer the first.
PREFERRED_MINORS = (11, 10, 12, 9, 13, 8, 7, 14, 6)
_MOST_PATCHES = 40


@dataclass(frozen=True)
class Chosen:
    """A dependency that the target gets. asked_by: `dependencies`, `extra x` or `group y`."""

    declared: Declared
    asked_by: str


def choose_target(
    project: Project, python: str | None, groups: Sequence[str], extras: Sequence[str]
) -> Target:
    """Return the target: the Python asked for or the preferred one, and the selected extras.

    Raises: UsageError: an unknown group or extra, or a Python that the project does not support.
    """
    selected = frozenset(_known(each, project.groups, "group") for each in groups if each != "main")
    wanted = {_known(each, project.extras, "extra") for each in extras}
    for group in selected:
        wanted |= project.group_extras.get(group, frozenset())
    todo = list(wanted)
    while todo:
        more = project.extras.get(todo.pop(), frozenset()) - wanted
        wanted |= more
        todo += more
    name, patch = _python(project.python, python)
    return Target(name, patch, frozenset(wanted), selected)


def choose(project: Project, target: Target) -> tuple[tuple[Chosen, ...], tuple[Note, ...]]:
    """Return the dependencies for the target, and what was left out because of it.

    Raises: InvalidSpec: a marker or restriction that cannot be read.
    """
    chosen: list[Chosen] = []
    notes: list[Note] = []
    for group, declared in (
        (None, project.main),
        *((group, project.groups[group]) for group in sorted(target.groups)),
    ):
        for each in declared:
            if group and project.poetry_problem and each.where.startswith("tool.poetry"):
                raise project.poetry_problem
            asked_by = _asked_by(each, group, target)
            if asked_by is None:
                continue
            if reason := _left_out(project, each, target):
                notes.append(Note(each.name, reason))
            else:
                chosen.append(Chosen(_located(project, each, target, group), asked_by))
    here = {each.declared.name for each in chosen}
    return tuple(chosen), tuple(note for note in notes if note.subject not in here)


def merged(chosen: Iterable[Chosen]) -> tuple[Chosen, ...]:
    """Join declarations of one package: all their constraints hold, all their extras count."""
    found: dict[str, Chosen] = {}
    for each in chosen:
        before = found.get(each.declared.name)
        found[each.declared.name] = each if before is None else _joined(before, each)
    return tuple(found[name] for name in sorted(found))


def python_pin(constraint: Constraint, target: Target, asked: str | None) -> tuple[str, str | None]:
    """Return conda's requirement for Python, and why it is not simply `python=3.x`.

    asked: the Python asked for; one with a patch, such as `3.11.4`, is taken as it is.
    """
    if asked is not None and asked.count(".") == 2:
        return f"python={asked}", None
    minor = int(target.python.split(".")[1])
    allowed = [
        constraint.allows(Version(f"{target.python}.{patch}")) for patch in range(_MOST_PATCHES)
    ]
    if all(allowed):
        return f"python={target.python}", None
    reason = f"`{constraint.text}` does not allow every {target.python}"
    if allowed[-1]:
        first = _MOST_PATCHES - allowed[::-1].index(False)
        return f"python>={target.python}.{first},<3.{minor + 1}", reason
    return f"python={target.full_python}", reason


def _known(name: str, known: Iterable[str], what: str) -> str:
    normal = canonicalize_name(name)
    if normal in known:
        return normal
    close = did_you_mean(normal, known)
    names = ", ".join(f"`{each}`" for each in sorted(known))
    raise UsageError(
        f"the project has no {what} `{name}`",
        hint=f"did you mean `{close}`?" if close else f"it has {names or 'none'}",
    )


def _python(constraint: Constraint, asked: str | None) -> tuple[str, int]:
    if asked is not None:
        return _asked_python(constraint, asked)
    for minor in PREFERRED_MINORS:
        patch = _best_patch(constraint, minor)
        if patch is not None:
            return f"3.{minor}", patch
    raise UsageError(
        f"no Python from 3.{min(PREFERRED_MINORS)} to 3.{max(PREFERRED_MINORS)} satisfies "
        f"`{constraint.text}`",
        hint="correct `requires-python`, or the `python` dependency",
    )


def _asked_python(constraint: Constraint, asked: str) -> tuple[str, int]:
    parts = asked.split(".")
    if len(parts) not in {2, 3} or not all(part.isdecimal() for part in parts):
        raise UsageError(f"`{asked}` is not a Python version", hint="give it as `3.11`")
    patch = int(parts[2]) if len(parts) == 3 else None
    if parts[0] == "3" and patch is None:
        patch = _best_patch(constraint, int(parts[1]))
    if patch is None or not constraint.allows(Version(f"{parts[0]}.{parts[1]}.{patch}")):
        raise UsageError(
            f"Python `{asked}` is not among those the project supports: `{constraint.text}`",
            hint="leave `--python` out to have one chosen",
        )
    return f"{parts[0]}.{parts[1]}", patch


def _best_patch(constraint: Constraint, minor: int) -> int | None:
    """Return the newest released patch that is allowed; a later one if only those are."""
    latest = LATEST_PATCH.get(minor, 0)
    candidates: list[int] = [*range(latest, -1, -1), *range(latest + 1, _MOST_PATCHES)]
    for patch in candidates:
        if constraint.allows(Version(f"3.{minor}.{patch}")):
            return patch
    return None


def _asked_by(declared: Declared, group: str | None, target: Target) -> str | None:
    if not declared.optional and not declared.in_extras:
        return f"group {group}" if group else "dependencies"
    wanted = sorted(declared.in_extras & target.extras)
    return f"extra {wanted[0]}" if wanted else None


def _left_out(project: Project, declared: Declared, target: Target) -> str | None:
    """Return why the target does not get the dependency, None when it does."""
    try:
        if not restrictions.python_allows(declared.python, target.full_python):
            return f"skipped: for Python `{declared.python}`, not {target.full_python}"
        if not restrictions.platform_allows(declared.platform):
            return f"skipped: for platform `{declared.platform}`, not linux"
        if not target.accepts(declared.marker):
            return f"skipped: `{declared.marker}` does not hold on linux, Python {target.python}"
    except (NotAConstraint, NotAMarker) as cause:
        raise project.file.problem(declared.where, str(cause)) from cause
    return None


def _located(project: Project, declared: Declared, target: Target, group: str | None) -> Declared:
    try:
        return sources.located(declared, project.tracked, target, group=group)
    except (NotAConstraint, NotAMarker) as cause:
        where = f"tool.uv.sources.{declared.name}"
        raise project.file.problem(where, str(cause)) from cause


def _joined(one: Chosen, other: Chosen) -> Chosen:
    first, second = one.declared, other.declared
    asked = one.asked_by if other.asked_by in one.asked_by else f"{one.asked_by}, {other.asked_by}"
    declared = replace(
        first,
        constraint=both(first.constraint, second.constraint),
        extras=first.extras | second.extras,
        direct=first.direct or second.direct,
        index=first.index or second.index,
        prereleases=first.prereleases or second.prereleases,
    )
    return Chosen(declared, asked)
