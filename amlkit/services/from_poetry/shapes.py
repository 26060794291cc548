"""The shapes of the tables that are read, checked once, so that no reader has to ask.

A shape is a type, a list of one shape, a table (`*`: any other key), or a tuple of alternatives.
Keys that are not named here are nobody's business.
"""

from __future__ import annotations

from typing import Any

from amlkit.services.from_poetry.toml_file import TomlFile

Shape = Any

_TEXTS = [str]
_RULE = {
    **dict.fromkeys(("version", "python", "platform", "markers", "source"), str),
    **dict.fromkeys(("git", "tag", "branch", "rev", "subdirectory", "url", "path", "file"), str),
    **dict.fromkeys(("optional", "allow-prereleases", "develop"), bool),
    "extras": _TEXTS,
}
_DEPENDENCIES = {"*": (str, _RULE, [(str, _RULE)])}
_SOURCE = {
    **dict.fromkeys(("git", "tag", "branch", "rev", "subdirectory", "url", "path"), str),
    **dict.fromkeys(("index", "marker", "extra", "group"), str),
    "workspace": bool,
}
_INDEX = {"name": str, "url": str, "explicit": bool, "default": bool, "priority": str}
_POETRY = {
    **dict.fromkeys(("name", "version"), str),
    "package-mode": bool,
    "dependencies": _DEPENDENCIES,
    "dev-dependencies": _DEPENDENCIES,
    "group": {
        "*": {"dependencies": _DEPENDENCIES, "optional": bool, "include-groups": _TEXTS},
    },
    "extras": {"*": _TEXTS},
    "source": [_INDEX],
}
_UV = {
    "sources": {"*": (_SOURCE, [_SOURCE])},
    "index": [_INDEX],
    "index-url": str,
    **dict.fromkeys(("extra-index-url", "find-links", "dev-dependencies"), _TEXTS),
    "workspace": {"members": _TEXTS},
}
_POETRY2CONDA = {
    "name": str,
    "default-channel": str,
    "exclude": (str, _TEXTS),
    "dependencies": {"*": {"channel": str, "name": str, "version": str}},
}
PYPROJECT = {
    "project": {
        **dict.fromkeys(("name", "version", "requires-python"), str),
        **dict.fromkeys(("dependencies", "dynamic"), _TEXTS),
        "optional-dependencies": {"*": _TEXTS},
        "license": (str, {"file": str, "text": str}),
        "authors": [(str, dict)],
        "maintainers": [(str, dict)],
    },
    "dependency-groups": {"*": [(str, {"include-group": str})]},
    "build-system": {"build-backend": str},
    "tool": {
        "poetry": _POETRY,
        "uv": _UV,
        "poetry2conda": _POETRY2CONDA,
        "setuptools": {"dynamic": {"dependencies": {"file": (str, _TEXTS)}}},
    },
}

_WORDS = {str: "text", bool: "true or false", dict: "a table"}


def check(file: TomlFile) -> None:
    """Check a `pyproject.toml`.

    Raises: InvalidSpec: a value of another type than its reader expects, with its place.
    """
    _check(file, file.content, PYPROJECT, ())


def _check(file: TomlFile, value: object, shape: Shape, path: tuple[str, ...]) -> None:
    fitting = shape if isinstance(shape, tuple) else (shape,)
    chosen = next((each for each in fitting if isinstance(value, _type(each))), None)
    if chosen is None:
        expected = " or ".join(dict.fromkeys(_word(each) for each in fitting))
        raise file.problem(".".join(path), f"expected {expected}, got `{value!r}`")
    if isinstance(chosen, list) and isinstance(value, list):
        for each in value:
            _check(file, each, chosen[0], path)
    elif isinstance(chosen, dict) and isinstance(value, dict):
        for key, inner in value.items():
            if key in chosen or "*" in chosen:
                _check(file, inner, chosen.get(key, chosen.get("*")), (*path, key))


def _type(shape: Shape) -> type:
    return shape if isinstance(shape, type) else type(shape)


def _word(shape: Shape) -> str:
    return "a list" if isinstance(shape, list) else _WORDS[_type(shape)]
