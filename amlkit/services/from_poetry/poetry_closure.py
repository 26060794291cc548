"""The closure of a `poetry.lock` older than format 2.1, found by following its dependencies.

Such a lock does not say which of two versions of a package belongs to which Python. Poetry's rule:
the newest whose `python-versions` cover every Python for which the project declares it; for what
other packages need, the newest that the target's Python can use.

Source: Poetry's export plugin, which writes the same closure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from amlkit.light import dataclass, replace
from amlkit.services.from_poetry.constraints import Constraint, NotAConstraint, poetry_constraint
from amlkit.services.from_poetry.markers import Target
from amlkit.services.from_poetry.restrictions import python_allows
from amlkit.services.from_poetry.selection import Chosen

Package = Mapping[str, Any]
Packages = Mapping[str, Sequence[Package]]


class NotLocked(LookupError):
    """The lock has no version of a package that is wanted."""


@dataclass(frozen=True)
class Wanted:
    """A package that something asks for, and the Pythons whose needs decide its version."""

    name: str
    constraint: str
    extras: frozenset[str]
    asked_by: str
    pythons: tuple[Target, ...]


def follow(
    packages: Packages, chosen: Iterable[Chosen], target: Target, supported: Constraint
) -> list[tuple[str, Package, str]]:
    """Return name, package and who asked for it, for everything the target installs.

    supported: the Pythons of the project. Raises: NotLocked: a package is missing.
    """
    samples = _samples(target, supported)
    roots = [_root(each, samples) for each in chosen]
    constraints: dict[str, set[str]] = {}
    while True:
        found = _walk(packages, roots, target, constraints)
        if found is not None:
            return found


def _walk(
    packages: Packages,
    roots: Sequence[Wanted],
    target: Target,
    constraints: dict[str, set[str]],
) -> list[tuple[str, Package, str]] | None:
    """Follow once; None when a later constraint changed an earlier choice: then start again."""
    todo = list(roots)
    extras: dict[str, frozenset[str]] = {}
    found: dict[str, tuple[str, Package, str]] = {}
    while todo:
        wanted = todo.pop(0)
        known = constraints.setdefault(wanted.name, set())
        is_new = wanted.constraint not in known
        known.add(wanted.constraint)
        if wanted.name in found and is_new and not _fits(found[wanted.name][1], known):
            return None
        before = extras.get(wanted.name)
        if before is not None and wanted.extras <= before:
            continue
        extras[wanted.name] = wanted.extras | (before or frozenset())
        if wanted.name not in found:
            package = _best(packages.get(wanted.name, ()), wanted, known, target)
            found[wanted.name] = (wanted.name, package, wanted.asked_by)
        todo += _needs(found[wanted.name][1], replace(wanted, extras=extras[wanted.name]), target)
    return list(found.values())


def _samples(target: Target, supported: Constraint) -> tuple[Target, ...]:
    pythons = [(f"3.{minor}", patch) for minor in range(6, 16) for patch in (0, 1, 9)]
    return tuple(
        replace(target, python=python, patch=patch)
        for python, patch in pythons
        if supported.allows(Version(f"{python}.{patch}"))
    )


def _root(chosen: Chosen, samples: Sequence[Target]) -> Wanted:
    declared = chosen.declared
    pythons = tuple(
        each
        for each in samples
        if python_allows(declared.python, each.full_python) and each.accepts(declared.marker)
    )
    text = declared.constraint.text
    return Wanted(declared.name, text, declared.extras, chosen.asked_by, pythons)


def _best(
    packages: Sequence[Package], wanted: Wanted, constraints: Iterable[str], target: Target
) -> Package:
    fitting = [each for each in packages if _fits(each, constraints)]
    if len(fitting) > 1:
        fitting = (
            [each for each in fitting if _covers(each, wanted.pythons)]
            or [each for each in fitting if _covers(each, [target])]
            or fitting
        )
    if not fitting:
        raise NotLocked(
            f"`{wanted.name}` (`{wanted.constraint}`, for {wanted.asked_by}) is not locked"
        )
    return max(fitting, key=lambda each: Version(each["version"]))


def _fits(package: Package, constraints: Iterable[str]) -> bool:
    if package.get("source", {}).get("type") not in {None, "legacy"}:
        return True
    version = Version(package["version"])
    return all(_constraint(each).allows(version) for each in constraints)


def _covers(package: Package, pythons: Iterable[Target]) -> bool:
    allowed = _constraint(str(package.get("python-versions", "*")))
    return all(allowed.allows(Version(each.full_python)) for each in pythons)


def _constraint(text: str) -> Constraint:
    try:
        return poetry_constraint(text)
    except NotAConstraint:
        return poetry_constraint("*")


def _needs(package: Package, wanted: Wanted, target: Target) -> Iterable[Wanted]:
    inside = replace(target, extras=wanted.extras)
    in_extras = _names_in_extras(package, wanted.extras)
    asked_by = f"{package['name']} {package['version']}"
    for name, written in package.get("dependencies", {}).items():
        for each in written if isinstance(written, list) else [written]:
            rule = each if isinstance(each, dict) else {"version": each}
            marker, python = rule.get("markers"), rule.get("python")
            normal = canonicalize_name(name)
            if rule.get("optional") and normal not in in_extras:
                continue
            if not inside.accepts(marker) or not python_allows(python, target.full_python):
                continue
            yield Wanted(
                name=normal,
                constraint=rule.get("version", "*"),
                extras=frozenset(canonicalize_name(extra) for extra in rule.get("extras", ())),
                asked_by=asked_by,
                pythons=(target,),
            )


def _names_in_extras(package: Package, extras: frozenset[str]) -> set[str]:
    names: set[str] = set()
    for extra, members in package.get("extras", {}).items():
        if canonicalize_name(extra) in extras:
            names |= {_name(member) for member in members}
    return names


def _name(requirement: str) -> str:
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return canonicalize_name(re.split(r"[\s\[(;<>=!~]", requirement, maxsplit=1)[0])
