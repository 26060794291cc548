"""Documents drawn from the models themselves: every field, every word, every nesting."""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

DEPTH = 2
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.one_of(
    NAMES,
    st.sampled_from(["1e-4", "on", "no", "~", "0x1f", "a: b", "é漢", "- x", "'", "{a}", " x "]),
)
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: value or 0.0)


def documents(model: type[BaseModel], depth: int = DEPTH) -> st.SearchStrategy[dict[str, Any]]:
    """Return plain documents that the model takes."""
    required, optional = {}, {}
    for name, field in model.model_fields.items():
        if (drawn := _field(field, depth)) is not None:
            (required if field.is_required() else optional)[field.alias or name] = drawn
    if depth <= 0:
        optional = {}
    return st.fixed_dictionaries(required, optional=optional)


def _field(field: FieldInfo, depth: int) -> st.SearchStrategy[Any] | None:
    pattern = next(
        (each.pattern for each in field.metadata if getattr(each, "pattern", None)), None
    )
    if pattern is not None:
        return _pattern(str(pattern))
    return _type(field.annotation, depth)


def _pattern(pattern: str) -> st.SearchStrategy[str]:
    words = pattern.replace("_?", "_").strip("^$()").split("|")
    if all(word.replace("_", "").replace(",", "").isalnum() for word in words):
        return st.sampled_from(words)
    drawn = st.from_regex(pattern, fullmatch=True)
    return drawn.filter(lambda text: text.isascii() and text.isprintable() and len(text) < 40)


def _type(kind: Any, depth: int) -> st.SearchStrategy[Any] | None:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return st.one_of(NAMES, st.integers(0, 9), st.booleans())
    if origin is Annotated:
        metadata = [each for m in arguments[1:] for each in (m, *getattr(m, "metadata", ()))]
        pattern = next((m.pattern for m in metadata if getattr(m, "pattern", None)), None)
        return _pattern(str(pattern)) if pattern is not None else _type(arguments[0], depth)
    if origin in {typing.Union, types.UnionType}:
        drawn = [_type(each, depth) for each in arguments if each is not type(None)]
        return st.one_of([each for each in drawn if each is not None])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(_known(arguments[0], depth - 1), max_size=2)
    if origin is dict:
        values = _known(arguments[1], depth - 1)
        return st.dictionaries(NAMES, values, max_size=2 if depth > 0 else 0)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return documents(kind, depth - 1)
    plain = {str: TEXTS, int: st.integers(0, 1000), float: NUMBERS, bool: st.booleans()}
    return plain.get(kind)


def _known(kind: Any, depth: int) -> st.SearchStrategy[Any]:
    drawn = _type(kind, depth)
    return NAMES if drawn is None else drawn


@st.composite
def mutated(draw: Any, document: dict[str, Any]) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    """Return (what was done, where, document): a key dropped, renamed, or given another type."""
    path: list[str] = []
    here = copy = _copy(document)
    while True:
        key = draw(st.sampled_from(sorted(here)))
        path.append(key)
        below = here[key]
        if not isinstance(below, dict) or not below or draw(st.booleans()):
            break
        here = below
    how = draw(st.sampled_from(["drop", "rename", "retype", "empty"]))
    value = here.pop(key)
    if how == "rename":
        here[f"{key}_x"] = value
    elif how == "retype":
        here[key] = draw(st.sampled_from([[1], {"zz": 1}, "text", 7, True, 1.5]))
    elif how == "empty":
        here[key] = None
    return how, tuple(path), copy


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value
