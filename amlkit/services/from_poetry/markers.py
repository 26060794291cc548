"""Environment markers, evaluated for the one target that an Azure ML image is: linux x86_64.

`packaging` evaluates a marker for a single extra; a project is installed with a set of them, and
uv's locks write conditions on several at once. Hence an evaluator over sets of extras and groups.

Source: PyPA "Dependency specifiers"; uv, "Resolver internals: conflicting dependencies".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from packaging.specifiers import InvalidSpecifier, Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from amlkit.light import dataclass, field

# The last patch release of each Python: what conda installs for `python=3.x`.
LATEST_PATCH = {6: 15, 7: 17, 8: 20, 9: 25, 10: 20, 11: 15, 12: 13, 13: 12, 14: 3}

_VERSIONS = {"python_version", "python_full_version", "implementation_version"}
_SETS = {"extra", "extras", "dependency_groups"}
_TOKEN = re.compile(
    r"\s*(?:(?P<paren>[()])|(?P<op><=|>=|===|==|!=|~=|<|>|not\s+in\b|in\b)|(?P<word>and\b|or\b)"
    r"|(?P<name>[a-z_.]+)|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\")",
)
_OLD_NAMES = {
    "os.name": "os_name",
    "sys.platform": "sys_platform",
    "platform.version": "platform_version",
    "platform.machine": "platform_machine",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
}

Test = Callable[["Target"], bool]


class NotAMarker(ValueError):
    """The text is not an environment marker."""


@dataclass(frozen=True)
class Target:
    """The machine the environment is for, and what of the project is installed on it.

    python: `3.11`; patch: of that Python. extras, groups: the selected ones, names normalised.
    """

    python: str
    patch: int
    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    values: dict[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _values(self.python, self.full_python))

    @property
    def full_python(self) -> str:
        """The Python with its patch, as in `3.11.15`."""
        return f"{self.python}.{self.patch}"

    def accepts(self, marker: str | None) -> bool:
        """Say whether the marker holds; no marker always does.

        Raises: NotAMarker: the text cannot be read.
        """
        return not marker or _parsed(marker)(self)


def extras_in(marker: str | None) -> frozenset[str]:
    """Return the extras that a marker asks for with `extra == "name"`."""
    if not marker or "extra" not in marker:
        return frozenset()
    found = re.findall(r"\bextra\s*==\s*['\"]([^'\"]+)['\"]", marker)
    return frozenset(canonicalize_name(each) for each in found)


def _values(python: str, full: str) -> dict[str, str]:
    return {
        "python_version": python,
        "python_full_version": full,
        "implementation_version": full,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "platform_release": "",
        "platform_version": "",
    }


@lru_cache(maxsize=8192)
def _parsed(marker: str) -> Test:
    return _Reader(marker).read()


class _Reader:
    """A recursive reader of the marker grammar; `or` binds weaker than `and`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0

    def read(self) -> Test:
        test = self._any()
        if self.at != len(self.tokens):
            raise NotAMarker(f"`{self.text}` is not an environment marker")
        return test

    def _any(self) -> Test:
        tests = [self._all()]
        while self._next_is("word", "or"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda target: any(test(target) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._next_is("word", "and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda target: all(test(target) for test in tests)

    def _one(self) -> Test:
        if self._next_is("paren", "("):
            test = self._any()
            if not self._next_is("paren", ")"):
                raise NotAMarker(f"`{self.text}` misses a `)`")
            return test
        left, operator, right = self._take(), self._take(), self._take()
        if operator[0] != "op" or {left[0], right[0]} - {"name", "value"}:
            raise NotAMarker(f"`{self.text}` is not an environment marker")
        return _comparison(left, " ".join(operator[1].split()), right)

    def _next_is(self, kind: str, text: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == (kind, text):
            self.at += 1
            return True
        return False

    def _take(self) -> tuple[str, str]:
        if self.at == len(self.tokens):
            raise NotAMarker(f"`{self.text}` ends too early")
        self.at += 1
        return self.tokens[self.at - 1]


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise NotAMarker(f"`{text}` is not an environment marker")
        kind = found.lastgroup or ""
        value = found[kind]
        tokens.append(("value", value) if kind in {"single", "double"} else (kind, value))
        position = found.end()
    return tokens


def _comparison(left: tuple[str, str], operator: str, right: tuple[str, str]) -> Test:
    names = [_OLD_NAMES.get(side[1], side[1]) for side in (left, right) if side[0] == "name"]
    if any(name in _SETS for name in names):
        wanted = canonicalize_name(right[1] if left[0] == "name" else left[1])
        return _membership(names[0], operator, wanted)
    if any(name not in _values("", "") for name in names):
        raise NotAMarker(f"`{names[0]}` is not a marker variable")
    versions = any(name in _VERSIONS for name in names)
    return lambda target: _compare(
        _value(left, target), operator, _value(right, target), versions=versions
    )


def _membership(name: str, operator: str, wanted: str) -> Test:
    negated = operator in {"!=", "not in"}

    def test(target: Target) -> bool:
        selected = target.groups if name == "dependency_groups" else target.extras
        return (wanted in selected) != negated

    return test


def _value(side: tuple[str, str], target: Target) -> str:
    kind, text = side
    return target.values[_OLD_NAMES.get(text, text)] if kind == "name" else text


def _compare(left: str, operator: str, right: str, *, versions: bool) -> bool:
    if operator == "in":
        return left in _choices(right) if versions else left in right
    if operator == "not in":
        return left not in (_choices(right) if versions else right)
    if versions:
        compared = _compare_versions(left, operator, right)
        if compared is not None:
            return compared
    return {
        "==": left == right,
        "===": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "~=": False,
    }[operator]


def _choices(text: str) -> list[str]:
    return re.split(r"[\s,|]+", text.strip())


def _compare_versions(left: str, operator: str, right: str) -> bool | None:
    try:
        return Specifier(operator + right).contains(Version(left), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        pass
    try:
        # The literal came first, as in `"3.8" <= python_version`.
        mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(operator, operator)
        return Specifier(mirrored + left).contains(Version(right), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None
