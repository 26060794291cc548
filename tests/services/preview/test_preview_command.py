"""`amlkit data preview`: tables in every format, and pictures."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image


def shown(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


ROWS = [{"name": "Zoë", "age": 31}, {"name": "Ada", "age": 36}, {"name": "Bob", "age": None}]


@pytest.fixture
def tables(tmp_path):
    """Write the same rows in every format."""
    folder = tmp_path / "tables"
    folder.mkdir()
    text = "name{0}age\nZoë{0}31\nAda{0}36\nBob{0}\n"
    (folder / "t.csv").write_text(text.format(","), encoding="utf-8")
    (folder / "bom.csv").write_text(text.format(";"), encoding="utf-8-sig")
    (folder / "t.tsv").write_text(text.format("\t"), encoding="utf-8")
    (folder / "t.csv.gz").write_bytes(gzip.compress(text.format(",").encode()))
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    (folder / "t.jsonl").write_text(lines)
    (folder / "t.json").write_text(json.dumps(ROWS))
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "t.parquet")
    return folder


@pytest.mark.parametrize(
    "file", ["t.csv", "bom.csv", "t.tsv", "t.csv.gz", "t.jsonl", "t.json", "t.parquet"]
)
def test_the_same_rows_are_read_from_every_format(amlkit, tables, file):
    assert shown(amlkit("data", "preview", tables / file)) == ROWS
    assert shown(amlkit("data", "preview", tables / file, "--take", "1")) == ROWS[:1]


def test_rows_are_printed_in_every_format_whatever_their_columns_are_called(amlkit, tmp_path):
    (tmp_path / "a.csv").write_text("size,status,created,duration\n2048,Failed,yesterday,12\n")
    table = amlkit("data", "preview", "./a.csv", "-o", "table").stdout.splitlines()
    assert [line.split() for line in table] == [
        ["size", "status", "created", "duration"],
        ["2048", "Failed", "yesterday", "12"],
    ]
    as_csv = amlkit("data", "preview", "./a.csv", "-o", "csv").stdout
    assert as_csv == (tmp_path / "a.csv").read_text()
    assert amlkit("data", "preview", "./a.csv", "-o", "name").stdout == "2048\n"
    assert amlkit("data", "preview", "./a.csv", "--query", "[0].status").stdout == '"Failed"\n'


def test_ones_and_zeros_of_a_plain_file_are_numbers(amlkit, tmp_path):
    (tmp_path / "a.csv").write_text("label,sure\n1,TRUE\n0,false\n")
    found = amlkit("data", "preview", "./a.csv", "-o", "jsonl").stdout
    assert found == '{"label": 1, "sure": true}\n{"label": 0, "sure": false}\n'


def test_a_wide_table_says_how_many_columns_are_left_out(amlkit, tmp_path):
    (tmp_path / "a.csv").write_text(
        ",".join(f"c{n}" for n in range(30)) + "\n" + ",".join("7" * 30)
    )
    done = amlkit("data", "preview", "./a.csv", "-o", "table", env={"COLUMNS": "200"})
    assert "and 18 more columns" in done.stdout
    assert len(shown(amlkit("data", "preview", "./a.csv"))[0]) == 30


def test_a_folder_of_parts_is_one_table_and_other_folders_are_listed(amlkit, tmp_path):
    for part in range(3):
        place = tmp_path / "parts" / f"day={part}" / "part.csv"
        place.parent.mkdir(parents=True)
        place.write_text(f"n\n{part + 5}\n")
    (tmp_path / "parts" / "README.md").write_text("about")
    assert shown(amlkit("data", "preview", "./parts")) == [{"n": 5}, {"n": 6}, {"n": 7}]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "weights.bin").write_bytes(b"1234")
    assert shown(amlkit("data", "preview", "./other")) == [{"path": "weights.bin", "size": 4}]


def test_a_registered_asset_is_previewed_by_name(amlkit, tmp_path):
    folder = tmp_path / "t"
    folder.mkdir()
    (folder / "a.csv").write_text("age,city\n40,UK\n7,US\n")
    (folder / "MLTable").write_text(
        "paths: [{file: a.csv}]\ntransformations: [read_delimited, {filter: 'age > 18'}]\n"
    )
    made = amlkit("data", "create", "--name", "people", "--path", "t", "--type", "mltable")
    assert made.returncode == 0, made.stderr
    assert shown(amlkit("data", "preview", "people:1")) == [{"age": 40, "city": "UK"}]
    assert amlkit("data", "preview", "nobody").returncode == 3


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("a.csv", b"name\nM\xfcnchen\n", 1, "is not utf8 text"),
        ("a.jsonl", b'{"a": 1}\n[1]\n', 1, "a.jsonl:2: this is not a line of JSON"),
        ("a.parquet", b"PAR0", 1, "is not a Parquet file"),
        ("a.csv.gz", b"\x1f\x8b", 1, "is no whole gzip file"),
        ("a.bin", b"1", 2, "is no table and no picture"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_one_message(
    amlkit, tmp_path, name, content, code, said
):
    (tmp_path / name).write_bytes(content)
    failed = amlkit("data", "preview", f"./{name}")
    assert failed.returncode == code, failed.stderr
    assert said in failed.stderr
    assert "bug in amlkit" not in failed.stderr


def test_an_empty_file_is_a_table_without_rows(amlkit, tmp_path):
    for name in ("a.csv", "a.jsonl"):
        (tmp_path / name).write_text("")
        assert shown(amlkit("data", "preview", f"./{name}")) == []
        assert "no rows" in amlkit("data", "preview", f"./{name}", "-o", "table").stdout


# Pictures.


@pytest.fixture
def pictures(tmp_path):
    for label, color, count in (("cat", "red", 3), ("dog", "blue", 12)):
        for number in range(count):
            place = tmp_path / "train" / label / f"{number:02}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (20, 10), color).save(place)
    return tmp_path / "train"


def test_pictures_are_counted_by_label_and_drawn_on_one_sheet(amlkit, pictures, tmp_path):
    found = shown(amlkit("data", "preview", "./train"))
    assert (found["pictures"], found["labels"]) == (15, {"cat": 3, "dog": 12})
    amlkit("data", "create", "--name", "pets", "--path", "train")
    drawn = shown(amlkit("data", "preview", "pets", "--file", "sheet.png", "--per-label", "4"))
    assert drawn["file"] == "sheet.png"
    with Image.open(tmp_path / "sheet.png") as sheet:
        colors = {color: count for count, color in sheet.getcolors(1 << 20)}
    # Each picture is drawn 72 pixels wide and 36 high.
    assert (colors[(255, 0, 0)], colors[(0, 0, 255)]) == (3 * 72 * 36, 4 * 72 * 36)


def test_a_damaged_picture_is_named_and_the_others_are_drawn(amlkit, pictures, tmp_path):
    (pictures / "cat" / "00.png").write_bytes(b"not a picture")
    done = amlkit("data", "preview", "./train", "--file", "sheet.png")
    assert done.returncode == 0
    assert "00.png` cannot be read as a picture" in done.stderr
    assert (tmp_path / "sheet.png").exists()


def test_a_sheet_is_a_png_file(amlkit, pictures):
    failed = amlkit("data", "preview", "./train", "--file", "sheet.jpg")
    assert failed.returncode == 2
    assert "--file sheet.png" in failed.stderr


@pytest.mark.parametrize(("module", "what"), [("PIL", "./train"), ("pyarrow", "./t.parquet")])
def test_without_the_extra_the_command_says_what_to_install(
    amlkit, pictures, tmp_path, module, what
):
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    hidden = tmp_path / "hidden"
    (hidden / module).mkdir(parents=True)
    text = f"raise ModuleNotFoundError('No module named {module}', name='{module}')"
    (hidden / module / "__init__.py").write_text(text)
    failed = amlkit("data", "preview", what, "--file", "s.png", env={"PYTHONPATH": str(hidden)})
    assert failed.returncode == 1, failed.stderr
    assert "pip install 'amlkit[preview]'" in failed.stderr
