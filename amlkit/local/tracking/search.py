"""MLflow's search language: the filters and orders of `search_runs` and `search_logged_models`.

Source: "Search Runs", MLflow documentation: comparisons joined by `and`. What is not understood is
refused: a filter that is passed over would hand back the wrong runs.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from amlkit.light import dataclass

Record = Mapping[str, Mapping[str, str | float | None]]
"""What is searched: kind (`attribute`, `metric`, `param`, `tag`) -> key -> value."""

_KINDS = {
    "attribute": "attribute",
    "attributes": "attribute",
    "attr": "attribute",
    "run": "attribute",
    "metric": "metric",
    "metrics": "metric",
    "param": "param",
    "params": "param",
    "parameter": "param",
    "parameters": "param",
    "tag": "tag",
    "tags": "tag",
}
_ATTRIBUTES = {"Run ID": "run_id", "Created": "start_time", "created": "start_time"}
_KEY = r"""(?:(?P<kind>\w+)\.)?(?P<key>`[^`]+`|"[^"]+"|[\w.\-/]+)"""
_TERM = re.compile(
    rf"""\s*{_KEY}\s*(?P<op>!=|>=|<=|=|>|<|NOT\s+IN\b|IN\b|I?LIKE\b)\s*"""
    r"""(?P<value>\([^)]*\)|'[^']*'|"[^"]*"|[-+\w.]+)\s*(?P<more>and\b|$)""",
    re.IGNORECASE,
)
_ORDER = re.compile(rf"\s*{_KEY}\s*(?P<way>asc|desc)?\s*$", re.IGNORECASE)
_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Term:
    """One comparison. value: as written, with its quotes or brackets."""

    kind: str
    key: str
    op: str
    value: str

    def holds(self, record: Record) -> bool:
        """Whether it is true of a record; of a key that the record lacks, nothing is."""
        found = record.get(self.kind, {}).get(self.key)
        if found is None:
            return False
        if isinstance(found, (int, float)):
            return _NUMERIC[self.op](float(found), float(_text(self.value)))
        if self.op in {"IN", "NOT IN"}:
            return (found in _listed(self.value)) is (self.op == "IN")
        wanted = _text(self.value)
        if self.op in {"LIKE", "ILIKE"}:
            flags = re.DOTALL | (re.IGNORECASE if self.op == "ILIKE" else 0)
            return re.fullmatch(_pattern(wanted), found, flags) is not None
        return (found == wanted) is (self.op == "=")


def parse(text: str) -> list[Term]:
    """Return the comparisons of a filter. Raises: ValueError: it is not understood."""
    terms: list[Term] = []
    at, more = 0, bool(text.strip())
    while more:
        match = _TERM.match(text, at)
        if match is None:
            raise ValueError(f"the filter `{text}` is not understood at `{text[at:].strip()}`")
        kind, key = _named(match)
        op = " ".join(match["op"].upper().split())
        terms.append(_checked(Term(kind, key, op, match["value"])))
        at, more = match.end(), bool(match["more"])
    return terms


def select(records: Iterable[tuple[str, Record]], text: str, order_by: Sequence[str]) -> list[str]:
    """Return the ids of the records that a filter keeps, in order.

    Without an order they stay as they came. A record without the key of an order comes last.
    Raises: ValueError: the filter or an order is not understood.
    """
    terms = parse(text)
    kept = [(each, record) for each, record in records if all(t.holds(record) for t in terms)]
    for order in reversed(order_by):
        match = _ORDER.match(order)
        if match is None:
            raise ValueError(f"the order `{order}` is not understood")
        kind, key = _named(match)
        has = [each for each in kept if each[1].get(kind, {}).get(key) is not None]
        lacks = [each for each in kept if each[1].get(kind, {}).get(key) is None]
        down = (match["way"] or "").lower() == "desc"
        # One key holds values of one type: metrics and times numbers, all else text.
        has.sort(key=lambda each: each[1][kind][key], reverse=down)
        kept = has + lacks
    return [each for each, _ in kept]


def _named(match: re.Match[str]) -> tuple[str, str]:
    kind, key = match["kind"], match["key"].strip('`"')
    if kind is None:
        return "attribute", _ATTRIBUTES.get(key, key)
    if kind.lower() not in _KINDS:
        raise ValueError(f"nothing can be searched by `{kind}`")
    return _KINDS[kind.lower()], key


def _checked(term: Term) -> Term:
    if term.kind == "metric" or term.key in {"start_time", "end_time"}:
        if term.op not in _NUMERIC:
            raise ValueError(f"`{term.op}` does not compare numbers")
        float(_text(term.value))
    elif term.op in _NUMERIC and term.op not in {"=", "!="}:
        raise ValueError(f"`{term.op}` does not compare text: `{term.key}`")
    elif (term.op in {"IN", "NOT IN"}) is not term.value.startswith("("):
        raise ValueError(f"`{term.op}` does not go with {term.value}")
    return term


def _text(value: str) -> str:
    return value[1:-1] if value[:1] in {"'", '"'} else value


def _listed(value: str) -> list[str]:
    return [_text(each.strip()) for each in value[1:-1].split(",")]


def _pattern(like: str) -> str:
    return "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in like)
