"""`${{...}}` and `$[[...]]`: parsed with positions, resolved with the quoting their place needs.

Source: "Core syntax for the Azure Machine Learning CLI (v2)": expression syntax, optional inputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from amlkit.light import dataclass
from amlkit.records import JSON

_BINDING = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")
_TWO_WORD_ROOTS = ("parent.inputs", "parent.outputs", "parent.jobs")
_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


@dataclass(frozen=True)
class Binding:
    """One `${{root.key...}}`. start, end: its place in the text; optional: inside `$[[ ]]`."""

    root: str
    keys: tuple[str, ...]
    optional: bool
    start: int
    end: int

    @property
    def text(self) -> str:
        """The path as it was written, without the braces."""
        return ".".join((self.root, *self.keys))


Lookup = Callable[[Binding], JSON]


def parse(text: str) -> tuple[str | Binding, ...]:
    """Return the text as literals and bindings; the brackets of `$[[ ]]` stay in the literals."""
    groups = [(each.start, each.end) for each in _groups(text)]
    parts: list[str | Binding] = []
    last = 0
    for found in _BINDING.finditer(text):
        optional = any(start <= found.start() < end for start, end in groups)
        if found.start() > last:
            parts.append(text[last : found.start()])
        parts.append(_binding(found.group(1), optional, found.start(), found.end()))
        last = found.end()
    if last < len(text):
        parts.append(text[last:])
    return tuple(parts)


def bindings(text: str) -> list[Binding]:
    """Return the bindings of a text, in order."""
    return [part for part in parse(text) if isinstance(part, Binding)]


def _binding(path: str, optional: bool, start: int, end: int) -> Binding:
    for root in _TWO_WORD_ROOTS:
        if path == root or path.startswith(root + "."):
            keys = path[len(root) + 1 :].split(".") if path != root else []
            return Binding(root, tuple(keys), optional, start, end)
    root, _, rest = path.partition(".")
    return Binding(root, tuple(rest.split(".")) if rest else (), optional, start, end)


@dataclass(frozen=True)
class _Group:
    start: int
    end: int


def _groups(text: str) -> Iterator[_Group]:
    position = 0
    while (start := text.find("$[[", position)) >= 0:
        end = text.find("]]", start)
        if end < 0:
            return
        yield _Group(start, end + 2)
        position = end + 2


def resolve(text: str, lookup: Lookup, *, quote: bool = True) -> str:
    """Return the text with every binding replaced by its value.

    A `$[[...]]` group goes when one of its bindings has no value, else its brackets go. Booleans
    become `True` and `False`. With `quote`, the text is a command for bash: values are quoted for
    the place where they stand, so that none of them can be more than one word.
    """
    for group in reversed(list(_groups(text))):
        inner = text[group.start + 3 : group.end - 2]
        missing = any(lookup(each) is None for each in bindings(inner))
        text = text[: group.start] + ("" if missing else inner) + text[group.end :]
    written: list[str] = []
    place = ""
    for part in parse(text):
        if isinstance(part, str):
            written.append(part)
            place = _quoting(part, place)
        else:
            value = lookup(part)
            written.append(_quoted(_text(value), place) if quote else _text(value))
    return "".join(written)


def _text(value: JSON) -> str:
    return "" if value is None else str(value)


def _quoting(text: str, place: str) -> str:
    """Return the quote that is open after a piece of shell text, given the one before it."""
    escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and place != "'":
            escaped = True
        elif character in "'\"" and place in {"", character}:
            place = "" if place else character
    return place


def _quoted(value: str, place: str) -> str:
    if place == '"':
        return re.sub(r'([\\"$`])', r"\\\1", value)
    if place == "'":
        return value.replace("'", "'\"'\"'")
    if _SAFE.fullmatch(value):
        return value
    return "'" + value.replace("'", "'\"'\"'") + "'"
