"""Poetry's `python =` and `platform =` restrictions of a single dependency.

Source: "Dependency specification: Python restricted dependencies" in the Poetry documentation.
A bare `python = "3.11"` means every 3.11; in a range, `3.11` means 3.11.0, so `<=3.11` leaves
3.11.9 out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import Specifier
from packaging.version import Version

from amlkit.services.from_poetry.constraints import poetry_constraint

if TYPE_CHECKING:
    from amlkit.services.from_poetry.markers import Target
    from amlkit.services.from_poetry.records import Declared


def hold(declared: Declared, target: Target) -> bool:
    """Say whether the dependency is for the target's Python and platform.

    Raises: NotAConstraint: the `python` restriction cannot be read.
    """
    return python_allows(declared.python, target.full_python) and platform_allows(declared.platform)


def python_allows(restriction: str | None, python: str) -> bool:
    """Say whether a `python =` restriction allows a Python such as `3.11.9`."""
    if not restriction:
        return True
    version = Version(python)
    return any(
        all(_whole_minor(clause).contains(version) for clause in clauses)
        for clauses in poetry_constraint(restriction).alternatives
    )


def platform_allows(restriction: str | None, platform: str = "linux") -> bool:
    """Say whether a `platform =` restriction, such as `linux || darwin`, allows a platform."""
    if not restriction or restriction.strip() == "*":
        return True
    return any(
        all(_platform_clause(each, platform) for each in re.split(r"[\s,]+", alternative.strip()))
        for alternative in re.split(r"\|\|?", restriction)
    )


def _whole_minor(clause: Specifier) -> Specifier:
    if clause.operator == "==" and clause.version.count(".") == 1 and "*" not in clause.version:
        return Specifier(f"=={clause.version}.*")
    return clause


def _platform_clause(clause: str, platform: str) -> bool:
    if clause.startswith("!="):
        return clause.removeprefix("!=") != platform
    return clause.lstrip("=") == platform
