"""Verdicts as SARIF 2.1.0, which code hosts show beside the lines of a change.

Source: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", OASIS.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from amlkit import __version__
from amlkit.errors import Problem
from amlkit.services.validate import Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return one run with a result for every problem."""
    problems = [each for verdict in verdicts for each in verdict.problems]
    codes = sorted({each.code for each in problems})
    driver = {
        "name": "amlkit",
        "version": __version__,
        "informationUri": "https://pypi.org/project/amlkit/",
        "rules": [{"id": code, "name": _rule(code)} for code in codes],
    }
    results = [_result(each, codes.index(each.code)) for each in problems]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
        ],
    }


def _rule(code: str) -> str:
    return "".join(word.capitalize() for word in code.split("-"))


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    if problem.hint:
        text += f" ({problem.hint})"
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem.file)}}
    if problem.line:
        place["region"] = {"startLine": problem.line, "startColumn": max(1, problem.column)}
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": "error" if problem.severity == "error" else "warning",
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    """Return a path relative to here as it is, any other as a `file:` address."""
    if file.startswith("<"):
        return quote(file.strip("<>"))
    path = PurePath(file)
    return Path(file).as_uri() if path.is_absolute() else quote(path.as_posix())
