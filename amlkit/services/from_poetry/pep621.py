"""`[project]` and `[dependency-groups]`: dependencies as PEP 508 requirements.

Source: PyPA "pyproject.toml specification", "Dependency specifiers", "Dependency Groups".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from amlkit.light import replace
from amlkit.services.from_poetry.constraints import NotAConstraint, pep440_constraint
from amlkit.services.from_poetry.markers import extras_in
from amlkit.services.from_poetry.records import Declared, Direct
from amlkit.services.from_poetry.toml_file import TomlFile


def requirements(file: TomlFile, written: Iterable[str], where: str) -> tuple[Declared, ...]:
    """Read a list of requirements.

    Raises: InvalidSpec: one is not a PEP 508 requirement.
    """
    return tuple(requirement(file, each, where) for each in written)


def requirement(file: TomlFile, written: str, where: str) -> Declared:
    """Read one requirement, such as `numpy[test]>=2,<3; python_version > "3.10"`.

    Raises: InvalidSpec: not a PEP 508 requirement.
    """
    try:
        read = Requirement(written.split(" #", 1)[0].strip())
        constraint = pep440_constraint(_in_order(written, read))
    except (InvalidRequirement, NotAConstraint) as cause:
        reason = str(cause).splitlines()[0]
        raise file.problem(
            where,
            f"`{written}` is not a requirement: {reason[:1].lower()}{reason[1:]}",
            needle=written,
            hint="write it as `numpy>=2,<3`; `^` and `~` belong to [tool.poetry]",
        ) from cause
    marker = str(read.marker) if read.marker else None
    return Declared(
        name=canonicalize_name(read.name),
        constraint=constraint,
        extras=frozenset(canonicalize_name(each) for each in read.extras),
        marker=marker,
        in_extras=extras_in(marker),
        direct=direct_reference(read.url) if read.url else None,
        where=where,
    )


def optional(
    file: TomlFile, tables: Mapping[str, Iterable[str]], own_name: str
) -> tuple[tuple[Declared, ...], dict[str, frozenset[str]]]:
    """Read `[project.optional-dependencies]`.

    Returns: the dependencies, each with its extra; and for each extra the others it names through
    the project itself, as in `all = ["amlkit[azure,bayes]"]`.
    """
    found: list[Declared] = []
    includes: dict[str, frozenset[str]] = {}
    for extra, written in tables.items():
        name = canonicalize_name(extra)
        read = requirements(file, written, f"project.optional-dependencies.{extra}")
        includes[name] = extras_of_itself(read, own_name)
        found += [
            replace(each, optional=True, in_extras=frozenset({name}))
            for each in read
            if each.name != own_name
        ]
    return tuple(found), includes


def extras_of_itself(declared: Iterable[Declared], own_name: str) -> frozenset[str]:
    """Return the extras under which the project requires itself."""
    return frozenset().union(*(each.extras for each in declared if each.name == own_name))


def direct_reference(url: str) -> Direct:
    """Read the URL after `name @`: git, a file of this machine, or an archive."""
    plain, _, fragment = url.partition("#")
    found = re.search(r"(?:^|&)subdirectory=([^&]+)", fragment)
    subdirectory = found[1] if found else None
    if plain.startswith(("file:", "{")):
        # `{root:uri}` is hatch's word for the project's own folder.
        path = plain.removeprefix("file:").removeprefix("//").replace("/${", "${")
        return Direct("path", path, None, subdirectory)
    if not plain.startswith("git+"):
        return Direct("url", url, None, None)
    location, reference = plain.removeprefix("git+"), None
    path_start = location.find("/", location.find("://") + 3) if "://" in location else 0
    if "@" in location[path_start:]:
        location, _, reference = location.rpartition("@")
    return Direct("git", location, reference, subdirectory)


def _in_order(written: str, read: Requirement) -> str:
    """Return the clauses in the order in which they were written; `packaging` sorts them."""
    if read.url:
        return ""
    clauses = sorted(read.specifier, key=lambda each: _place(written, str(each)))
    return ",".join(map(str, clauses))


def _place(written: str, clause: str) -> int:
    squeezed = re.sub(r"\s+", "", written.partition(";")[0])
    return squeezed.find(clause)
