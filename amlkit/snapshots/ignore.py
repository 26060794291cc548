"""Which files a snapshot leaves out: `.gitignore` and `.amlignore` rules, as git reads them.

A rule in a deeper folder wins over one above it; in one folder `.amlignore` is read after
`.gitignore`, so it can add rules and take some back with `!`. (Azure ML reads `.amlignore` alone
where both exist; merged, a file that git ignores never leaves the machine by surprise.)
Source: gitignore(5), "Pattern format".
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from amlkit.config import home
from amlkit.light import dataclass

ALWAYS_OUT = frozenset({".amlkit", ".git", ".venv", "__pycache__"})
FILES = (".gitignore", ".amlignore")


@dataclass(frozen=True)
class Rule:
    """One pattern and where it was written. line: from 1; 0 for the rules that always hold."""

    file: str
    line: int
    pattern: str
    regex: re.Pattern[str] | None = None
    negated: bool = False
    folders_only: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.pattern}" if self.line else self.file


class IgnoreRules:
    """The rules that hold in one folder. Immutable; `entering` gives those of a folder below."""

    def __init__(self, rules: tuple[Rule, ...] = ()) -> None:
        self._rules = rules

    @classmethod
    def of(cls, root: Path) -> IgnoreRules:
        """Return the rules at the top of a folder: where amlkit keeps its own is never in it."""
        own, top = home().resolve(), root.resolve()
        if own == top or not own.is_relative_to(top):
            return cls()
        pattern = re.compile(re.escape(own.relative_to(top).as_posix()) + r"\Z")
        return cls((Rule("AMLKIT_HOME", 0, str(own), pattern),))

    def entering(self, folder: Path | str, relative: str = "") -> IgnoreRules:
        """Return the rules inside `folder`, `relative` to the root (posix, "" is the root)."""
        found = list(self._rules)
        for name in FILES:
            path = os.path.join(folder, name)  # noqa: PTH118  called for every folder
            try:
                with open(path, encoding="utf-8-sig", errors="replace") as lines:  # noqa: PTH123
                    text = lines.read()
            except (FileNotFoundError, IsADirectoryError, PermissionError):
                continue
            found += parse(text, file=f"{relative}/{name}" if relative else name, base=relative)
        return IgnoreRules(tuple(found)) if len(found) > len(self._rules) else self

    def match(self, relative: str, *, is_folder: bool) -> Rule | None:
        """Return the rule that leaves a path out, or None when it stays in.

        The folders above it are taken to be in: what is below an ignored folder is not asked for.
        """
        if relative.rsplit("/", 1)[-1] in ALWAYS_OUT:
            return Rule("always left out", 0, relative)
        rule = self.spoken(relative, is_folder=is_folder)
        return None if rule is None or rule.negated else rule

    def spoken(self, relative: str, *, is_folder: bool) -> Rule | None:
        """Return the last rule that speaks of a path, be it against it or (`!`) for it."""
        for rule in reversed(self._rules):
            if rule.folders_only and not is_folder:
                continue
            if rule.regex is not None and rule.regex.match(relative):
                return rule
        return None


def parse(text: str, *, file: str, base: str = "") -> list[Rule]:
    """Return the rules of an ignore file that lies in the folder `base`."""
    rules = []
    for number, line in enumerate(text.splitlines(), start=1):
        pattern = _trimmed(line)
        if not pattern or pattern.startswith("#"):
            continue
        negated = pattern.startswith("!")
        body = pattern[1:] if negated else pattern
        folders_only = body.endswith("/")
        body = body.rstrip("/") if folders_only else body
        if body:
            regex = _regex(body, base)
            rules.append(Rule(file, number, pattern, regex, negated, folders_only))
    return rules


def _trimmed(line: str) -> str:
    end = len(line)
    while end and line[end - 1] in " \t" and not (end > 1 and line[end - 2] == "\\"):
        end -= 1
    return line[:end]


def _regex(body: str, base: str) -> re.Pattern[str]:
    anchored = "/" in body
    prefix = re.escape(base + "/") if base else ""
    start = prefix if anchored else prefix + "(?:.*/)?"
    try:
        return re.compile(f"(?s:{start}{_translate(body.removeprefix('/'))})\\Z")
    except re.error:
        # A range such as [z-a]: git lets it match nothing.
        return re.compile(r"(?!)")


def _translate(body: str) -> str:
    out = ""
    index = 0
    while index < len(body):
        if body.startswith("**/", index) and (index == 0 or body[index - 1] == "/"):
            out += "(?:.*/)?"
            index += 3
        elif body[index:] == "**" and index and body[index - 1] == "/":
            return out + ".+"
        elif body[index] == "*":
            out += "[^/]*"
            index += 1
        elif body[index] == "?":
            out += "[^/]"
            index += 1
        elif body[index] == "[" and (close := body.find("]", index + 2)) > 0:
            inside = body[index + 1 : close].replace("\\", "\\\\")
            out += "(?!/)[" + ("^" + inside[1:] if inside[0] in "!^" else inside) + "]"
            index = close + 1
        else:
            index += body[index] == "\\" and index + 1 < len(body)
            out += re.escape(body[index])
            index += 1
    return out
