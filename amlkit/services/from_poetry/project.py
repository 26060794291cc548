"""What a `pyproject.toml` declares, whichever tool wrote it, in one shape.

Poetry 1 keeps everything in `[tool.poetry]`; Poetry 2, uv, hatch and setuptools use `[project]`.
In a hybrid, `[project].dependencies` decides and `[tool.poetry.dependencies]` only adds where a
dependency comes from. The rules are those of Poetry's own factory.

Source: "The pyproject.toml file: dependencies" in the Poetry documentation; PEP 621; PEP 735.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from amlkit.errors import InvalidSpec
from amlkit.light import dataclass, field
from amlkit.services.from_poetry import computed, pep621, poetry_table, shapes, sources
from amlkit.services.from_poetry import groups as group_tables
from amlkit.services.from_poetry.constraints import (
    ANY,
    Constraint,
    NotAConstraint,
    both,
    poetry_constraint,
)
from amlkit.services.from_poetry.records import CondaRules, Declared, Index, Note
from amlkit.services.from_poetry.toml_file import TomlFile, read_toml


@dataclass(frozen=True)
class Project:
    """A project's declarations, before a target is chosen.

    name: normalised, "" where the file has none. python: which Pythons it supports.
    groups: dependencies of each group, with what it includes. extras: each extra, with the others
    that it names. group_extras: extras that a group brings in by requiring the project itself.
    computed_by: the build backend that alone knows the dependencies. poetry_problem: why Poetry
    would not read the project, and so none of its groups.
    """

    file: TomlFile
    name: str
    title: str
    python: Constraint
    main: tuple[Declared, ...]
    groups: dict[str, tuple[Declared, ...]]
    extras: dict[str, frozenset[str]]
    group_extras: dict[str, frozenset[str]]
    tracked: sources.Sources = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()
    rules: CondaRules = field(default_factory=CondaRules)
    notes: tuple[Note, ...] = ()
    computed_by: str | None = None
    poetry_problem: InvalidSpec | None = None

    @property
    def folder(self) -> Path:
        """The folder that the paths in the file start from."""
        return self.file.path.parent

    @property
    def uses_poetry(self) -> bool:
        """Say whether `[tool.poetry]` is there."""
        return "poetry" in self.file.content.get("tool", {})


def read_project(path: Path) -> Project:
    """Read a `pyproject.toml`, or the one in a folder.

    Raises: NotFound: no such file. InvalidSpec: not TOML, or declarations that cannot be read.
    """
    file = read_toml(path / "pyproject.toml" if path.is_dir() else path)
    shapes.check(file)
    project, poetry = file.table("project"), file.table("tool", "poetry")
    _refuse_without_name(file, project, poetry)
    title = project.get("name") or poetry.get("name") or ""
    name = canonicalize_name(title)
    main, includes, notes, computed_by = _main(file, project, poetry, name)
    groups = group_tables.read(file)
    return Project(
        file=file,
        name=name,
        title=title or file.path.resolve().parent.name,
        python=_python(file, project),
        main=tuple(each for each in main if each.name != name),
        groups={key: tuple(d for d in found if d.name != name) for key, found in groups.items()},
        extras=includes,
        group_extras={key: pep621.extras_of_itself(found, name) for key, found in groups.items()},
        tracked=sources.uv_sources(file),
        indexes=sources.indexes(file),
        rules=_rules(file),
        notes=notes + sources.unused_settings(file),
        computed_by=computed_by,
        poetry_problem=_poetry_problem(file, project),
    )


def _refuse_without_name(file: TomlFile, project: dict[str, Any], poetry: dict[str, Any]) -> None:
    if not project and not poetry and not file.table("dependency-groups"):
        raise file.problem(
            "",
            "declares no dependencies: it has neither [project] nor [tool.poetry]",
            hint="give the pyproject.toml of a Poetry, uv, hatch or setuptools project",
        )
    if project or not poetry or not poetry.get("package-mode", True):
        return
    for key in ("name", "version"):
        if not poetry.get(key):
            raise file.problem(
                "tool.poetry",
                f"`{key}` is missing",
                needle="[tool.poetry]",
                hint=f"add `{key}`, or `package-mode = false` when it is not a package",
            )


def _main(
    file: TomlFile, project: dict[str, Any], poetry: dict[str, Any], name: str
) -> tuple[tuple[Declared, ...], dict[str, frozenset[str]], tuple[Note, ...], str | None]:
    """Return the main dependencies, the extras, what to report, and who computes the rest."""
    legacy = poetry_table.dependencies(file, "tool", "poetry", "dependencies")
    optional, includes = pep621.optional(file, file.table("project", "optional-dependencies"), name)
    required = pep621.requirements(file, project.get("dependencies", []), "project.dependencies")
    from_files, computed_by = computed.dependencies(file, project)
    if legacy and not required and not optional:
        extras = file.table("tool", "poetry", "extras")
        for extra in extras:
            includes.setdefault(canonicalize_name(extra), frozenset())
        return poetry_table.with_extras(legacy, extras), includes, (), None
    declared = (*required, *from_files, *optional)
    if legacy and set(project.get("dynamic", [])) & {"dependencies", "optional-dependencies"}:
        return _mixed(declared, legacy), includes, (), None
    enriched, notes = sources.enrich(declared, legacy)
    return enriched, includes, notes, computed_by


def _mixed(declared: tuple[Declared, ...], legacy: tuple[Declared, ...]) -> tuple[Declared, ...]:
    # With `dynamic`, one half stands in [project] and the other in [tool.poetry].
    if all(each.optional for each in declared):
        return (*declared, *(each for each in legacy if not each.optional))
    if not any(each.optional for each in declared):
        return (*declared, *(each for each in legacy if each.optional))
    return declared


def _poetry_problem(file: TomlFile, project: dict[str, Any]) -> InvalidSpec | None:
    written = project.get("license")
    if isinstance(written, dict) and "file" in written:
        path = file.path.parent / written["file"]
        if not path.is_file():
            message = f"`{written['file']}` does not exist, and Poetry refuses the project without"
            return file.problem("project.license", message, hint="restore the file")
    for key in ("authors", "maintainers"):
        if not all(isinstance(each, dict) for each in project.get(key, ())):
            message = "Poetry refuses a name that is not a table"
            return file.problem(f"project.{key}", message, hint='write `{ name = "..." }`')
    return None


def _python(file: TomlFile, project: dict[str, Any]) -> Constraint:
    poetry = file.table("tool", "poetry", "dependencies").get("python")
    found = ANY
    for where, text in (
        ("project.requires-python", project.get("requires-python")),
        ("tool.poetry.dependencies.python", poetry),
    ):
        if isinstance(text, str) and text.strip() not in {"", "*"}:
            try:
                found = both(found, poetry_constraint(text))
            except NotAConstraint as cause:
                raise file.problem(where, str(cause), needle=text) from cause
    return found


def _rules(file: TomlFile) -> CondaRules:
    table = file.table("tool", "poetry2conda")
    rules = file.table("tool", "poetry2conda", "dependencies")
    return CondaRules(
        name=table.get("name"),
        default_channel=table.get("default-channel"),
        exclude=frozenset(_names(table.get("exclude", ()))),
        dependencies={canonicalize_name(name): rule for name, rule in rules.items()},
    )


def _names(written: Iterable[str] | str) -> list[str]:
    return [
        canonicalize_name(each) for each in ([written] if isinstance(written, str) else written)
    ]
