"""Reads what a function takes from its source, without running it: nothing it imports is needed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amlkit.errors import InvalidSpec, NotFound, Problem, did_you_mean, unreadable
from amlkit.light import dataclass, field

LITERALS = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
_TYPES = ("uri_folder", "uri_file", "mltable", "mlflow_model", "custom_model", "triton_model")
_PORT_FIELDS = {"type", "mode", "description", "optional", "default", "min", "max", "enum"}
_FITS: Mapping[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
}
_DECORATORS = {"command_component", "component"}


@dataclass(frozen=True)
class Parameter:
    """One parameter. port: the component's input or output, without its name."""

    name: str
    port: Mapping[str, Any]
    is_output: bool = False

    @property
    def optional(self) -> bool:
        """Whether it can be left out."""
        return bool(self.port.get("optional"))


@dataclass(frozen=True)
class Signature:
    """A function that can be a component. description: the first paragraph of its docstring."""

    name: str
    file: Path
    parameters: tuple[Parameter, ...]
    description: str = ""


def read_signature(file: Path, name: str) -> Signature:
    """Return the signature of a function at the top of a Python file.

    Raises: NotFound: no such file or function. InvalidSpec: it cannot be a component, with every
        reason and its place.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as cause:
        raise unreadable(file, cause) from None
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        place = (error.lineno or 1, error.offset or 1)
        problem = Problem(str(file), *place, "", f"this is not Python: {error.msg}", None, "python")
        raise InvalidSpec([problem]) from None
    reader = _Reader(file, _aliases(module))
    found = reader.signature(_find(module, file, name))
    if reader.problems:
        raise InvalidSpec(sorted(reader.problems))
    return found


def _find(module: ast.Module, file: Path, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    functions = {
        each.name: each
        for each in module.body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    if name in functions:
        return functions[name]
    close = did_you_mean(name, functions)
    known = ", ".join(f"`{each}`" for each in functions) or "none"
    hint = f"did you mean `{close}`?" if close else f"functions there: {known}"
    raise NotFound(f"`{file}` has no function `{name}`", hint=hint)


def _aliases(module: ast.Module) -> dict[str, str]:
    """Return what names that were imported `as` something else are called at home."""
    return {
        each.asname: each.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom)
        for each in node.names
        if each.asname
    }


@dataclass
class _Reader:
    file: Path
    aliases: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def _add(self, node: ast.AST, path: str, message: str, hint: str | None, code: str) -> None:
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
        self.problems.append(Problem(str(self.file), line, column, path, message, hint, code))

    def signature(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Signature:
        if isinstance(function, ast.AsyncFunctionDef):
            self._add(function, function.name, "an async function cannot be a step", None, "async")
        for each in function.decorator_list:
            name = self._name(each.func if isinstance(each, ast.Call) else each)
            if name in _DECORATORS:
                hint = "delete the decorator, or keep using what it belongs to"
                self._add(each, function.name, f"`@{name}` makes a step of it", hint, "decorator")
        for star in (function.args.vararg, function.args.kwarg):
            if star is not None:
                hint = "name every parameter"
                self._add(star, star.arg, "a step has no open list of inputs", hint, "open-list")
        parameters = tuple(
            found for each, default in _arguments(function) if (found := self._one(each, default))
        )
        text = ast.get_docstring(function) or ""
        first = " ".join(text.split("\n\n", 1)[0].split())
        return Signature(function.name, self.file, parameters, first)

    def _one(self, argument: ast.arg, default: ast.expr | None) -> Parameter | None:
        name = argument.arg
        if argument.annotation is None:
            hint = f"write `{name}: int`, float, bool, str, Input or Output"
            self._add(argument, name, f"`{name}` has no type", hint, "untyped")
            return None
        port = self._annotation(name, argument.annotation)
        if port is None:
            return None
        is_output = bool(port.pop("output", False))
        if default is not None and is_output:
            self._add(default, name, "an output has no default", "delete it", "default")
        elif default is not None:
            self._default(name, port, default)
        return Parameter(name, port, is_output)

    def _default(self, name: str, port: dict[str, Any], node: ast.expr) -> None:
        try:
            value = ast.literal_eval(node)
        except ValueError:
            hint = "write the value itself, or None"
            self._add(node, name, f"`{ast.unparse(node)}` is not a plain value", hint, "default")
            return
        port["optional"] = True
        if value is None:
            return
        fits = _FITS.get(port["type"])
        wrong = isinstance(value, bool) and port["type"] != "boolean"
        if fits is None or wrong or not isinstance(value, fits):
            self._add(node, name, f"`{value!r}` is not of type {port['type']}", None, "wrong-type")
        elif "enum" in port and value not in port["enum"]:
            words = ", ".join(f"`{each}`" for each in port["enum"])
            self._add(node, name, f"`{value}` is none of {words}", None, "wrong-type")
        else:
            port["default"] = value

    # Annotations.

    def _annotation(self, name: str, node: ast.expr) -> dict[str, Any] | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._quoted(name, node, node.value)
        plain, optional = self._without_none(node)
        port = self._port(name, plain)
        if port is None:
            shown = ast.unparse(node)
            hint = "use int, float, bool, str, Literal of strings, Input(...) or Output(...)"
            self._add(node, name, f"`{shown}` cannot be the type of an input", hint, "type")
            return None
        return {**port, "optional": True} if optional else port

    def _quoted(self, name: str, node: ast.expr, text: str) -> dict[str, Any] | None:
        try:
            inner = ast.parse(text, mode="eval").body
        except SyntaxError:
            self._add(node, name, f"`{text}` is not a type", None, "type")
            return None
        for each in ast.walk(inner):
            ast.copy_location(each, node)
        return self._annotation(name, inner)

    def _without_none(self, node: ast.expr) -> tuple[ast.expr, bool]:
        """Return T and True of `T | None` and `Optional[T]`."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            for one, other in ((node.left, node.right), (node.right, node.left)):
                if isinstance(other, ast.Constant) and other.value is None:
                    return one, True
        if isinstance(node, ast.Subscript) and self._name(node.value) == "Optional":
            return node.slice, True
        return node, False

    def _port(self, name: str, node: ast.expr) -> dict[str, Any] | None:
        word = self._name(node)
        if word in LITERALS:
            return {"type": LITERALS[word]}
        if word in {"Input", "Output"}:
            return {"type": "uri_folder", "output": word == "Output"}
        if isinstance(node, ast.Subscript) and self._name(node.value) == "Literal":
            words = _strings(node.slice)
            return {"type": "string", "enum": words} if words else None
        if isinstance(node, ast.Call) and self._name(node.func) in {"Input", "Output"}:
            return self._call(name, node)
        return None

    def _call(self, name: str, node: ast.Call) -> dict[str, Any]:
        port: dict[str, Any] = {"type": "uri_folder"}
        if node.args:
            port["type"] = self._value(name, node.args[0])
        for each in node.keywords:
            if each.arg not in _PORT_FIELDS:
                close = did_you_mean(str(each.arg), _PORT_FIELDS)
                hint = f"did you mean `{close}`?" if close else "delete it"
                self._add(each, name, f"there is no `{each.arg}` here", hint, "unknown-field")
            else:
                port[each.arg] = self._value(name, each.value)
        known = (*_TYPES, *LITERALS.values())
        port["output"] = self._name(node.func) == "Output"
        if port["type"] not in known:
            close = did_you_mean(str(port["type"]), known)
            hint = f"did you mean `{close}`?" if close else f"use one of {', '.join(known)}"
            self._add(node, name, f"`{port['type']}` is not a type", hint, "type")
        elif port["output"] and port["type"] not in _TYPES:
            self._add(node, name, "an output is a file or a folder", "use uri_file", "type")
        return port

    def _value(self, name: str, node: ast.expr) -> Any:
        if isinstance(node, ast.Attribute):  # AssetTypes.URI_FOLDER
            return node.attr.lower()
        try:
            return ast.literal_eval(node)
        except ValueError:
            self._add(node, name, f"`{ast.unparse(node)}` is not a plain value", None, "default")
            return None

    def _name(self, node: ast.expr) -> str:
        """Return the last word of `a.b.Name`, by the name it was imported under."""
        if isinstance(node, ast.Attribute):
            return node.attr
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, node.id)
        return ""


def _arguments(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """Yield every parameter with its default."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    yield from zip(positional, [*missing, *arguments.defaults], strict=True)
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)


def _strings(node: ast.expr) -> list[str]:
    items = node.elts if isinstance(node, ast.Tuple) else [node]
    found = [each.value for each in items if isinstance(each, ast.Constant)]
    texts = [each for each in found if isinstance(each, str)]
    return texts if len(texts) == len(items) else []


def component_name(name: str) -> str | None:
    """Return the name as Azure ML takes it for components, or None when it does not."""
    return name if re.fullmatch(r"[a-z][a-z0-9_]*", name) else None
