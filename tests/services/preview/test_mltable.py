"""MLTable files: what is checked, and that a preview has the rows of the `mltable` package."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from amlkit import specs
from amlkit.errors import AmlkitError, InvalidSpec
from amlkit.services.preview import Rows, preview

sys.path.insert(0, str(Path(__file__).parent))
import mltable_cases

RECORDED = json.loads(mltable_cases.RESULTS.read_text(encoding="utf-8"))


def no_fetch(uri, kind):
    raise AssertionError(f"{uri} was fetched")


def rows_of(folder, take=100, fetch=no_fetch):
    found = preview(folder, "mltable", fetch, take=take, sheet=None, per_label=1)
    assert isinstance(found, Rows)
    return [dict(each) for each in found.rows]


def compared(rows):
    """Return cells by kind and value; pandas makes floats of whole numbers beside empty cells."""
    return [
        {
            name: (type(cell).__name__ if isinstance(cell, str | bool) else "", cell)
            for name, cell in row.items()
        }
        for row in rows
    ]


@pytest.mark.parametrize("name", mltable_cases.CASES)
def test_a_preview_has_the_rows_of_the_mltable_package(name, tmp_path):
    mltable_cases.write(tmp_path, name)
    expected = RECORDED[name]
    if expected is None:
        with pytest.raises(AmlkitError):
            rows_of(tmp_path)
        return
    found = json.loads(json.dumps(rows_of(tmp_path)).replace(str(tmp_path), "."))
    assert compared(found) == compared(expected)


def test_a_pattern_may_ignore_case_as_documented(tmp_path):
    """The package (1.7) finds no column then."""
    (tmp_path / "a.csv").write_text("city,temp\nUK,5\n")
    (tmp_path / "MLTable").write_text(
        "paths: [{file: a.csv}]\ntransformations:\n  - read_delimited\n"
        "  - keep_columns: {pattern: 'CI', ignore_case: true}\n"
    )
    assert rows_of(tmp_path) == [{"city": "UK"}]


def test_rows_by_chance_are_the_same_for_a_seed_and_about_as_many_as_asked(tmp_path):
    (tmp_path / "n.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(2, 2002)))
    (tmp_path / "MLTable").write_text(
        "paths: [{file: n.csv}]\ntransformations:\n  - read_delimited\n"
        "  - take_random_sample: {probability: 0.1, seed: 3}\n"
    )
    first = rows_of(tmp_path, take=2000)
    assert 150 < len(first) < 250
    assert rows_of(tmp_path, take=2000) == first


@pytest.mark.parametrize(
    ("text", "where", "said", "hint"),
    [
        ("paths: [{file: a.csv}]\ntransformations: [{read_delimted: {}}]\n", "2:20", "unknown field `read_delimted`", "did you mean `read_delimited`?"),
        ("paths: [{file: a.csv}]\ntransformations:\n  - read_delimited:\n      encoding: utf9\n", "4:17", "`utf9` is not known here", "did you mean `utf8`?"),
        ("paths: [{file: gone.csv}]\n", "1:16", "`gone.csv` is no file", "relative to the folder"),
        ("paths: [{pattern: '*.parquet'}]\n", "1:19", "matches no file", "relative"),
        ("paths: [{file: a.csv, folder: .}]\n", "1:9", "a path is one of file, folder and pattern", ""),
        ("type: mltable\ntransformations: []\n", "1:1", "either `paths` or `query_source`", "add `paths:`"),
        ("paths: [{file: a.csv}]\ntransformations:\n  - read_delimited: {}\n    take: 1\n", "3:5", "a step is one transformation", "start each with `- `"),
        ("paths: [{file: a.csv}]\ntransformations:\n  - read_delimited\n  - filter: \"col('a') > 1 & col('b') < 2\"\n", "4:13", "write `and` and `or`", ""),
        ("paths: [{file: a.csv}]\ntransformations:\n  - take_random_sample: {probability: 2}\n", "3:39", "expected 0 to 1", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_told_with_its_place(
    amlkit, tmp_path, text, where, said, hint
):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "MLTable").write_text(text)
    checked = amlkit("validate", "MLTable")
    assert checked.returncode == 2, checked.stderr
    assert f"MLTable:{where}: " in checked.stderr
    assert said in checked.stderr
    assert hint in checked.stderr
    made = amlkit("data", "create", "--name", "t", "--path", ".", "--type", "mltable")
    assert made.returncode == 2
    assert said in made.stderr
    assert amlkit("data", "show", "t").returncode == 3


def test_a_file_outside_of_the_folder_is_a_warning(tmp_path):
    (tmp_path / "MLTable").write_text("paths: [{file: ../a.csv}]\n")
    (found,) = specs.load(tmp_path / "MLTable").warnings
    assert "outside of the folder" in found.message


def test_every_mltable_file_of_the_documentation_is_valid(tmp_path):
    (tmp_path / "MLTable").write_text(
        "$schema: https://azuremlschemas.azureedge.net/latest/MLTable.schema.json\ntype: mltable\n"
        "paths:\n  - file: abfss://fs@acct.dfs.core.windows.net/path/\n"
        "  - pattern: azureml://datastores/s/paths/x/*.parquet\n"
        "transformations:\n  - read_delimited:\n      encoding: ascii\n      header: "
        "all_files_same_headers\n      include_path_column: true\n  - keep_columns: [c1, c2]\n"
        "  - convert_column_types:\n      - columns: c2\n        column_type:\n          datetime:\n"
        "            formats:\n              - '%d/%m/%Y'\n"
        '  - filter: \'col("c1") > 32 and col("c2") == "x"\'\n  - skip: 10\n'
        "  - take_random_sample:\n      probability: 0.50\n      seed: 1394\n"
    )
    assert specs.load(tmp_path / "MLTable").kind == "mltable"
    (tmp_path / "MLTable").write_text(
        "paths:\n  - folder: abfss://fs@a.dfs.core.windows.net/p/\ntransformations:\n"
        "  - read_delta_lake:\n      timestamp_as_of: '2022-08-26T00:00:00Z'\n"
    )
    assert specs.load(tmp_path / "MLTable").kind == "mltable"


@pytest.mark.parametrize(
    "step",
    ["read_delta_lake: {version_as_of: 1}", "extract_columns_from_partition_format: {t: yyyy}"],
)
def test_what_only_the_package_can_do_is_refused_with_the_way_out(amlkit, tmp_path, step):
    folder = tmp_path / "table"
    folder.mkdir()
    (folder / "a.csv").write_text("a\n1\n")
    (folder / "MLTable").write_text(f"paths: [{{file: a.csv}}]\ntransformations:\n  - {step}\n")
    failed = amlkit("data", "preview", "./table")
    assert failed.returncode == 1
    assert f"`{step.split(':')[0]}` is not previewed" in failed.stderr
    assert "mltable.load" in failed.stderr


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("col('nope') > 1", "there is no column `nope`", "the table has a, b"),
        ("col('b') > 1", "cannot be applied to b='x'", "convert_column_types"),
    ],
)
def test_a_filter_that_does_not_fit_the_data_says_so(tmp_path, text, said, hint):
    (tmp_path / "a.csv").write_text("a,b\n5,x\n")
    steps = f"  - read_delimited\n  - filter: {json.dumps(text)}\n"
    (tmp_path / "MLTable").write_text(f"paths: [{{file: a.csv}}]\ntransformations:\n{steps}")
    with pytest.raises(AmlkitError, match=said) as error:
        rows_of(tmp_path)
    assert hint in str(error.value.hint)


def test_data_that_is_elsewhere_is_fetched(tmp_path):
    (tmp_path / "got.csv").write_text("a\n5\n")
    (tmp_path / "MLTable").write_text(
        "paths: [{file: 'https://x.org/got.csv'}]\ntransformations: [read_delimited]\n"
    )
    asked = []

    def fetch(uri, kind):
        asked.append((uri, kind))
        return tmp_path / "got.csv"

    assert rows_of(tmp_path, fetch=fetch) == [{"a": 5}]
    assert asked == [("https://x.org/got.csv", "uri_file")]


def test_a_job_whose_table_has_no_mltable_file_is_refused_before_it_starts(amlkit, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("a\n1\n")
    (tmp_path / "job.yml").write_text(
        "command: ls ${{inputs.t}}\nenvironment: azureml:any@latest\n"
        "inputs:\n  t: {type: mltable, path: data}\n"
    )
    failed = amlkit("job", "submit", "job.yml", "--current-python")
    assert failed.returncode == 2
    assert "has no MLTable file" in failed.stderr
    (tmp_path / "data" / "MLTable").write_text("paths: [{file: a.csv}]\n")
    assert "MLTable" in amlkit("job", "submit", "job.yml", "--current-python", "--stream").stdout


def test_a_step_that_says_nothing_at_all_is_invalid(tmp_path):
    (tmp_path / "MLTable").write_text("paths: [{file: MLTable}]\ntransformations:\n  - {}\n")
    with pytest.raises(InvalidSpec, match="a step is one transformation"):
        specs.load(tmp_path / "MLTable")


def test_a_misspelt_transformation_is_one_problem(amlkit, tmp_path):
    steps = "  - read_delimted: {}\n  - take: five\n"
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "MLTable").write_text(f"paths: [{{file: ./a.csv}}]\ntransformations:\n{steps}")
    failed = amlkit("validate", "MLTable")
    assert failed.returncode == 2
    assert "did you mean `read_delimited`?" in failed.stderr
    assert 'expected an integer, got "five"' in failed.stderr
    assert failed.stderr.count("error:") == 2
