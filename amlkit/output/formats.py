"""Results for scripts: JSON, JSON lines, YAML, TSV and CSV, and `--query` over them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from amlkit.errors import UsageError
from amlkit.output import Format
from amlkit.records import JSON, Record


def query(plain: JSON, expression: str) -> JSON:
    """Return what a JMESPath expression selects. Raises: UsageError: it does not parse."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        found: JSON = jmespath.search(expression, plain)
    except JMESPathError as cause:
        where = " ".join(str(cause).split())
        raise UsageError(
            f"--query `{expression}`: {where}", hint="see https://jmespath.org/tutorial.html"
        ) from None
    return found


def plain(value: JSON, output: Format) -> str:
    """Return JSON-ready values as text in one of the script formats."""
    if output is Format.jsonl:
        rows = value if isinstance(value, list) else [value]
        return "".join(dump(row, indent=None) + "\n" for row in rows)
    if output is Format.yaml:
        return to_yaml(value)
    if output in {Format.tsv, Format.csv}:
        rows = value if isinstance(value, list) else [value]
        if output is Format.csv and any(isinstance(row, Mapping) for row in rows):
            return _csv(*selected(value))
        return _delimited([_cells(row) for row in rows], output)
    return dump(value) + "\n"


def selected(value: JSON) -> tuple[list[str], list[list[Any]]]:
    """Return what a query selected as columns and rows, as az: what is no object is a `result`."""
    rows = value if isinstance(value, list) else [] if value is None else [value]
    named = [_named(row) for row in rows]
    names = list(dict.fromkeys(name for row in named for name in row))
    return names, [[row.get(name) for name in names] for row in named]


def _named(row: JSON) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    if isinstance(row, list | tuple):
        return {f"column{number}": each for number, each in enumerate(row, start=1)}
    return {"result": row}


def dump(value: JSON, indent: int | None = 2) -> str:
    """Return strict JSON: NaN and infinities, which JSON has no numbers for, become strings."""
    return json.dumps(_strict(value), indent=indent, ensure_ascii=False)


def _strict(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _strict(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(each) for each in value]
    return value


def to_yaml(value: JSON) -> str:
    """Return YAML in block style, keys in the order given."""
    import yaml

    def dumped(dumper: Any) -> str:
        text: str = yaml.dump(
            _strict(value),
            Dumper=dumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
        )
        return text.removesuffix("...\n")

    try:
        return dumped(getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    except UnicodeEncodeError:
        # Names of files may have bytes that are no text; this one writes them as escapes.
        return dumped(yaml.SafeDumper)


def columns(rows: Sequence[Record], output: Format) -> str:
    """Return the table's columns uncut: TSV without a header (as az), CSV with one.

    In CSV a mapping has a column for each of its keys, as `parameters.lr`.
    """
    if not rows:
        return ""
    names = rows[0].COLUMNS
    values = [[value(row, name) for name in names] for row in rows]
    if output is Format.tsv:
        return _delimited([[_cell(each) for each in line] for line in values], output)
    return _csv(names, values)


def _csv(names: Sequence[str], values: Sequence[Sequence[Any]]) -> str:
    header: list[str] = []
    lines: list[list[str]] = [[] for _ in values]
    for name, column in zip(names, zip(*values, strict=True), strict=True):
        spread = any(isinstance(each, Mapping) for each in column)
        keys = dict.fromkeys(key for each in column if isinstance(each, Mapping) for key in each)
        header += [f"{name}.{key}" for key in keys] if spread else [name]
        for line, each in zip(lines, column, strict=True):
            given = each if isinstance(each, Mapping) else {}
            line.extend([_cell(given.get(key)) for key in keys] if spread else [_cell(each)])
    return _delimited([header, *lines], Format.csv)


def lines(names: Sequence[str], values: Sequence[Sequence[Any]], output: Format) -> str:
    """Return a data table's cells: TSV without a header, CSV with one, the first column by name."""
    if output is Format.name:
        return "".join(f"{_cell(line[0])}\n" for line in values if line)
    cells = [[_cell(each) for each in line] for line in values]
    return _delimited([list(names), *cells] if output is Format.csv else cells, output)


def value(row: Record, name: str) -> Any:
    """Return a table column of a record; `created` and `duration` are those of people."""
    if name == "created":
        return getattr(row, "created_at", "")
    if name == "duration":
        return getattr(row, "duration_seconds", None)
    return getattr(row, name)


def _delimited(lines: Sequence[Sequence[str]], output: Format) -> str:
    if output is Format.csv:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows(lines)
        return buffer.getvalue()
    return "".join("\t".join(_escape(cell) for cell in line) + "\n" for line in lines)


def _escape(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _cells(row: JSON) -> list[str]:
    if isinstance(row, Mapping):
        return [_cell(each) for each in row.values()]
    if isinstance(row, list | tuple):
        return [_cell(each) for each in row]
    return [_cell(row)]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return dump(value, indent=None)
    return str(value)
