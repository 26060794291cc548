"""Dependency groups: `[tool.poetry.group]`, `[dependency-groups]`, and the older `dev` tables.

Source: PEP 735; "Managing dependencies" in the Poetry documentation; uv, "Dependency groups".
"""

from __future__ import annotations

from typing import Any

from packaging.utils import canonicalize_name

from amlkit.errors import did_you_mean
from amlkit.light import dataclass, field
from amlkit.services.from_poetry import pep621, poetry_table, sources
from amlkit.services.from_poetry.records import Declared
from amlkit.services.from_poetry.toml_file import TomlFile


@dataclass
class _Group:
    where: str
    standard: list[Declared] = field(default_factory=list)
    poetry: list[Declared] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)

    @property
    def own(self) -> list[Declared]:
        if not self.standard:
            return self.poetry
        return list(sources.enrich(self.standard, self.poetry)[0])


def read(file: TomlFile) -> dict[str, tuple[Declared, ...]]:
    """Return each group's dependencies, included groups unfolded; names normalised.

    Raises: InvalidSpec: a group includes itself, or one that does not exist.
    """
    found: dict[str, _Group] = {}
    _standard(file, found)
    for name, table in file.table("tool", "poetry", "group").items():
        group = _group(found, name, f"tool.poetry.group.{name}")
        group.poetry += poetry_table.dependencies(
            file, "tool", "poetry", "group", name, "dependencies"
        )
        group.includes += [canonicalize_name(each) for each in table.get("include-groups", ())]
    if "dev-dependencies" in file.table("tool", "poetry"):
        group = _group(found, "dev", "tool.poetry.dev-dependencies")
        group.poetry += poetry_table.dependencies(file, "tool", "poetry", "dev-dependencies")
    if older := file.table("tool", "uv").get("dev-dependencies"):
        group = _group(found, "dev", "tool.uv.dev-dependencies")
        group.standard += pep621.requirements(file, older, "tool.uv.dev-dependencies")
    return {name: tuple(_unfolded(file, found, name, ())) for name in found}


def _standard(file: TomlFile, found: dict[str, _Group]) -> None:
    for name, entries in file.table("dependency-groups").items():
        where = f"dependency-groups.{name}"
        if canonicalize_name(name) in found:
            raise file.problem(where, f"the group `{name}` is declared twice", needle=name)
        group = _group(found, name, where)
        for entry in entries:
            _add(file, group, entry)


def _add(file: TomlFile, group: _Group, entry: Any) -> None:
    if isinstance(entry, dict):
        if list(entry) != ["include-group"]:
            raise file.problem(group.where, f"`{entry!r}` is neither a requirement nor an include")
        group.includes.append(canonicalize_name(entry["include-group"]))
    else:
        group.standard.append(pep621.requirement(file, entry, group.where))


def _group(found: dict[str, _Group], name: str, where: str) -> _Group:
    return found.setdefault(canonicalize_name(name), _Group(where))


def _unfolded(
    file: TomlFile, found: dict[str, _Group], name: str, path: tuple[str, ...]
) -> list[Declared]:
    group = found[name]
    if name in path:
        circle = " -> ".join((*path[path.index(name) :], name))
        raise file.problem(group.where, f"the group includes itself: {circle}")
    declared = list(group.own)
    for included in group.includes:
        if included not in found:
            close = did_you_mean(included, found)
            raise file.problem(
                group.where,
                f"includes the group `{included}`, which does not exist",
                needle=included,
                hint=f"did you mean `{close}`?" if close else None,
            )
        declared += _unfolded(file, found, included, (*path, name))
    return declared
