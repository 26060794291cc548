"""`[tool.poetry]`: dependencies, groups and extras in Poetry's own form.

Source: "Dependency specification" and "The pyproject.toml file" in the Poetry documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from packaging.utils import canonicalize_name

from amlkit.light import replace
from amlkit.services.from_poetry.constraints import (
    ANY,
    Constraint,
    NotAConstraint,
    poetry_constraint,
)
from amlkit.services.from_poetry.markers import extras_in
from amlkit.services.from_poetry.records import Declared, Direct
from amlkit.services.from_poetry.toml_file import TomlFile


def dependencies(file: TomlFile, *table: str) -> tuple[Declared, ...]:
    """Read a table of dependencies; `python` is not one of them.

    Raises: InvalidSpec: a dependency that Poetry would refuse too.
    """
    found: list[Declared] = []
    for name, written in file.table(*table).items():
        if name.lower() == "python":
            continue
        where = ".".join((*table, name))
        for each in written if isinstance(written, list) else [written]:
            found.append(_declared(file, name, each, where))
    return tuple(found)


def with_extras(
    declared: Sequence[Declared], extras: Mapping[str, Sequence[str]]
) -> tuple[Declared, ...]:
    """Mark each dependency with the `[tool.poetry.extras]` that name it."""
    members: dict[str, set[str]] = {}
    for extra, names in extras.items():
        for name in names:
            bare = re.split(r"[\s\[(<>=!~]", name.strip(), maxsplit=1)[0]
            members.setdefault(canonicalize_name(bare), set()).add(canonicalize_name(extra))
    return tuple(_in_extras(each, frozenset(members.get(each.name, ()))) for each in declared)


def _in_extras(declared: Declared, extras: frozenset[str]) -> Declared:
    return replace(declared, in_extras=declared.in_extras | extras) if extras else declared


def _declared(file: TomlFile, name: str, written: str | dict[str, Any], where: str) -> Declared:
    if isinstance(written, str):
        return Declared(canonicalize_name(name), _constraint(file, written, where), where=where)
    marker = written.get("markers") or None
    version = written.get("version", "*")
    return Declared(
        name=canonicalize_name(name),
        constraint=_constraint(file, version, where),
        extras=frozenset(canonicalize_name(each) for each in written.get("extras", ())),
        marker=marker,
        python=written.get("python"),
        platform=written.get("platform"),
        optional=bool(written.get("optional", False)),
        in_extras=extras_in(marker),
        direct=_direct(written),
        index=written.get("source"),
        prereleases=bool(written.get("allow-prereleases", False)),
        where=where,
    )


def _constraint(file: TomlFile, text: str, where: str) -> Constraint:
    if text.strip() in {"*", ""}:
        return ANY
    try:
        return poetry_constraint(text)
    except NotAConstraint as cause:
        raise file.problem(where, str(cause), hint="write it as `^1.2` or `>=1.2,<2`") from cause


def _direct(written: Mapping[str, Any]) -> Direct | None:
    subdirectory = written.get("subdirectory")
    if "git" in written:
        reference = written.get("tag") or written.get("branch") or written.get("rev")
        return Direct("git", written["git"], reference, subdirectory)
    if "url" in written:
        return Direct("url", written["url"], None, subdirectory)
    for key in ("path", "file"):
        if key in written:
            return Direct("path", written[key], None, subdirectory)
    return None
