"""YAML with the line and column of every value, and the traps of YAML 1.1 taken out."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from amlkit.errors import InvalidSpec, Problem
from amlkit.light import dataclass, field

SIZE_LIMIT = 16 * 1024 * 1024
SCALAR_LIMIT = 1024 * 1024
NODE_LIMIT = 300_000
DEPTH_LIMIT = 100
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# YAML 1.1 wants a dot in a float; everybody means a number by `1e-4`.
_FLOAT = re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$")

Place = tuple[int, int]
Path = tuple[str | int, ...]


@dataclass
class Source:
    """A parsed file: plain data, and where each value and key stands (line, column from 1).

    by_program: nobody wrote it; a pipeline component may stand in the place of its file.
    """

    file: str
    data: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    overridden: set[Path] = field(default_factory=set)
    dates: set[Path] = field(default_factory=set)
    by_program: bool = False

    def at(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """Return where a value (or its key) stands; of what is absent, where it would belong."""
        wanted = tuple(path)
        first = self.keys if key else self.values
        second = self.values if key else self.keys
        while wanted:
            if (found := first.get(wanted) or second.get(wanted)) is not None:
                return found
            wanted = wanted[:-1]
        return self.values.get((), (1, 1))

    def problem(
        self,
        path: Sequence[str | int],
        message: str,
        hint: str | None = None,
        *,
        code: str,
        key: bool = False,
        severity: str = "error",
    ) -> Problem:
        """Return a problem at a value or key of this file."""
        shown = ".".join(str(part) for part in path)
        for length in range(1, len(path) + 1):
            if tuple(path[:length]) in self.overridden:
                return Problem("--set", 0, 0, shown, message, hint, code, severity)
        line, column = self.at(path, key=key)
        return Problem(self.file, line, column, shown, message, hint, code, severity)


@dataclass
class Part(Source):
    """A mapping inside a file, seen as a document of its own; positions are the file's."""

    whole: Source = field(default_factory=lambda: Source(""))
    prefix: Path = ()

    @classmethod
    def of(cls, whole: Source, *prefix: str | int) -> Part:
        """Return the part of a file below a path that is there."""
        data = whole.data
        for each in prefix:
            data = data[each]
        part = cls(whole.file, data, problems=whole.problems, whole=whole, prefix=prefix)
        part.by_program = whole.by_program
        return part

    def at(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """Return where a value (or its key) of the part stands in the file."""
        return self.whole.at((*self.prefix, *path), key=key)

    def problem(
        self,
        path: Sequence[str | int],
        message: str,
        hint: str | None = None,
        *,
        code: str,
        key: bool = False,
        severity: str = "error",
    ) -> Problem:
        """Return a problem at a value or key of the part, with its path in the whole file."""
        full = (*self.prefix, *path)
        return self.whole.problem(full, message, hint, code=code, key=key, severity=severity)


def parse(text: str, file: str) -> Source:
    """Return a parsed YAML text. Raises: InvalidSpec: it is not YAML, or not reasonable."""
    source = Source(file)
    text = text.removeprefix("\ufeff")
    if len(text) > SIZE_LIMIT:
        raise _refused(
            file, 1, 1, f"the file is larger than {SIZE_LIMIT // 2**20} MiB", "too-large"
        )
    try:
        _refuse_depth(text, file)
        loader = _LOADER(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                _refuse_weight(node, file)
                builder = _Builder(source, loader)
                source.data = builder.build(node, (), 0)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = " ".join(part for part in (error.context, error.problem) if part)
        tab = "\\t" in message
        hint = "YAML is indented by spaces, not by tabs" if tab else None
        raise _refused(file, line, column, f"this is not YAML: {message}", "yaml", hint) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        message = " ".join(str(error).split())[:200]
        raise _refused(file, 1, 1, f"this is not YAML: {message}", "yaml") from None
    return source


def _refuse_depth(text: str, file: str) -> None:
    """Raise where a text is nested too deeply, before it is composed: libyaml recurses.

    Only a text that could be is looked at closer.
    """
    lines = text.splitlines()
    could = (
        text.count("[") + text.count("{") > DEPTH_LIMIT
        or any(len(each) - len(each.lstrip(" ")) > DEPTH_LIMIT for each in lines)
        or any(each.count("- ") + each.count("? ") > DEPTH_LIMIT for each in lines)
    )
    if not could:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_LIMIT:
                mark: Any = event.start_mark
                line, column = mark.line + 1, mark.column + 1
                raise _refused(file, line, column, "this is nested too deeply", "too-deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _refuse_weight(root: Any, file: str) -> None:
    """Raise where aliases make few lines into too many values, before they are built."""
    known: dict[int, int] = {}
    open_nodes: set[int] = set()

    def weight(node: Any) -> int:
        key = id(node)
        if key in open_nodes:
            mark = node.start_mark
            message = "an alias within what it stands for has no end"
            raise _refused(file, mark.line + 1, mark.column + 1, message, "too-large")
        if key not in known:
            open_nodes.add(key)
            if isinstance(node, yaml.MappingNode):
                total = 1 + sum(weight(value) for _, value in node.value)
            elif isinstance(node, yaml.SequenceNode):
                total = 1 + sum(weight(each) for each in node.value)
            else:
                total = 1
            if total > NODE_LIMIT:
                mark = node.start_mark
                message = "the aliases grow into too many values"
                raise _refused(file, mark.line + 1, mark.column + 1, message, "too-large")
            known[key] = total
            open_nodes.discard(key)
        return known[key]

    weight(root)


def _refused(
    file: str, line: int, column: int, message: str, code: str, hint: str | None = None
) -> InvalidSpec:
    return InvalidSpec([Problem(file, line, column, "", message, hint, code)])


class _Builder:
    """Turns nodes into plain data, noting positions, duplicate keys and bombs on the way."""

    def __init__(self, source: Source, loader: Any) -> None:
        self._source = source
        self._loader = loader
        self._count = 0

    def build(self, node: Any, path: Path, depth: int) -> Any:
        self._count += 1
        mark = node.start_mark
        place = (mark.line + 1, mark.column + 1)
        if depth > DEPTH_LIMIT:
            raise _refused(self._source.file, *place, "this is nested too deeply", "too-deep")
        if self._count > NODE_LIMIT:
            raise _refused(
                self._source.file, *place, "the aliases grow into too many values", "too-large"
            )
        self._source.values[path] = place
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.build(each, (*path, index), depth + 1) for index, each in enumerate(node.value)
            ]
        return self._scalar(node, path)

    def _scalar(self, node: Any, path: Path) -> Any:
        if len(node.value) > SCALAR_LIMIT:
            raise self._not_yaml(node, f"a text is longer than {SCALAR_LIMIT // 1024} KiB")
        if node.tag.endswith(":str") and not node.style and _FLOAT.match(node.value):
            return float(node.value.replace("_", ""))
        try:
            value = self._loader.construct_object(node, deep=True)
        except (ValueError, yaml.YAMLError) as error:
            word = node.tag.rpartition(":")[2]
            reason = f": {error}" if isinstance(error, ValueError) else ""
            raise self._not_yaml(node, f"`{node.value[:40]}` is no {word}{reason}") from None
        if isinstance(value, datetime.date | bytes | set):
            # Dates and other types that JSON lacks stay the text that was written.
            if isinstance(value, datetime.date):
                self._source.dates.add(path)
            return node.value
        return value

    def _not_yaml(self, node: Any, message: str) -> InvalidSpec:
        mark = node.start_mark
        hint = "write it in quotes if it is a text"
        return _refused(self._source.file, mark.line + 1, mark.column + 1, message, "yaml", hint)

    def _mapping(self, node: Any, path: Path, depth: int) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                nodes = (
                    value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                )
                for each in nodes:
                    found = self.build(each, path, depth + 1)
                    if not isinstance(found, dict):
                        raise self._not_yaml(each, "`<<` merges mappings, and this is none")
                    merged = {**found, **merged}
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._not_yaml(key_node, "a mapping or list cannot be the name of a field")
            key = self._key(key_node)
            mark = key_node.start_mark
            if key in own:
                line, column = mark.line + 1, mark.column + 1
                self._source.problems.append(
                    Problem(
                        self._source.file,
                        line,
                        column,
                        ".".join(str(each) for each in (*path, key)),
                        f"the key `{key}` is here twice",
                        f"the first is in line {self._source.keys[(*path, key)][0]}; delete one",
                        "duplicate-key",
                    )
                )
                continue
            self._source.keys[(*path, key)] = (mark.line + 1, mark.column + 1)
            own[key] = self.build(value_node, (*path, key), depth + 1)
        start = node.start_mark
        self._source.values[path] = (start.line + 1, start.column + 1)
        return {**{key: each for key, each in merged.items() if key not in own}, **own}

    def _key(self, node: Any) -> str:
        # `on:` and `no:` are names here, not booleans.
        return (
            node.value if isinstance(node.value, str) else str(self._loader.construct_object(node))
        )


def override(source: Source, assignments: Sequence[str]) -> None:
    """Apply `a.b.c=value` to the data; values are YAML. Raises: InvalidSpec."""
    for assignment in assignments:
        target, equals, text = assignment.partition("=")
        if not equals or not target.strip():
            raise InvalidSpec(
                [
                    Problem(
                        "--set",
                        0,
                        0,
                        assignment,
                        "there is no `=`",
                        "write --set a.b.c=value",
                        "set",
                    )
                ]
            )
        # An expression such as ${{inputs.x}} is text, although YAML would start a mapping.
        plain = text if "${{" in text else parse(text, "--set").data if text else ""
        keys = target.strip().split(".")
        if not isinstance(source.data, dict):
            source.data = {}
        here: Any = source.data
        for index, key in enumerate(keys[:-1]):
            below = here.get(key) if isinstance(here, dict) else None
            if below is None:
                below = here[key] = {}
            if not isinstance(below, Mapping):
                shown = ".".join(keys[: index + 1])
                problem = Problem(
                    "--set", 0, 0, target, f"`{shown}` is a value and has no fields", None, "set"
                )
                raise InvalidSpec([problem])
            here = below
        here[keys[-1]] = plain
        source.overridden.add(tuple(keys))
