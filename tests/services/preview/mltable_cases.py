"""MLTable files and data on which amlkit's preview is compared with the `mltable` package.

`python mltable_cases.py`, where mltable and pandas are installed, writes what the package gives to
mltable_results.json beside this file.
"""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

RESULTS = Path(__file__).with_name("mltable_results.json")
FILES = {
    "a.csv": "city,temp,day,ok,empty\nUK,40,2024-01-01,yes,\nUK,10,2024-02-03,no,\n"
    "US,50,2024-05-06,yes,x\nFR,33.5,2024-07-08,no,\n",
    "b.csv": 'i,b,f,d,s,z\n1,True,1.5,2024-01-01 10:00,a,\n2,False,2,2024-02-01 11:30,"b, c",\n'
    ',true,,,x,\n4,false,1e3,,"q""q",\n',
    "ragged.csv": 'a,b\n1\n2,3,4\n"x\ny",5\n',
    "kinds.csv": "d1|d2|d4|d5|n1|n2|n4|n5|n6|b1|b2|b3|n7|n8|n9|n10|d6|d7\n"
    + "2024-01-01 10:00:00|2024-01-01T10:00:00Z|2024-01-01T10:00:00|2024/01/02|1,000| 5|inf|0x1f"
    "|007|TRUE|T|1|1_000|+5|.5|5.|2024-13-01|2024-01-01 10:00:00.123\n"
    + "2024-01-01 10:00:00|2024-01-01T10:00:00Z|2024-01-01T10:00:00|2024/01/02|1,000| 5|inf|0x1f"
    "|1|FALSE|F|0|1_000|+5|.5|5.|2024-13-01|2024-01-01 10:00:00.123\n",
    "one/x.csv": "i,s\n8,a\n",
    "two/y.csv": "i,s\n9,b\n",
    "j.jsonl": '{"a":1,"b":"x"}\nnot json\n{"a":2,"c":"y"}\n',
    "latin.csv": "name;n\nMünchen;1\n",
}
READ = "read_delimited: {delimiter: ','}"


def _filtered(text: str, file: str = "b.csv") -> tuple[str, list[str]]:
    return f"file: ./{file}", [READ, "filter: " + json.dumps(text)]


CASES = {
    "plain": ("file: ./a.csv", [READ]),
    "bare": ("file: ./a.csv", ["read_delimited"]),
    "types": ("file: ./kinds.csv", ["read_delimited: {delimiter: '|'}"]),
    "mixed": ("file: ./b.csv", [READ]),
    "ragged": ("file: ./ragged.csv", [READ]),
    "multi-line": ("file: ./ragged.csv", ["read_delimited: {support_multi_line: true}"]),
    "empty as string": ("file: ./a.csv", ["read_delimited: {empty_as_string: true}"]),
    "no types": ("file: ./a.csv", ["read_delimited: {infer_column_types: false}"]),
    "one type kept": (
        "file: ./a.csv",
        [
            "read_delimited: {infer_column_types: {sample_size: 2, column_type_overrides: "
            "[{columns: temp, column_type: string}]}}"
        ],
    ),
    "no header": ("file: ./a.csv", ["read_delimited: {header: no_header}"]),
    "two delimiters": ("file: ./a.csv", ["read_delimited: {delimiter: ','}", "take: 1"]),
    "path column": ("file: ./a.csv", ["read_delimited: {include_path_column: true}", "take: 1"]),
    "pattern": ("pattern: ./*/*.csv", [READ]),
    "folders": ("folder: ./one\n  - folder: ./two", [READ]),
    "header of the first": (
        "file: ./one/x.csv\n  - file: ./two/y.csv",
        ["read_delimited: {header: from_first_file}"],
    ),
    "different headers": (
        "file: ./one/x.csv\n  - file: ./a.csv",
        ["read_delimited: {header: all_files_different_headers}"],
    ),
    "same headers": (
        "file: ./one/x.csv\n  - file: ./a.csv",
        ["read_delimited: {header: all_files_same_headers}"],
    ),
    "latin": ("file: ./latin.csv", ["read_delimited: {delimiter: ';', encoding: utf8}"]),
    "take": ("file: ./a.csv", [READ, "take: 2"]),
    "skip": ("file: ./a.csv", [READ, "skip: 3"]),
    "take files first": ("pattern: ./*/*.csv", ["take: 1", READ]),
    "keep": ("file: ./a.csv", [READ, "keep_columns: [temp, city]"]),
    "keep one": ("file: ./a.csv", [READ, "keep_columns: city"]),
    "keep none": ("file: ./a.csv", [READ, "keep_columns: [nope]"]),
    "keep pattern": ("file: ./a.csv", [READ, "keep_columns: {pattern: '.*y'}"]),
    "keep part": ("file: ./a.csv", [READ, "keep_columns: {pattern: 'it'}"]),
    "keep start": ("file: ./a.csv", [READ, "keep_columns: {pattern: 'c.*'}"]),
    "drop": ("file: ./a.csv", [READ, "drop_columns: [temp, nope]"]),
    "drop pattern": ("file: ./a.csv", [READ, "drop_columns: {pattern: '.*y', invert: true}"]),
    "json": ("file: ./j.jsonl", ["read_json_lines"]),
    "json drop": ("file: ./j.jsonl", ["read_json_lines: {invalid_lines: drop}"]),
    "to text": (
        "file: ./b.csv",
        [READ, "convert_column_types: [{columns: [i, f, b], column_type: string}]"],
    ),
    "to int": (
        "file: ./a.csv",
        [READ, "convert_column_types: [{columns: [temp, city, ok], column_type: int}]"],
    ),
    "to boolean": (
        "file: ./b.csv",
        [READ, "convert_column_types: [{columns: [i, s], column_type: boolean}]"],
    ),
    "to boolean by words": (
        "file: ./b.csv",
        [
            READ,
            "convert_column_types: [{columns: s, column_type: {boolean: "
            "{true_values: [a], false_values: [x], mismatch_as: 'true'}}}]",
        ],
    ),
    "to time": (
        "file: ./a.csv",
        [
            "read_delimited: {infer_column_types: false}",
            "convert_column_types: [{columns: day, column_type: {datetime: {formats: '%Y-%m-%d'}}}]",
        ],
    ),
    "times as text": (
        "file: ./a.csv",
        [READ, "convert_column_types: [{columns: day, column_type: string}]"],
    ),
    "filter and": _filtered('col("temp") > 32 and col("city") == "UK"', "a.csv"),
    "filter or not": _filtered('col("temp") > 32 or not (col("city") == "UK")', "a.csv"),
    "filter starts": _filtered("col('city').starts_with('U')", "a.csv"),
    "filter sum": _filtered("col('temp') + 1 > 41", "a.csv"),
    "filter name": _filtered("temp > 41", "a.csv"),
    "filter turned": _filtered("32 < col('temp')", "a.csv"),
    "filter negative": _filtered("col('temp') > -1", "a.csv"),
    "filter time": _filtered("col('day') > datetime(2024,3,1)", "a.csv"),
    "filter boolean": _filtered("col('b')"),
    "filter not": _filtered("not col('b')"),
    "filter true": _filtered("col('b') == True"),
    "filter equal": _filtered("col('i') == 4"),
    "filter unequal": _filtered("col('i') != 4"),
    "filter times": _filtered("col('i') * 2 >= 4"),
    "filter rest": _filtered("col('i') % 2 == 0"),
    "filter mixed": _filtered("col('i') >= 2 and col('f') < 3 or col('s') == 'a'"),
    "filter ampersand": _filtered("(col('city') != 'UK') & (col('temp') < 40)", "a.csv"),
    "filter in": _filtered("col('city') in ['UK']", "a.csv"),
    "filter unknown": _filtered("is_null(col('i'))"),
    "filter method": _filtered("col('s').contains('q')"),
    "filter shouting": _filtered("col('temp') > 32 AND col('city') == 'UK'", "a.csv"),
    "unknown step": ("file: ./a.csv", [READ, "nosuch: 1"]),
    "unknown option": ("file: ./a.csv", ["read_delimited: {delimitr: ','}"]),
    "two keys": ("file: ./a.csv", [READ + "\n    take: 1"]),
    "long delimiter": ("file: ./a.csv", ["read_delimited: {delimiter: ',,,'}"]),
    "nothing to read by": ("file: ./a.csv", ["read_delimited:"]),
    "twice": ("file: ./a.csv", [READ, READ]),
    "take a text": ("file: ./a.csv", [READ, "take: '1'"]),
    "to a time without formats": (
        "file: ./a.csv",
        [READ, "convert_column_types: [{columns: day, column_type: datetime}]"],
    ),
    "absent": ("file: ./nothere.csv", [READ]),
}


def write(folder: Path, name: str) -> None:
    """Write a case's data and its MLTable file."""
    path, steps = CASES[name]
    for file, text in FILES.items():
        place = folder / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode("utf-8"))
    lines = "".join(f"  - {step}\n" for step in steps)
    (folder / "MLTable").write_text(f"type: mltable\npaths:\n  - {path}\ntransformations:\n{lines}")


def _record() -> None:
    import mltable

    found = {}
    for name in CASES:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            write(folder, name)
            try:
                frame = mltable.load(scratch).to_pandas_dataframe()
            except Exception:
                found[name] = None
                continue
            columns = {key: [_cell(v, scratch) for v in frame[key]] for key in frame.columns}
            found[name] = [
                dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
            ]
    RESULTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _cell(value: object, root: str) -> object:
    import pandas

    if value is None or value is pandas.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, pandas.Timestamp):
        return value.isoformat(sep=" ").removesuffix(" 00:00:00")
    if isinstance(value, str):
        return value.replace(root, ".")
    return value.item() if hasattr(value, "item") else value


if __name__ == "__main__":
    _record()
