"""From chosen or locked packages to the lines of the conda file, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence

from amlkit.errors import InvalidSpec, NotSupported
from amlkit.light import dataclass, field, replace
from amlkit.services.from_poetry import conda_names
from amlkit.services.from_poetry.constraints import NotAConstraint, poetry_constraint
from amlkit.services.from_poetry.direct import is_local, reference, with_extras
from amlkit.services.from_poetry.locks import Locked
from amlkit.services.from_poetry.project import Project
from amlkit.services.from_poetry.records import Declared, Direct, Note, ResolvedLine
from amlkit.services.from_poetry.selection import Chosen
from amlkit.services.from_poetry.unions import CannotExpress


@dataclass
class Lines:
    """The lines so far, and what was skipped or changed on the way."""

    found: list[ResolvedLine] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def of_channel(self, *, pip: bool) -> list[str]:
        """Return the requirements that pip, or conda, installs."""
        return [each.requirement for each in self.found if (each.channel == "pip") == pip]


def from_ranges(project: Project, chosen: Sequence[Chosen], *, conda: bool) -> Lines:
    """Write each dependency with its range.

    Raises: InvalidSpec: a path dependency, or a range that pip cannot express.
    """
    lines = Lines()
    for each in chosen:
        declared = _with_rule(project, each.declared)
        if _excluded(project, declared.name, lines):
            continue
        if declared.prereleases:
            lines.notes.append(
                Note(declared.name, "`allow-prereleases` has no equivalent for one pip requirement")
            )
        lines.found.append(_range_line(project, declared, each.asked_by, lines, conda=conda))
    return lines


def from_lock(
    project: Project,
    locked: Sequence[Locked],
    declared: frozenset[str],
    *,
    conda: bool,
    hashes: bool,
    inline: bool,
) -> Lines:
    """Write each locked package with its exact version.

    declared: the project's own dependencies; of the others, conda would not have every version.
    inline: leave local packages out, their own dependencies being locked too.
    Raises: InvalidSpec: a local package. NotSupported: hashes for what has none.
    """
    lines = Lines()
    for each in locked:
        if _excluded(project, each.name, lines):
            continue
        if each.direct is not None and is_local(each.direct) and inline:
            lines.notes.append(_travels(each.name, each.direct.location))
            continue
        if each.direct is not None:
            _refuse_local(project, each.name, _where(project, each.name), each.direct)
        by_conda = each.name in declared and "+" not in each.version and not hashes
        channel = (
            _channel(project, each.name, frozenset(), lines, conda=conda) if by_conda else None
        )
        lines.found.append(_locked_line(each, channel, hashes=hashes))
    return lines


def _range_line(
    project: Project, declared: Declared, asked_by: str, lines: Lines, *, conda: bool
) -> ResolvedLine:
    name = declared.name
    if declared.direct is not None:
        _refuse_local(project, name, declared.where, declared.direct)
        text = reference(name, declared.extras, declared.direct)
        return ResolvedLine(name, text, asked_by, "direct")
    channel = None
    if "+" not in declared.constraint.conda:
        channel = _channel(project, name, declared.extras, lines, conda=conda)
    if channel is not None:
        text = f"{channel.requirement}{declared.constraint.conda}"
        return ResolvedLine(name, text, asked_by, "range", channel.name)
    text = f"{name}{with_extras(declared.extras)}{_pip(project, declared)}"
    return ResolvedLine(name, text, asked_by, "range")


def _locked_line(locked: Locked, channel: _Channel | None, *, hashes: bool) -> ResolvedLine:
    name, version, reason = locked.name, locked.version, locked.asked_by
    if locked.direct is not None:
        if hashes:
            raise NotSupported(
                f"`{name}` comes from {locked.direct.kind}, and pip cannot check its hash",
                hint="leave `--hashes` out",
            )
        text = reference(name, frozenset(), locked.direct)
        return ResolvedLine(name, text, reason, "lock", "pip", version)
    if channel is not None:
        text = f"{channel.requirement}=={version}"
        return ResolvedLine(name, text, reason, "lock", channel.name, version)
    if hashes and not locked.hashes:
        raise NotSupported(f"the lock has no hash for `{name}`", hint="leave `--hashes` out")
    text = f"{name}=={version}"
    if hashes:
        text += "".join(f" --hash={each}" for each in locked.hashes)
    return ResolvedLine(name, text, reason, "lock", "pip", version)


@dataclass(frozen=True)
class _Channel:
    name: str
    requirement: str


def _channel(
    project: Project, name: str, extras: frozenset[str], lines: Lines, *, conda: bool
) -> _Channel | None:
    """Return where conda finds the package, None when pip installs it."""
    rules = project.rules
    default = rules.default_channel or ("conda-forge" if conda else "pip")
    rule = rules.dependencies.get(name)
    if rule is None:
        channel = default
    else:
        # A rule without a channel renames a conda package, as in poetry2conda.
        channel = rule.get("channel", "conda-forge" if default == "pip" else default)
    if channel == "pip":
        return None
    if extras and rule is None:
        lines.notes.append(Note(name, f"left to pip: conda has no extras `{with_extras(extras)}`"))
        return None
    wanted = (rule or {}).get("name") or conda_names.conda_name(name)
    if wanted != name:
        lines.notes.append(Note(name, f"is `{wanted}` on {channel}"))
    return _Channel(channel, f"{channel}::{wanted}")


def _with_rule(project: Project, declared: Declared) -> Declared:
    """Return the dependency with the version that `[tool.poetry2conda]` gives it for conda.

    As in poetry2conda, a git dependency with such a version is no longer one.
    """
    rule = project.rules.dependencies.get(declared.name, {})
    if "version" not in rule or rule.get("channel") == "pip":
        return declared
    try:
        return replace(declared, constraint=poetry_constraint(rule["version"]), direct=None)
    except NotAConstraint as cause:
        where = f"tool.poetry2conda.dependencies.{declared.name}"
        raise project.file.problem(where, str(cause), needle=rule["version"]) from cause


def _pip(project: Project, declared: Declared) -> str:
    try:
        return declared.constraint.pip
    except CannotExpress as cause:
        raise project.file.problem(
            declared.where,
            str(cause),
            hint="lock the project, keep one of the alternatives, or have conda install it "
            "([tool.poetry2conda])",
        ) from cause


def _excluded(project: Project, name: str, lines: Lines) -> bool:
    if name not in project.rules.exclude:
        return False
    lines.notes.append(Note(name, "skipped: named in `exclude` of [tool.poetry2conda]"))
    return True


def _refuse_local(project: Project, name: str, where: str, direct: Direct) -> None:
    if is_local(direct):
        raise local_refusal(project, name, where, direct)


def local_refusal(project: Project, name: str, where: str, direct: Direct) -> InvalidSpec:
    """Return the refusal of a dependency that is a folder or file of this machine."""
    return project.file.problem(
        where,
        f"`{name}` is `{direct.location}` on this machine, and Azure never receives it",
        needle=name,
        hint="publish it, give its git URL, or use `--inline-path-deps` and send its code "
        "with the job" + _or_ranges(project, name),
    )


def _or_ranges(project: Project, name: str) -> str:
    # One group can have the folder and another the published package; a lock then has the folder.
    published = any(each.name == name and each.direct is None for each in project.main)
    tracked = name in project.tracked
    return "; `--ranges` takes the published one" if published and not tracked else ""


def _travels(name: str, location: str) -> Note:
    return Note(name, f"inlined: only its dependencies; send `{location}` with the job's code")


def _where(project: Project, name: str) -> str:
    groups = (declared for found in project.groups.values() for declared in found)
    named = (each.where for each in (*project.main, *groups) if each.name == name)
    return next(named, "")
