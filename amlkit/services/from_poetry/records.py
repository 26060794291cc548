"""What `env from-poetry` reads and returns: declared dependencies in, lines of a conda file out."""

from __future__ import annotations

from typing import Any, Literal

from amlkit.light import dataclass, field
from amlkit.services.from_poetry.constraints import ANY, Constraint

Mode = Literal["auto", "locked", "ranges"]


@dataclass(frozen=True)
class Direct:
    """A dependency that does not come from an index.

    kind: `git`, `url`, or `path` (a folder or file of this machine).
    """

    kind: Literal["git", "url", "path"]
    location: str
    reference: str | None = None
    subdirectory: str | None = None


@dataclass(frozen=True)
class Declared:
    """One dependency as the project declares it, before anything is known of the target.

    name: normalised. in_extras: extras that bring it in. python: in Poetry's language.
    index: name of the source or index it must come from. where: key path in pyproject.toml.
    variants: what `[tool.poetry]` adds to a dependency of `[project]`.
    """

    name: str
    constraint: Constraint = ANY
    extras: frozenset[str] = frozenset()
    marker: str | None = None
    python: str | None = None
    platform: str | None = None
    optional: bool = False
    in_extras: frozenset[str] = frozenset()
    direct: Direct | None = None
    index: str | None = None
    prereleases: bool = False
    where: str = ""
    variants: tuple[Declared, ...] = ()


@dataclass(frozen=True)
class Index:
    """A package index besides PyPI. explicit: only for the dependencies that name it."""

    name: str
    url: str
    explicit: bool = False
    default: bool = False
    flat: bool = False


@dataclass(frozen=True)
class CondaRules:
    """`[tool.poetry2conda]`: which dependencies become conda packages, and under what name."""

    name: str | None = None
    default_channel: str | None = None
    exclude: frozenset[str] = frozenset()
    dependencies: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """One thing that was skipped or changed, and why. subject: a dependency, or `python`."""

    subject: str
    reason: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}"


@dataclass(frozen=True)
class ResolvedLine:
    """One line of the conda file.

    name: of the package on PyPI, normalised. requirement: the text in the file.
    reason: who asked for it. source: where the version comes from. channel: who installs it.
    """

    name: str
    requirement: str
    reason: str
    source: Literal["lock", "range", "direct"]
    channel: str = "pip"
    version: str | None = None


@dataclass(frozen=True)
class CondaFile:
    """An environment for Azure ML, as the conda file to write and the reasons behind it.

    text: the exact file, the same bytes for the same project. document: what YAML would load.
    python: `3.11`. mode: what was used, `locked` or `ranges`.
    import_names: top-level packages for a smoke test, where the names are known.
    """

    name: str
    text: str
    document: dict[str, Any]
    lines: tuple[ResolvedLine, ...]
    notes: tuple[Note, ...]
    python: str
    mode: Literal["locked", "ranges"]
    import_names: tuple[str, ...] = ()
