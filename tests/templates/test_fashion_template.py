"""The bundled fashion-mnist project: its pipeline end to end, on drawn and on real-form images."""

from __future__ import annotations

import csv
import gzip
import struct
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def fashion(bundled):
    """The project after its pipeline has run with scikit-learn's network."""
    project = bundled("fashion-mnist")
    project.run("validate", "pipeline.yml", "prepare.yml", "train.yml", "score.yml")
    submit(project, "first")
    return project


def submit(project, name, *more, code=0):
    sets = ["--set", "inputs.framework=sklearn", "--set", "inputs.epochs=3"]
    return project.run("job", "submit", "pipeline.yml", "--name", name, "--wait", *sets, *more, code=code)


def metric(project, step):
    return project.json("job", "metrics", step, "--query", "[-1].value")


def rows(file: Path):
    with file.open(newline="") as handle:
        return list(csv.reader(handle))


def test_the_network_recognises_drawn_clothes(fashion, tmp_path):
    assert metric(fashion, "first/train") > 0.85
    assert metric(fashion, "first/score") > 0.85
    fashion.run("job", "download", "first/score", "--output-name", "scores", "-p", tmp_path)
    (file,) = tmp_path.rglob("predictions.csv")
    header, *predictions = rows(file)
    assert header == ["label", "predicted", "probability"]
    right = sum(label == predicted for label, predicted, _ in predictions)
    assert len(predictions) == 600
    assert right / 600 == pytest.approx(metric(fashion, "first/score"))


def test_a_second_run_reuses_the_steps_that_nothing_changed_for(fashion):
    submit(fashion, "second", "--set", "jobs.train.inputs.learning_rate=0.002")
    steps = fashion.json("job", "show", "second")["jobs"]
    assert steps["prepare"]["reused_from"] == "first-prepare"
    assert "reused_from" not in steps["train"]
    assert "reused_from" not in steps["score"]


def test_a_seed_draws_the_same_clothes_and_another_seed_others(fashion, tmp_path):
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        fashion.script("src/prepare.py", "--examples", 50, "--seed", seed, "--tables", tmp_path / name)
    one, two, other = ((tmp_path / n / "train.csv").read_bytes() for n in ("one", "two", "other"))
    assert one == two != other
    table = rows(tmp_path / "one" / "train.csv")
    assert (len(table), {len(row) for row in table}) == (40, {785})
    labels = [row[0] for row in table + rows(tmp_path / "one" / "test.csv")]
    assert {labels.count(str(kind)) for kind in range(10)} == {5}


def write_idx(folder: Path, prefix: str, labels: bytes, suffix: str) -> None:
    for noun, sizes, values in (
        ("images-idx3", (len(labels), 28, 28), b"".join(bytes([25 * n]) * 784 for n in labels)),
        ("labels-idx1", (len(labels),), labels),
    ):
        raw = struct.pack(f">{1 + len(sizes)}I", 0x800 + len(sizes), *sizes) + values
        file = folder / f"{prefix}-{noun}-ubyte{suffix}"
        file.write_bytes(gzip.compress(raw) if suffix else raw)


def test_files_of_fashion_mnist_are_read_in_their_own_split(fashion, tmp_path):
    """A registered folder of IDX files as the pipeline's input, as the README says."""
    images = tmp_path / "images"
    images.mkdir()
    write_idx(images, "train", bytes(range(10)) * 8, ".gz")
    write_idx(images, "t10k", bytes([3, 1, 4]), "")
    reference = fashion.run(
        "data", "create", "--name", "fashion_images", "--path", images, "--type", "uri_folder", "-o", "name"
    ).strip()
    submit(
        fashion,
        "real",
        "--set",
        "jobs.prepare.inputs.images.type=uri_folder",
        "--set",
        f"jobs.prepare.inputs.images.path=azureml:{reference}",
    )
    fashion.run("job", "download", "real/prepare", "--output-name", "tables", "-p", tmp_path / "t")
    (test,) = (tmp_path / "t").rglob("test.csv")
    assert [(row[0], row[1], row[784]) for row in rows(test)] == [
        ("3", "75", "75"),
        ("1", "25", "25"),
        ("4", "100", "100"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.txt", b"", "has no file `train-images-idx3-ubyte`"),
        ("train-images-idx3-ubyte", b"\0\0\x08\x03", "should hold"),
        ("train-images-idx3-ubyte.gz", b"no", "cannot be read"),
        ("train-images-idx3-ubyte", b"text", "is not an IDX file"),
    ],
)
def test_images_that_cannot_be_read_are_named_in_one_line(fashion, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    told = fashion.refused("src/prepare.py", "--images", tmp_path, "--tables", tmp_path / "t")
    assert message in told
    assert len(told.splitlines()) == 1


def test_the_steps_can_be_registered_and_used_by_their_names(fashion, tmp_path):
    registered = fashion.run(
        "component", "register", "prepare.yml", "train.yml", "score.yml", "-o", "name"
    )
    assert registered.split() == ["fashion_prepare:1", "fashion_train:1", "fashion_score:1"]


@pytest.mark.keras
def test_the_keras_network_recognises_drawn_clothes(bundled):
    project = bundled("fashion-mnist", "keras")
    project.run("job", "submit", "pipeline.yml", "--name", "k", "--wait")
    assert metric(project, "k/score") > 0.93
