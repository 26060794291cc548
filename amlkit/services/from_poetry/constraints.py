"""Version constraints: Poetry's language and PEP 440's, as one value that pip or conda can read.

Poetry's operators translate one by one (`^1.2` is `>=1.2,<2`), so a conjunction needs no algebra.
Only `||` does: pip has no "or", and `unions.py` looks for specifiers that mean the same.

Source: "Dependency specification" in the Poetry documentation; PEP 440, "Version specifiers".
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from amlkit.light import dataclass

Conjunction = tuple[Specifier, ...]

_CLAUSE = re.compile(
    r"\s*(?P<op>\^|~=|~|===|==|=|!=|<=|>=|<|>)?\s*(?P<version>(?:[^\s,^~=!<>|]|!(?!=))+)"
)
_SEPARATOR = re.compile(r"[\s,]*")


class NotAConstraint(ValueError):
    """The text is not a version constraint; the message says which part."""


@dataclass(frozen=True)
class Constraint:
    """What versions are wanted: any of the alternatives, each a conjunction of PEP 440 clauses.

    text: as the project wrote it, for messages.
    """

    text: str
    alternatives: tuple[Conjunction, ...]

    @property
    def is_any(self) -> bool:
        """Say whether every version is wanted."""
        return any(not clauses for clauses in self.alternatives)

    def allows(self, version: Version) -> bool:
        """Say whether the version, pre-releases included, is wanted."""
        return any(
            all(clause.contains(version, prereleases=True) for clause in clauses)
            for clauses in self.alternatives
        )

    @cached_property
    def pip(self) -> str:
        """Return PEP 440 clauses joined by commas, "" for any version.

        Raises: CannotExpress: pip has no words for this union.
        """
        if self.is_any:
            return ""
        if len(self.alternatives) == 1:
            return join(self.alternatives[0])
        from amlkit.services.from_poetry.unions import as_conjunction

        return join(as_conjunction(self))

    @property
    def conda(self) -> str:
        """Return a conda version: the alternatives joined by `|`, "" for any version."""
        if self.is_any:
            return ""
        return "|".join(_conda(clauses) for clauses in self.alternatives)


ANY = Constraint("*", ((),))


@lru_cache(maxsize=4096)
def poetry_constraint(text: str) -> Constraint:
    """Read a constraint in Poetry's language, such as `^1.2 || ~2.0.1`.

    Raises: NotAConstraint: a part that Poetry would refuse too.
    """
    alternatives = re.split(r"\|\|?", text.strip())
    return Constraint(text, tuple(_conjunction(each) for each in alternatives))


def pep440_constraint(specifiers: SpecifierSet | str) -> Constraint:
    """Wrap PEP 440 clauses, in the order in which they were written.

    Raises: NotAConstraint: the text is not PEP 440.
    """
    text = str(specifiers)
    try:
        clauses = tuple(Specifier(each.strip()) for each in text.split(",") if each.strip())
    except InvalidSpecifier as cause:
        raise NotAConstraint(f"`{text}` is not a version specifier") from cause
    return Constraint(text or "*", (clauses,))


def both(first: Constraint, second: Constraint) -> Constraint:
    """Return the constraint that both hold: two declarations of one package."""
    if first.is_any:
        return second
    if second.is_any or first.alternatives == second.alternatives:
        return first
    pairs = [
        _distinct((*one, *other)) for one in first.alternatives for other in second.alternatives
    ]
    return Constraint(f"{first.text},{second.text}", tuple(pairs))


def join(clauses: Conjunction) -> str:
    """Write clauses as pip reads them, without spaces."""
    return ",".join(str(clause) for clause in clauses)


def _distinct(clauses: Conjunction) -> Conjunction:
    return tuple(dict.fromkeys(clauses))


def _conda(clauses: Conjunction) -> str:
    # conda writes `==1.2.*` as `=1.2`, and has no `===`.
    words = []
    for clause in clauses:
        operator, version = clause.operator, clause.version
        if operator == "==" and version.endswith(".*"):
            words.append(f"={version.removesuffix('.*')}")
        elif operator == "===":
            words.append(f"=={version}")
        else:
            words.append(f"{operator}{version}")
    return ",".join(words)


def _conjunction(text: str) -> Conjunction:
    clauses: list[Specifier] = []
    position = 0
    text = text.strip().rstrip(",").rstrip()
    if not text:
        raise NotAConstraint("an empty constraint")
    while position < len(text):
        found = _CLAUSE.match(text, position)
        if found is None:
            raise NotAConstraint(f"`{text[position:].strip()}` is not a version constraint")
        clauses += _clause(found["op"] or "", found["version"])
        position = found.end()
        separator = _SEPARATOR.match(text, position)
        position = separator.end() if separator else position
    return _distinct(tuple(clauses))


def _clause(operator: str, written: str) -> Conjunction:
    if re.fullmatch(r"[vV]?[xX*](\.[xX*])*", written) and operator in {"", "=", "=="}:
        return ()
    wildcard = re.search(r"(\.[*])+$", written)
    text = written[: wildcard.start()] if wildcard else written
    try:
        version = Version("0.0.dev0" if text == "dev" else text)
    except InvalidVersion as cause:
        raise NotAConstraint(f"`{operator}{written}` is not a version constraint") from cause
    return _translated(operator, version, wildcard=wildcard is not None)


def _translated(operator: str, version: Version, *, wildcard: bool) -> Conjunction:
    if operator in {"^", "~"} and not wildcard:
        return _at_least_below(version, _next(version, operator))
    if operator in {"", "=", "==", "===", "!="}:
        negated = "!=" if operator == "!=" else "=="
        if not wildcard:
            return (Specifier(f"{negated}{version}"),)
        if version.is_prerelease or version.is_postrelease or version.local:
            raise NotAConstraint(f"`{operator}{version}.*` is not a version constraint")
        return (Specifier(f"{negated}{version}.*"),)
    if operator == "~=" and not wildcard:
        if len(version.release) == 1:
            return _at_least_below(version, _next(version, "~"))
        return (Specifier(f"~={_public(version)}"),)
    if operator in {"<", "<=", ">", ">="}:
        return (Specifier(f"{operator}{_public(version)}"),)
    raise NotAConstraint(f"`{operator}{version}` is not a version constraint")


def _at_least_below(version: Version, limit: str) -> Conjunction:
    return (Specifier(f">={_public(version)}"), Specifier(f"<{limit}"))


def _public(version: Version) -> Version:
    # PEP 440 orders public versions only: a `+local` part after `>=` is refused by pip.
    if version.local:
        raise NotAConstraint(f"a range cannot start or end at the local version `{version}`")
    return version


def _next(version: Version, operator: str) -> str:
    """Return the first release that `^` or `~` no longer allows."""
    release = version.release
    if operator == "~":
        kept = 1 if len(release) == 1 else 2
    else:
        leading = next((at for at, part in enumerate(release[:3]) if part), None)
        kept = min(len(release), 3) if leading is None else leading + 1
    bumped = (*release[: kept - 1], release[kept - 1] + 1)
    epoch = f"{version.epoch}!" if version.epoch else ""
    return epoch + ".".join(map(str, bumped))
