"""Whether a `uv.lock` is up to date: its `[package.metadata]` against the `pyproject.toml`.

uv stores the requirements that it locked. Markers are compared by the extras they name only: uv
rewrites them, and what a marker selects is evaluated from the lock anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from amlkit.services.from_poetry import sources
from amlkit.services.from_poetry.constraints import poetry_constraint
from amlkit.services.from_poetry.locks import Drift
from amlkit.services.from_poetry.markers import extras_in
from amlkit.services.from_poetry.project import Project
from amlkit.services.from_poetry.records import Declared

LOCAL = ("editable", "virtual", "directory", "path")
_REFERENCES = ("tag", "branch", "rev")

Requirements = Sequence[Mapping[str, Any]]


def drift(project: Project, metadata: Mapping[str, Any]) -> list[Drift]:
    """Return how the locked metadata of a project is behind its `pyproject.toml`."""
    found: list[Drift] = []
    if not project.computed_by:
        found += _difference(project, project.main, metadata.get("requires-dist", ()))
    locked_groups = metadata.get("requires-dev", {})
    for group, declared in project.groups.items():
        found += _difference(project, declared, locked_groups.get(group, ()))
    return found


def python_drift(project: Project, locked: str) -> list[Drift]:
    """Return a drift when the lock was made for other Pythons than the project supports."""
    supported = poetry_constraint(locked)
    for minor in range(6, 16):
        for patch in (0, 5):
            version = Version(f"3.{minor}.{patch}")
            if supported.allows(version) != project.python.allows(version):
                reason = f"wants `{project.python.text}`, locked for `{locked}`"
                return [Drift("python", reason)]
    return []


def _difference(
    project: Project, declared: Iterable[Declared], locked: Requirements
) -> list[Drift]:
    here = {key: each.name for each in declared for key in _declared_keys(project, each)}
    there = {_locked_key(each): each["name"] for each in locked if each["name"] != project.name}
    reasons = {name: "locked, but no longer declared" for _, name in there.items() - here.items()}
    for _, name in here.items() - there.items():
        reasons[name] = "declared, but locked differently or not at all"
    return [Drift(name, reasons[name]) for name in sorted(reasons)]


def _declared_keys(project: Project, declared: Declared) -> Iterable[tuple[object, ...]]:
    """Return what identifies a declaration in a lock; each of its sources is one entry there."""
    tracked = project.tracked.get(declared.name, ())
    for each in [sources.from_source(declared, source) for source in tracked] or [declared]:
        direct = each.direct
        specifier = "" if direct else each.constraint.pip
        origin = _origin(direct.location, direct.reference) if direct else None
        yield (each.name, each.extras, _specifiers(specifier), each.in_extras, origin)


def _locked_key(locked: Mapping[str, Any]) -> tuple[object, ...]:
    extras = frozenset(canonicalize_name(each) for each in locked.get("extras", ()))
    specifiers = _specifiers(str(locked.get("specifier", "")))
    origin = None
    if "git" in locked:
        location, _, query = str(locked["git"]).partition("?")
        parameters = dict(part.partition("=")[::2] for part in query.split("&"))
        reference = next((parameters[key] for key in _REFERENCES if key in parameters), None)
        origin = _origin(location, reference)
    elif direct := next((locked[key] for key in ("url", *LOCAL) if key in locked), None):
        origin = _origin(str(direct), None)
    return (locked["name"], extras, specifiers, extras_in(locked.get("marker")), origin)


def _origin(location: str, reference: str | None) -> tuple[str, str | None]:
    # uv writes the path of a workspace member where the project only says that it is one.
    if "://" not in location and "@" not in location:
        return ("local", None)
    return (location.removesuffix("/").removesuffix(".git"), reference)


def _specifiers(text: str) -> frozenset[str]:
    try:
        return frozenset(str(each) for each in SpecifierSet("" if text == "*" else text))
    except InvalidSpecifier:
        return frozenset({text})
