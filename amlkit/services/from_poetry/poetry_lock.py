"""`poetry.lock`, formats 1.0 to 2.1: freshness as Poetry decides it, and the closure.

From format 2.1 each package carries the groups and markers under which it is installed. Before,
`poetry_closure.py` finds the closure by following dependencies from the project.

Source: Poetry's `Locker`; the file format has no reference page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from amlkit.light import dataclass
from amlkit.services.from_poetry import poetry_closure
from amlkit.services.from_poetry.locks import Drift, Locked
from amlkit.services.from_poetry.markers import Target
from amlkit.services.from_poetry.project import Project
from amlkit.services.from_poetry.records import Direct
from amlkit.services.from_poetry.selection import Chosen
from amlkit.services.from_poetry.toml_file import TomlFile, read_toml

_LEGACY_KEYS = ("dependencies", "source", "extras", "dev-dependencies")
_PROJECT_KEYS = ("requires-python", "dependencies", "optional-dependencies")
_FILES = re.compile(r"^ +\{ ?file = .*\n", re.MULTILINE)
_GROUPS_COUNT_FROM = Version("2.3.0")


def find(project: Project, *, hashes: bool) -> PoetryLock | None:
    """Return the lock beside the project, None when it has none. hashes: read those of files."""
    path = project.folder / "poetry.lock"
    if not path.is_file():
        return None
    return PoetryLock(project, read_toml(path, without=None if hashes else _FILES))


def content_hash(content: Mapping[str, Any], *, with_groups: bool) -> str:
    """Return the hash of what Poetry considers relevant in a `pyproject.toml`.

    Source: Poetry's `Locker`; dependency groups count from Poetry 2.3 on.
    """
    project, poetry = content.get("project", {}), content.get("tool", {}).get("poetry", {})
    groups = content.get("dependency-groups", {}) if with_groups else {}
    standard = {key: project[key] for key in _PROJECT_KEYS if project.get(key) is not None}
    legacy = {key: poetry.get(key) for key in _LEGACY_KEYS}
    if standard or groups:
        legacy = {key: value for key, value in legacy.items() if value is not None}
    if poetry.get("group") is not None:
        legacy["group"] = poetry["group"]
    relevant: dict[str, Any] = {}
    if standard:
        relevant["project"] = standard
    if groups:
        relevant["dependency-groups"] = groups
    relevant = {**relevant, "tool": {"poetry": legacy}} if relevant else legacy
    return sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class PoetryLock:
    """A `poetry.lock` and the project it was made for."""

    project: Project
    file: TomlFile

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.file.path

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The `[metadata]` table."""
        return self.file.table("metadata")

    @cached_property
    def packages(self) -> dict[str, list[dict[str, Any]]]:
        """The locked packages by normalised name; one name can have several versions."""
        found: dict[str, list[dict[str, Any]]] = {}
        for package in self.file.content.get("package", ()):
            found.setdefault(canonicalize_name(package["name"]), []).append(package)
        return found

    def drift(self) -> tuple[Drift, ...]:
        """Return how the lock is behind the project; nothing when it is fresh."""
        content, written = self.project.file.content, self.metadata.get("content-hash")
        if content_hash(content, with_groups=True) == written:
            return ()
        if self._is_older and content_hash(content, with_groups=False) == written:
            return ()
        missing = tuple(self._drifted())
        return missing or (Drift("content-hash", "the dependency tables changed after locking"),)

    def closure(self, chosen: Sequence[Chosen], target: Target) -> tuple[Locked, ...]:
        """Return every package that the target installs, sorted by name."""
        carries_markers = Version(str(self.metadata.get("lock-version", "1.0"))) >= Version("2.1")
        found = self._marked(chosen, target) if carries_markers else self._followed(chosen, target)
        return tuple(sorted(found, key=lambda each: each.name))

    @property
    def _is_older(self) -> bool:
        found = re.search(r"Poetry (\d\S*)", self.file.text.partition("\n")[0])
        return found is None or Version(found[1]) < _GROUPS_COUNT_FROM

    def _drifted(self) -> Iterable[Drift]:
        named = [*self.project.main, *(d for g in self.project.groups.values() for d in g)]
        for declared in named:
            locked = [package["version"] for package in self.packages.get(declared.name, ())]
            if not locked:
                yield Drift(declared.name, "not in the lock")
            elif declared.direct is None and not any(
                declared.constraint.allows(Version(version)) for version in locked
            ):
                yield Drift(
                    declared.name, f"wants `{declared.constraint.text}`, locked at {locked[-1]}"
                )

    def _marked(self, chosen: Sequence[Chosen], target: Target) -> Iterable[Locked]:
        selected = {"main", *target.groups}
        installed = [
            (name, package)
            for name, packages in self.packages.items()
            for package in packages
            if any(
                target.accepts(_marker_of(package.get("markers"), group))
                for group in selected.intersection(map(canonicalize_name, package["groups"]))
            )
        ]
        asked_by: dict[str, str] = {each.declared.name: each.asked_by for each in chosen}
        for name, package in installed:
            for needed in package.get("dependencies", {}):
                asked_by.setdefault(canonicalize_name(needed), f"{name} {package['version']}")
        return [
            self._locked(name, package, asked_by.get(name, "poetry.lock"))
            for name, package in installed
        ]

    def _followed(self, chosen: Sequence[Chosen], target: Target) -> Iterable[Locked]:
        try:
            found = poetry_closure.follow(self.packages, chosen, target, self.project.python)
        except poetry_closure.NotLocked as cause:
            hint = "run `poetry lock`, or use `--ranges`"
            raise self.file.problem("package", str(cause), hint=hint) from cause
        return [self._locked(*each) for each in found]

    def _locked(self, name: str, package: Mapping[str, Any], asked_by: str) -> Locked:
        source = package.get("source", {})
        kind, url = source.get("type"), source.get("url")
        direct = None
        if kind == "git":
            commit = source.get("resolved_reference") or source.get("reference")
            direct = Direct("git", url, commit, source.get("subdirectory"))
        elif kind == "url":
            direct = Direct("url", url, None, source.get("subdirectory"))
        elif kind in {"directory", "file"}:
            direct = Direct("path", url)
        return Locked(
            name=name,
            version=package["version"],
            direct=direct,
            index=url if kind == "legacy" else None,
            hashes=self._hashes(package),
            asked_by=asked_by,
        )

    def _hashes(self, package: Mapping[str, Any]) -> tuple[str, ...]:
        files = package.get("files")
        if files is None:
            files = self.metadata.get("files", {}).get(package["name"], [])
            prefix = f"-{package['version']}"
            files = [each for each in files if prefix in each["file"]]
        return tuple(sorted({each["hash"] for each in files}))


def _marker_of(markers: object, group: str) -> str | None:
    if isinstance(markers, dict):
        by_group = {str(canonicalize_name(key)): str(value) for key, value in markers.items()}
        return by_group.get(group)
    return str(markers) if markers else None
