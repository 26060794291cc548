"""What an MLTable file does to its data, for a look at the first rows.

Jobs use the real `mltable` package in their own environment; this understands the steps that files
commonly have, with that package's results (tried out with mltable 1.7), and refuses the others.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from amlkit.errors import AmlkitError, NotFound, NotSupported, UsageError
from amlkit.services.preview import conditions, reading
from amlkit.services.preview.rows import Row, Table, boolean, number

FILE = "MLTable"
Fetch = Callable[[str, str], Path]


def load(folder: Path) -> Mapping[str, Any]:
    """Return the checked MLTable file of a folder. Raises: UsageError: it has none. InvalidSpec."""
    from amlkit import specs

    if not (folder / FILE).is_file():
        raise UsageError(
            f"`{folder}` has no MLTable file",
            hint="a folder of type mltable has a file of that name that says how to read it",
        )
    return specs.load(folder / FILE, kind="mltable").document


def table(folder: Path, fetch: Fetch) -> Table:
    """Return the rows that the MLTable file of a folder describes.

    Raises: NotFound: no data. NotSupported: a step that only the `mltable` package knows.
    """
    document = load(folder)
    if "paths" not in document:
        raise NotSupported("a table of `query_source` is not read here", hint=_IN_A_JOB)
    # Before they are read, the files are rows themselves.
    found = Table(["Path"], ({"Path": path} for path in _files(document["paths"], folder, fetch)))
    for each in document.get("transformations") or []:
        name, options = (each, {}) if isinstance(each, str) else next(iter(each.items()))
        if name not in _STEPS:
            raise NotSupported(f"`{name}` is not previewed", hint=_IN_A_JOB)
        found = _STEPS[name](found, options)
    return found


_IN_A_JOB = "in a job, or where it is installed, the mltable package reads it: mltable.load(FOLDER)"


def _files(paths: list[Mapping[str, str]], folder: Path, fetch: Fetch) -> Iterator[Path]:
    for item in paths:
        kind, text = next(iter(item.items()))
        if "://" in text or text.startswith("azureml:"):
            if kind == "pattern":
                raise NotSupported(
                    f"`{text}`: patterns are previewed in the table's own folder only",
                    hint=_IN_A_JOB,
                )
            place = fetch(text, f"uri_{kind}")
            yield from _below(place) if place.is_dir() else [place]
        elif kind == "pattern":
            yield from sorted(p for p in folder.glob(text.removeprefix("./")) if p.is_file())
        else:
            place = folder / text
            if not place.exists():
                raise NotFound(f"`{place}` does not exist", hint=f"it is in {folder / FILE}")
            yield from _below(place) if place.is_dir() else [place]


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _read(reader: Callable[..., Table]) -> Callable[[Table, Any], Table]:
    return lambda table, options: reader((Path(str(row["Path"])) for row in table.rows), options)


def _take(table: Table, count: int) -> Table:
    return Table(table.columns, islice(table.rows, count))


def _skip(table: Table, count: int) -> Table:
    return Table(table.columns, islice(table.rows, count, None))


def _sample(table: Table, options: Mapping[str, Any]) -> Table:
    """Take rows by chance; which ones the package takes for a seed is its own affair."""
    draw = random.Random(options.get("seed")).random  # noqa: S311
    chance = float(options.get("probability", 1))
    return Table(table.columns, (row for row in table.rows if draw() < chance))


def _filter(table: Table, text: str) -> Table:
    condition = conditions.compiled(text)
    return Table(table.columns, (row for row in table.rows if condition(row)))


def _keep(table: Table, wanted: Any) -> Table:
    chosen = _chooser(wanted)

    def rows() -> Iterator[Row]:
        for row in table.rows:
            kept = {name: value for name, value in row.items() if chosen(name)}
            if not kept:
                raise AmlkitError(
                    f"`keep_columns` keeps no column: {_names(wanted)}",
                    hint=f"the table has {', '.join(row)}",
                )
            yield kept

    return Table([name for name in table.columns if chosen(name)], rows())


def _drop(table: Table, wanted: Any) -> Table:
    chosen = _chooser(wanted)
    rows = ({name: v for name, v in row.items() if not chosen(name)} for row in table.rows)
    return Table([name for name in table.columns if not chosen(name)], rows)


def _names(wanted: Any) -> str:
    if isinstance(wanted, Mapping):
        return f"the pattern `{wanted['pattern']}`"
    return ", ".join(f"`{each}`" for each in ([wanted] if isinstance(wanted, str) else wanted))


def _chooser(wanted: Any) -> Callable[[str], bool]:
    """Return whether a column is meant by a name, a list of names or a pattern."""
    if isinstance(wanted, Mapping):
        flags = re.IGNORECASE if wanted.get("ignore_case") else re.NOFLAG
        try:
            pattern = re.compile(wanted["pattern"], flags)
        except re.error as cause:
            raise AmlkitError(f"`{wanted['pattern']}` is no regular expression: {cause}") from None
        inverted = bool(wanted.get("invert"))
        return lambda name: (pattern.search(name) is not None) != inverted
    names = {wanted} if isinstance(wanted, str) else set(wanted)
    return lambda name: name in names


def _convert(table: Table, conversions: list[Mapping[str, Any]]) -> Table:
    pairs = [(_chooser(each["columns"]), _converter(each["column_type"])) for each in conversions]

    def one(name: str, value: Any) -> Any:
        for chosen, converter in pairs:
            if chosen(name) and value is not None:
                value = converter(value)
        return value

    return Table(
        table.columns, ({name: one(name, v) for name, v in row.items()} for row in table.rows)
    )


def _converter(wanted: Any) -> Callable[[Any], Any]:
    """Return what makes a cell of a type; what it cannot make is None, as in the package."""
    if isinstance(wanted, Mapping):
        kind, options = next(iter(wanted.items()))
        if kind == "boolean":
            return lambda value: _to_boolean(value, options)
        if kind == "datetime":
            formats = options["formats"]
            known = [formats] if isinstance(formats, str) else formats
            return lambda value: _to_datetime(value, known)
        return str
    makers: dict[str, Callable[[Any], Any]] = {
        "int": lambda value: None if (n := _to_number(value)) is None else int(n),
        "float": lambda value: None if (n := _to_number(value)) is None else float(n),
        "string": _to_text,
        "boolean": lambda value: _to_boolean(value, {}),
    }
    return makers.get(wanted, str)


def _to_number(value: Any) -> float | int | None:
    if isinstance(value, bool | datetime):
        return None
    return value if isinstance(value, int | float) else number(str(value))


def _to_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)


def _to_boolean(value: Any, options: Mapping[str, Any]) -> bool | None:
    if not options:
        if isinstance(value, bool | int | float):
            return bool(value)
        return boolean(value) if isinstance(value, str) else None
    if str(value) in (options.get("true_values") or []):
        return True
    if str(value) in (options.get("false_values") or []):
        return False
    return {"true": True, "false": False}.get(str(options.get("mismatch_as")))


def _to_datetime(value: Any, formats: list[str]) -> datetime | None:
    if isinstance(value, datetime):
        return value
    for each in formats:
        try:
            found = datetime.strptime(str(value), each)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


_STEPS: Mapping[str, Callable[[Table, Any], Table]] = {
    "read_delimited": _read(reading.delimited),
    "read_json_lines": _read(reading.json_lines),
    "read_parquet": _read(reading.parquet),
    "take": _take,
    "skip": _skip,
    "take_random_sample": _sample,
    "filter": _filter,
    "keep_columns": _keep,
    "drop_columns": _drop,
    "convert_column_types": _convert,
}
