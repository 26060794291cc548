"""Rows of delimited text, JSON lines and Parquet, a few at a time, as `mltable` reads them.

What that package does, such as taking a column of `0` and `1` for booleans, was tried out with
mltable 1.7.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from amlkit.errors import AmlkitError, NotSupported, UsageError, unreadable
from amlkit.services.preview.rows import Row, Table, boolean, moment, number, word

SAMPLE = 200
_KINDS = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".jsonl": "json lines",
    ".ndjson": "json lines",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_ENCODINGS = {
    "iso88591": "latin-1",
    "latin1": "latin-1",
    "utf8": "utf-8-sig",
    "utf-8": "utf-8-sig",
    "utf8 bom": "utf-8-sig",
    "utf8bom": "utf-8-sig",
    "windows1252": "cp1252",
    "windows-1252": "cp1252",
}
_JSON_LIMIT = 64 * 1024 * 1024


def kind_of(path: Path) -> str | None:
    """Return how a file is read, by its name, or None when it is no table."""
    name = path.name.lower().removesuffix(".gz")
    return _KINDS.get(Path(name).suffix)


def of_files(files: Sequence[Path]) -> Table:
    """Return the rows of files of one kind. Raises: UsageError: they are no tables."""
    kind = kind_of(files[0])
    if kind is None:
        known = ", ".join(_KINDS)
        raise UsageError(f"`{files[0].name}` is no table and no picture", hint=f"known are {known}")
    if kind == "delimited":
        options = {
            "delimiter": _delimiter(files[0]),
            "support_multi_line": True,
            "header": "all_files_different_headers",
        }
        return delimited(files, options, plain=True)
    if kind == "json lines":
        return json_lines(files, {})
    return parquet(files, {}) if kind == "parquet" else _json(files)


def delimited(files: Iterable[Path], options: Mapping[str, Any], *, plain: bool = False) -> Table:
    """Return the rows of `read_delimited`.

    plain: without the package's ways: only words are booleans, `0` and `1` are numbers.
    """
    columns: list[str] = []
    rows = _delimited(files, options, columns)
    first = list(islice(rows, 1))
    rows = chain(first, rows)
    guess = options.get("infer_column_types", True)
    if guess is not False:
        readers = (word, number, moment) if plain else (boolean, number, moment)
        rows = _typed(rows, guess if isinstance(guess, Mapping) else {}, readers)
    return Table(columns, rows)


def _delimited(
    files: Iterable[Path], options: Mapping[str, Any], columns: list[str]
) -> Iterator[Row]:
    mode = options.get("header", "all_files_same_headers")
    header: list[str] = []
    for index, path in enumerate(files):
        with _opened(path, options) as content:
            records = _records(path, content, options)
            if mode == "all_files_different_headers":
                header = list(next(records, []))
            elif mode == "all_files_same_headers" or (mode == "from_first_file" and index == 0):
                header = list(next(records, [])) if index == 0 else (next(records, None), header)[1]
            columns += [each for each in header if each not in columns]
            for record in records:
                yield _with_path(path, options, _row(record, header, options))


def _row(record: Sequence[str], header: list[str], options: Mapping[str, Any]) -> dict[str, Any]:
    empty = "" if options.get("empty_as_string") else None
    # Cells beyond the header get a name by their place, as in a file without one.
    names = [*header, *(f"Column{place + 1}" for place in range(len(header), len(record)))]
    cells = [each or empty for each in record]
    return dict(zip(names, [*cells, *[None] * (len(names) - len(cells))], strict=True))


def _records(path: Path, content: IO[str], options: Mapping[str, Any]) -> Iterator[list[str]]:
    delimiter = options.get("delimiter", ",")
    if len(delimiter) > 1:
        yield from (line.rstrip("\r\n").split(delimiter) for line in content if line.strip())
        return
    try:
        if options.get("support_multi_line"):
            yield from (each for each in csv.reader(content, delimiter=delimiter) if each)
            return
        for line in content:
            bare = line.rstrip("\r\n")
            if bare.count('"') % 2:
                # A quote that is not closed in its line is a quote, as the package has it.
                yield bare.split(delimiter)
            elif bare:
                yield next(csv.reader([bare], delimiter=delimiter))
    except csv.Error as cause:
        raise AmlkitError(f"`{path}` is not delimited text: {cause}") from None


def _typed(
    rows: Iterator[Row], options: Mapping[str, Any], readers: Sequence[Callable[[str], Any]]
) -> Iterator[Row]:
    head = list(islice(rows, int(options.get("sample_size") or SAMPLE)))
    kept = {
        name
        for each in options.get("column_type_overrides") or []
        if each["column_type"] == "string"
        for name in ([each["columns"]] if isinstance(each["columns"], str) else each["columns"])
    }
    names = dict.fromkeys(name for row in head for name in row if name not in kept)
    types = {name: _guess([row[name] for row in head if row.get(name)], readers) for name in names}

    def convert(name: str, value: Any) -> Any:
        reader = types.get(name)
        if reader is None or not isinstance(value, str):
            return value
        return reader(value) if value else None

    for row in chain(head, rows):
        yield {name: convert(name, value) for name, value in row.items()}


def _guess(
    values: Sequence[str], readers: Sequence[Callable[[str], Any]]
) -> Callable[[str], Any] | None:
    """Return what reads all of these values, or None: they are text."""
    for reader in readers:
        if values and all(reader(each) is not None for each in values):
            return reader
    return None


def json_lines(files: Iterable[Path], options: Mapping[str, Any]) -> Table:
    """Return the rows of `read_json_lines`."""
    return Table([], _json_lines(files, options))


def _json_lines(files: Iterable[Path], options: Mapping[str, Any]) -> Iterator[Row]:
    for path in files:
        with _opened(path, options) as content:
            for count, line in enumerate(content, start=1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise ValueError("a JSON object is needed")  # noqa: TRY004
                except (ValueError, RecursionError) as cause:
                    if options.get("invalid_lines") == "drop":
                        continue
                    raise AmlkitError(
                        f"{path}:{count}: this is not a line of JSON: {cause}",
                        hint="an MLTable file skips such lines with `invalid_lines: drop`",
                    ) from None
                yield _with_path(path, options, row)


def _json(files: Sequence[Path]) -> Table:
    def rows() -> Iterator[Row]:
        for path in files:
            if path.stat().st_size > _JSON_LIMIT:
                raise NotSupported(
                    f"`{path}` is JSON of more than 64 MiB, which has to be read as a whole",
                    hint="write it as JSON lines",
                )
            with _opened(path, {}) as content:
                text = content.read()
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                yield from json_lines([path], {}).rows
                continue
            for each in found if isinstance(found, list) else [found]:
                yield each if isinstance(each, dict) else {"value": each}

    return Table([], rows())


def parquet(files: Iterable[Path], options: Mapping[str, Any]) -> Table:
    """Return the rows of `read_parquet`. Raises: NotSupported: pyarrow is not installed."""
    try:
        import pyarrow.parquet as pq
        from pyarrow import ArrowException
    except ModuleNotFoundError:
        raise NotSupported(
            "Parquet files are read with pyarrow, which is not installed",
            hint="pip install 'amlkit[preview]'",
        ) from None
    columns: list[str] = []

    def rows() -> Iterator[Row]:
        for path in files:
            try:
                with pq.ParquetFile(path) as opened:
                    columns.extend(n for n in opened.schema_arrow.names if n not in columns)
                    for batch in opened.iter_batches(batch_size=SAMPLE):
                        yield from (_with_path(path, options, row) for row in batch.to_pylist())
            except (ArrowException, OSError) as cause:
                reason = str(cause).splitlines()[0]
                raise AmlkitError(f"`{path}` is not a Parquet file: {reason}") from None

    found = rows()
    return Table(columns, chain(list(islice(found, 1)), found))


def _with_path(path: Path, options: Mapping[str, Any], row: Row) -> Row:
    return {"Path": str(path), **row} if options.get("include_path_column") else row


@contextmanager
def _opened(path: Path, options: Mapping[str, Any]) -> Iterator[IO[str]]:
    """Open text for reading. Raises: AmlkitError: it is in another encoding, or unreadable."""
    named = options.get("encoding", "utf8")
    encoding = _ENCODINGS.get(named, named)
    opener: Any = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rt", encoding=encoding, newline="") as content:
            yield content
    except UnicodeDecodeError as cause:
        raise AmlkitError(
            f"`{path}` is not {named} text (byte {cause.start})",
            hint="an MLTable file names another: `read_delimited: {encoding: latin1}`",
        ) from None
    except (EOFError, gzip.BadGzipFile) as cause:
        raise AmlkitError(f"`{path}` is no whole gzip file: {cause}") from None
    except OSError as cause:
        raise unreadable(path, cause) from None


def _delimiter(path: Path) -> str:
    if path.name.lower().removesuffix(".gz").endswith((".tsv", ".tab")):
        return "\t"
    with _opened(path, {}) as content:
        first = content.readline(65536)
    return max(",;\t|", key=lambda each: (first.count(each), each == ","))
