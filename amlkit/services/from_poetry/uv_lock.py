"""`uv.lock`: freshness against the project's metadata, and the closure for the target.

A lock holds one entry per version of a package; each edge names the version it means where there
are several, and carries a marker. Conflicting extras are marked `extra-<length>-<package>-<extra>`.

Source: uv, "Resolver internals", and the lock format of `uv-resolver`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from amlkit.errors import UsageError
from amlkit.light import dataclass, replace
from amlkit.services.from_poetry import uv_freshness
from amlkit.services.from_poetry.locks import Drift, Locked
from amlkit.services.from_poetry.markers import Target
from amlkit.services.from_poetry.project import Project
from amlkit.services.from_poetry.records import Direct
from amlkit.services.from_poetry.selection import Chosen
from amlkit.services.from_poetry.toml_file import TomlFile, read_toml
from amlkit.services.from_poetry.uv_freshness import LOCAL

_FILES = re.compile(r"^ +\{ url = .*\n", re.MULTILINE)
_PYPI = "https://pypi.org/simple"

Package = Mapping[str, Any]


def find(project: Project, *, hashes: bool) -> UvLock | None:
    """Return the lock beside the project, or that of its workspace. hashes: read those of files."""
    for folder in (project.folder, *project.folder.resolve().parents):
        path = folder / "uv.lock"
        if path.is_file() and (folder == project.folder or _is_workspace(folder)):
            return UvLock(project, read_toml(path, without=None if hashes else _FILES))
    return None


def _is_workspace(folder: Path) -> bool:
    path = folder / "pyproject.toml"
    return path.is_file() and "workspace" in read_toml(path).table("tool", "uv")


@dataclass(frozen=True)
class UvLock:
    """A `uv.lock` and the project it was made for."""

    project: Project
    file: TomlFile

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.file.path

    @cached_property
    def packages(self) -> dict[str, list[Package]]:
        """The locked packages by name."""
        found: dict[str, list[Package]] = {}
        for package in self.file.content.get("package", ()):
            found.setdefault(package["name"], []).append(package)
        return found

    @cached_property
    def root(self) -> Package | None:
        """The entry of the project itself."""
        if not self.project.name:
            return {
                "name": "",
                "version": "",
                "metadata": self.file.table("manifest"),
                "dev-dependencies": self.file.table("manifest", "dependency-groups"),
            }
        entries = self.packages.get(self.project.name, ())
        local = (each for each in entries if _is_local(each))
        return next(local, None)

    def drift(self) -> tuple[Drift, ...]:
        """Return how the lock is behind the project; nothing when it is fresh."""
        if self.root is None:
            return (Drift(self.project.title, "the project is not in the lock"),)
        found = uv_freshness.drift(self.project, self.root.get("metadata", {}))
        members = [each for each in self.file.content.get("package", ()) if _is_local(each)]
        supported = self.file.content.get("requires-python")
        if len(members) <= 1 and isinstance(supported, str):
            # The lock of a workspace supports what all of its members do.
            found += uv_freshness.python_drift(self.project, supported)
        return tuple(found)

    def closure(self, chosen: Sequence[Chosen], target: Target) -> tuple[Locked, ...]:
        """Return every package that the target installs, sorted by name.

        Raises: UsageError: extras or groups that `[tool.uv] conflicts` keeps apart.
        """
        self._refuse_conflicts(target)
        root = self.root or {}
        todo = [(edge, asked) for edges, asked in self._roots(root, target) for edge in edges]
        conflicts = self._conflict_names(target)
        wanted: dict[tuple[str, str], set[str]] = {}
        found: dict[tuple[str, str], Locked] = {}
        while todo:
            edge, asked_by = todo.pop(0)
            inside = replace(target, extras=conflicts | frozenset(edge.get("within", ())))
            if not inside.accepts(edge.get("marker")):
                continue
            package = self._package(edge, target)
            if package is root:
                continue
            key = (package["name"], str(package.get("version", "")))
            extras = set(edge.get("extra", ()))
            if key in wanted and extras <= wanted[key]:
                continue
            wanted.setdefault(key, set()).update(extras)
            found.setdefault(key, _locked(package, asked_by))
            todo += _edges(package, wanted[key])
        return tuple(found[key] for key in sorted(found))

    def _refuse_conflicts(self, target: Target) -> None:
        for conflict in self.file.content.get("conflicts", ()):
            selected = [
                f"{kind} `{each[kind]}`"
                for each in conflict
                for kind, chosen in (("extra", target.extras), ("group", target.groups))
                if each.get("package") == self.project.name and each.get(kind) in chosen
            ]
            if len(selected) > 1:
                raise UsageError(
                    f"{' and '.join(selected)} exclude each other in [tool.uv] conflicts",
                    hint="choose one of them",
                )

    def _roots(
        self, root: Package, target: Target
    ) -> Iterable[tuple[Sequence[Mapping[str, Any]], str]]:
        yield root.get("dependencies", ()), "dependencies"
        for extra in sorted(target.extras):
            yield root.get("optional-dependencies", {}).get(extra, ()), f"extra {extra}"
        for group in sorted(target.groups):
            yield root.get("dev-dependencies", {}).get(group, ()), f"group {group}"

    def _conflict_names(self, target: Target) -> frozenset[str]:
        name = self.project.name
        extras = {f"extra-{len(name)}-{name}-{extra}" for extra in target.extras}
        groups = {f"group-{len(name)}-{name}-{group}" for group in target.groups}
        return frozenset(extras | groups)

    def _package(self, edge: Mapping[str, Any], target: Target) -> Package:
        entries = self.packages.get(edge["name"], [])
        fitting = [
            each
            for each in entries
            if edge.get("version", each.get("version")) == each.get("version")
            and edge.get("source", each["source"]) == each["source"]
        ]
        if len(fitting) > 1:
            fitting = [each for each in fitting if _resolves_here(each, target)] or fitting
        if not fitting:
            raise self.file.problem(
                "package",
                f"`{edge['name']}` is not locked",
                hint="run `uv lock`, or use `--ranges`",
            )
        return fitting[0]


def _resolves_here(package: Package, target: Target) -> bool:
    markers = package.get("resolution-markers")
    return not markers or any(target.accepts(marker) for marker in markers)


def _edges(package: Package, extras: Iterable[str]) -> list[tuple[Mapping[str, Any], str]]:
    asked_by = f"{package['name']} {package.get('version', '')}".strip()
    edges = list(package.get("dependencies", ()))
    for extra in sorted(extras):
        edges += package.get("optional-dependencies", {}).get(extra, ())
    return [(edge, asked_by) for edge in edges]


def _locked(package: Package, asked_by: str) -> Locked:
    source = package["source"]
    direct, index = None, None
    if "git" in source:
        repository, _, commit = source["git"].partition("#")
        repository, _, query = repository.partition("?")
        parameters = dict(part.partition("=")[::2] for part in query.split("&"))
        direct = Direct("git", repository, commit, parameters.get("subdirectory"))
    elif "url" in source:
        direct = Direct("url", source["url"], None, source.get("subdirectory"))
    elif any(key in source for key in LOCAL):
        direct = Direct("path", next(source[key] for key in LOCAL if key in source))
    elif source.get("registry", _PYPI).rstrip("/") != _PYPI:
        index = source["registry"]
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
    return Locked(
        name=canonicalize_name(package["name"]),
        version=str(package.get("version", "")),
        direct=direct,
        index=index,
        hashes=tuple(sorted({each["hash"] for each in files if "hash" in each})),
        asked_by=asked_by,
    )


def _is_local(package: Package) -> bool:
    return any(key in package["source"] for key in LOCAL)
