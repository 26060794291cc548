"""The MLTable file of a folder. Reference: "CLI (v2) MLtable YAML schema".

Words and fields are those of the JSON schema in the `mltable` package 1.7, which takes no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import ConfigDict, Field

from amlkit.errors import Problem
from amlkit.specs import filters
from amlkit.specs.fields import Spec, optional
from amlkit.specs.source import Path as Keys
from amlkit.specs.source import Source

READERS = ("read_delimited", "read_json_lines", "read_parquet", "read_delta_lake")
_ENCODINGS = "utf8|iso88591|latin1|ascii|utf16|windows1252"
_BARE = "read_delimited|read_parquet|read_json_lines|read_delta_lake"
_HEADERS = "no_header|from_first_file|all_files_different_headers|all_files_same_headers"


class _Strict(Spec):
    """No conversions: the `mltable` package takes `take: 5`, not `take: "5"`."""

    model_config = ConfigDict(strict=True)


class DataPath(_Strict):
    """One entry of `paths`: exactly one of the three."""

    file: str = optional()
    folder: str = optional()
    pattern: str = optional()


class ColumnPattern(_Strict):
    """Columns by a regular expression that is somewhere in the name."""

    pattern: str
    ignore_case: bool = False
    invert: bool = False


Columns: TypeAlias = str | list[str] | ColumnPattern


class ToBoolean(_Strict):
    """How text becomes a boolean."""

    true_values: list[str] = optional()
    false_values: list[str] = optional()
    mismatch_as: str = Field("error", pattern="^(false|true|error)$")


class ToDatetime(_Strict):
    """How text becomes a time. formats: as strftime writes them."""

    formats: str | list[str]
    date_constant: str = optional()


class TypeOptions(_Strict):
    """A type with options."""

    boolean: ToBoolean = optional()
    datetime: ToDatetime = optional()
    stream_info: dict[str, Any] = optional()


ColumnType: TypeAlias = (
    Annotated[str, Field(pattern="^(boolean|float|string|int|stream_info)$")] | TypeOptions
)


class Conversion(_Strict):
    """New types of some columns."""

    columns: Columns
    column_type: ColumnType


class Inference(_Strict):
    """How types are guessed."""

    sample_size: int = optional()
    column_type_overrides: list[Conversion] = optional()


class ReadDelimited(_Strict):
    """Text with delimiters."""

    delimiter: str = ","
    header: str = Field("all_files_same_headers", pattern=f"^({_HEADERS})$")
    support_multi_line: bool = False
    empty_as_string: bool = False
    encoding: str = Field(
        "utf8",
        pattern=f"^({_ENCODINGS}|utf-8|utf8 bom|iso-8859-1|latin-1|utf-16|windows-1252)$",
    )
    include_path_column: bool = False
    infer_column_types: bool | Inference = True
    path_column: str = optional()
    partition_size: int = optional()


class ReadJsonLines(_Strict):
    """One JSON object a line."""

    invalid_lines: str = Field("error", pattern="^(error|drop)$")
    encoding: str = Field("utf8", pattern=f"^({_ENCODINGS}|utf-8|utf8bom)$")
    include_path_column: bool = False
    path_column: str = optional()
    partition_size: int = optional()


class ReadParquet(_Strict):
    """Parquet files."""

    include_path_column: bool = False
    path_column: str = optional()


class ReadDeltaLake(_Strict):
    """A Delta Lake folder."""

    version_as_of: int = optional()
    timestamp_as_of: str = optional()
    include_path_column: bool = False


class RandomSample(_Strict):
    """Rows by chance. probability: 0 to 1."""

    probability: float = optional()
    seed: int = optional()


class Transformation(_Strict):
    """One step: exactly one of these."""

    read_delimited: ReadDelimited = optional()
    read_json_lines: ReadJsonLines = optional()
    read_parquet: ReadParquet = optional()
    read_delta_lake: ReadDeltaLake = optional()
    take: int = optional()
    skip: int = optional()
    take_random_sample: RandomSample = optional()
    filter: str = optional()
    keep_columns: Columns = optional()
    drop_columns: Columns = optional()
    convert_column_types: list[Conversion] = optional()
    extract_columns_from_partition_format: dict[str, Any] = optional()
    select_partitions: list[int] = optional()
    sample: dict[str, Any] = optional()


class MLTable(_Strict):
    """An MLTable file."""

    schema_: str | None = Field(None, alias="$schema")
    type: str = Field("mltable", pattern="^(mltable)$")
    paths: list[DataPath] = optional()
    transformations: list[Annotated[str, Field(pattern=f"^({_BARE})$")] | Transformation] = (
        optional()
    )
    metadata: dict[str, Any] = optional()
    traits: dict[str, Any] = optional()
    query_source: dict[str, Any] = optional()


def check(source: Source, base: Path) -> list[Problem]:
    """Return what is wrong in an MLTable file whose fields are well formed."""
    data: Mapping[str, Any] = source.data
    found: list[Problem] = []
    if ("paths" in data) == ("query_source" in data):
        found.append(
            source.problem(
                (), "a table has either `paths` or `query_source`", "add `paths:`", code="shape"
            )
        )
    for index, each in enumerate(data.get("paths") or []):
        found += _path(source, ("paths", index), each, base)
    readers = []
    for index, each in enumerate(data.get("transformations") or []):
        step = {each: {}} if isinstance(each, str) else each
        found += _step(source, ("transformations", index), step)
        readers += [(index, name) for name in step if name in READERS]
    for index, name in readers[1:]:
        message = f"`{name}`: the files were read before, by `{readers[0][1]}`"
        found.append(source.problem(("transformations", index), message, "delete it", code="shape"))
    return found


def _path(source: Source, keys: Keys, item: Mapping[str, str], base: Path) -> list[Problem]:
    if len(item) != 1:
        return [source.problem(keys, "a path is one of file, folder and pattern", code="shape")]
    kind, text = next(iter(item.items()))
    where = (*keys, kind)
    if "://" in text or text.startswith("azureml:"):
        return []
    if Path(text).is_absolute() or ".." in Path(text).parts:
        return [
            source.problem(
                where,
                f"`{text}` is outside of the folder, and only the folder is stored",
                "move it beside the MLTable file",
                code="missing-path",
                severity="warning",
            )
        ]
    if kind == "pattern":
        there = any(base.glob(text.removeprefix("./") or "*"))
    else:
        there = (base / text).is_dir() if kind == "folder" else (base / text).is_file()
    if there:
        return []
    said = "matches no file" if kind == "pattern" else f"is no {kind}"
    hint = "paths are relative to the folder of the MLTable file"
    return [source.problem(where, f"`{text}` {said}", hint, code="missing-path")]


def _step(source: Source, keys: Keys, step: Mapping[str, Any]) -> list[Problem]:
    if len(step) != 1:
        hint = "start each with `- `"
        return [source.problem(keys, "a step is one transformation", hint, code="shape")]
    name, options = next(iter(step.items()))
    where = (*keys, name)
    if name == "filter":
        try:
            filters.parse(options)
        except filters.BadFilter as bad:
            return [source.problem(where, str(bad), code="filter")]
    if name == "read_delimited" and not 1 <= len(options.get("delimiter", ",")) <= 2:
        message = "a delimiter is one character, or two"
        return [source.problem((*where, "delimiter"), message, code="range")]
    if name == "take_random_sample" and not 0 <= options.get("probability", 1) <= 1:
        return [source.problem((*where, "probability"), "expected 0 to 1", code="range")]
    if name == "convert_column_types":
        return _types(source, where, options)
    return []


def _types(source: Source, keys: Keys, conversions: list[Mapping[str, Any]]) -> list[Problem]:
    return [
        source.problem((*keys, index, "column_type"), "a type is one word", code="shape")
        for index, each in enumerate(conversions)
        if isinstance(each["column_type"], Mapping) and len(each["column_type"]) != 1
    ]
