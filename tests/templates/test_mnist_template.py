"""The bundled MNIST project, run as its user runs it: its scripts, in an environment of its own."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

TEMPLATE = Path(__file__).parents[2] / "templates" / "mnist"


@dataclass(frozen=True)
class Project:
    """A copy of the template and an interpreter that has what its pyproject asks for."""

    root: Path
    python: Path

    def run(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        plain = {name: value for name, value in os.environ.items() if "MLFLOW" not in name}
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.root,
            env=plain | {"TF_CPP_MIN_LOG_LEVEL": "2"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def ok(self, *arguments: str | Path, **environment: str) -> str:
        done = self.run(*arguments, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, expression: str) -> object:
        """Return what an expression over the template's modules is, as JSON has it."""
        code = f"import json, data, model, score; from pathlib import Path; {expression}"
        return json.loads(self.ok("-c", code, PYTHONPATH=str(self.root / "src")))


def install(folder: Path, extras: tuple[str, ...] = ()) -> Path:
    poetry = tomllib.loads((TEMPLATE / "pyproject.toml").read_text())["tool"]["poetry"]
    wanted = {name for extra in extras for name in poetry["extras"][extra]}
    packages = [
        name
        for name, need in poetry["dependencies"].items()
        if name != "python" and (name in wanted or not isinstance(need, dict))
    ]
    python = folder / "bin" / "python"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert uv, "uv is a dependency of amlkit"
    for command in (["venv", "-p", sys.executable, folder], ["pip", "install", "-p", python]):
        more = packages if command[0] == "pip" else []
        subprocess.run([uv, *command, "--quiet", *more], check=True)
    return python


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Project]:
    def make(python: Path) -> Project:
        root = tmp_path_factory.mktemp("project") / "mnist"
        shutil.copytree(TEMPLATE, root, ignore=shutil.ignore_patterns("__pycache__"))
        return Project(root, python)

    return make


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("python") / "venv")


@pytest.fixture(scope="session")
def prepared(make_project: Callable[[Path], Project], python: Path) -> Project:
    """The project after `prepare.py`; tests read it and write to folders of their own."""
    project = make_project(python)
    project.ok("src/prepare.py", "--output-dir", "data")
    return project


@pytest.fixture
def trained(prepared: Project, tmp_path: Path) -> Iterator[Path]:
    train(prepared, tmp_path / "model", "--epochs", "2")
    yield tmp_path / "model"


def train(project: Project, output: Path, *options: str, **environment: str) -> str:
    folders = ("--train", "data/train", "--test", "data/test", "--model-output", output)
    return project.ok("src/train.py", *folders, *options, **environment)


def pictures(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.png"))}


def write_idx(file: Path, *sizes: int, values: bytes) -> None:
    magic = 0x800 + len(sizes)
    raw = struct.pack(f">{1 + len(sizes)}I", magic, *sizes) + values
    file.write_bytes(gzip.compress(raw) if file.suffix == ".gz" else raw)


def write_mnist(folder: Path, prefix: str, labels: bytes, suffix: str) -> None:
    folder.mkdir(exist_ok=True)
    images = b"".join(bytes([20 * label]) * 784 for label in labels)
    count = len(labels)
    write_idx(folder / f"{prefix}-images-idx3-ubyte{suffix}", count, 28, 28, values=images)
    write_idx(folder / f"{prefix}-labels-idx1-ubyte{suffix}", count, values=labels)


def test_prepare_writes_every_digit_once_in_a_folder_of_its_label(prepared: Project) -> None:
    train_set, test_set = (pictures(prepared.root / "data" / part) for part in ("train", "test"))
    assert (len(train_set), len(test_set)) == (1437, 360)
    assert {name.split("/")[0] for name in train_set} == set("0123456789")
    # IHDR: width, height, bits, colour type 0 is grey.
    assert {struct.unpack(">2I2B", png[16:26]) for png in train_set.values()} == {(28, 28, 8, 0)}


def test_the_split_has_the_same_share_of_every_label(prepared: Project) -> None:
    for label in "0123456789":
        train_part = len(list((prepared.root / "data/train" / label).iterdir()))
        test_part = len(list((prepared.root / "data/test" / label).iterdir()))
        assert test_part / (train_part + test_part) == pytest.approx(0.2, abs=0.006)


def test_a_seed_gives_the_same_split_and_another_seed_another(
    prepared: Project, tmp_path: Path
) -> None:
    for name, seed in (("same", "0"), ("other", "1")):
        prepared.ok("src/prepare.py", "--output-dir", tmp_path / name, "--seed", seed)
    expected = pictures(prepared.root / "data")
    assert pictures(tmp_path / "same") == expected
    assert pictures(tmp_path / "other") != expected


def test_preparing_again_leaves_no_image_of_the_earlier_split(
    prepared: Project, tmp_path: Path
) -> None:
    for fraction in ("0.5", "0.1"):
        prepared.ok("src/prepare.py", "--output-dir", tmp_path, "--test-fraction", fraction)
    assert len(pictures(tmp_path)) == 1797


def test_preparing_into_somebody_elses_folder_is_refused(prepared: Project, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "mine.txt").write_text("precious")
    done = prepared.run("src/prepare.py", "--output-dir", tmp_path)
    assert done.returncode == 1
    assert "was not written by prepare.py" in done.stderr
    assert (tmp_path / "train" / "mine.txt").read_text() == "precious"


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_mnist_files_are_read_plain_and_gzipped(
    prepared: Project, tmp_path: Path, suffix: str
) -> None:
    write_mnist(tmp_path / "idx", "train", bytes([3, 1, 4]), suffix)
    write_mnist(tmp_path / "idx", "t10k", bytes([5, 9]), suffix)
    read = f"d = [data.load(Path('{tmp_path}/idx'), s) for s in ('train', 'test')];"
    assert prepared.ask(read + "print(json.dumps([x.labels.tolist() for x in d]))") == [
        [3, 1, 4],
        [5, 9],
    ]
    assert prepared.ask(read + "print(json.dumps(d[0].images.max(axis=(1, 2)).tolist()))") == [
        60,
        20,
        80,
    ]


def test_preparing_mnist_keeps_its_own_split(prepared: Project, tmp_path: Path) -> None:
    write_mnist(tmp_path / "idx", "train", bytes([3, 1, 4]), ".gz")
    write_mnist(tmp_path / "idx", "t10k", bytes([5, 9]), ".gz")
    prepared.ok("src/prepare.py", "--source", tmp_path / "idx", "--output-dir", tmp_path / "out")
    assert {name.rsplit("/", 1)[0] for name in pictures(tmp_path / "out")} == {
        "train/3",
        "train/1",
        "train/4",
        "test/5",
        "test/9",
    }


def test_coloured_jpegs_of_any_size_become_grey_28x28(prepared: Project, tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    draw = f"from PIL import Image; Image.new('RGB', (90, 60), 'white').save('{tmp_path}/7/a.JPG')"
    prepared.ok("-c", draw)
    found = prepared.ask(
        f"d = data.load(Path('{tmp_path}'));"
        "print(json.dumps([d.images.shape, d.labels.tolist(), int(d.images.min())]))"
    )
    assert found == [[1, 28, 28], [7], 255]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("3/broken.png", b"\x89PNG", "broken.png` is not a readable image"),
        ("cat/a.png", b"", "cat` is not named after its label"),
        ("train-images-idx3-ubyte", b"\0\0\x08\x03", "has no file `train-labels-idx1-ubyte`"),
        ("notes.txt", b"", "has no MNIST files, and no images in folders 0 to 9"),
    ],
)
def test_bad_data_is_named_in_one_line(
    prepared: Project, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(content)
    done = prepared.run(
        "src/train.py", "--train", tmp_path, "--test", "data/test", "--model-output", tmp_path / "m"
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_truncated_mnist_file_is_refused(prepared: Project, tmp_path: Path) -> None:
    write_mnist(tmp_path, "train", bytes([3, 1, 4]), "")
    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    done = prepared.run("src/prepare.py", "--source", tmp_path, "--output-dir", tmp_path / "out")
    assert done.returncode == 1
    assert "should hold 2352 values and holds 2351" in done.stderr


def test_a_plain_run_prints_an_accuracy_an_epoch_and_leaves_no_mlruns(
    prepared: Project, tmp_path: Path
) -> None:
    printed = train(prepared, tmp_path / "model", "--epochs", "3")
    assert re.findall(r"epoch (\d)/3: accuracy 0\.\d{4}", printed) == ["1", "2", "3"]
    meta = json.loads((tmp_path / "model" / "meta.json").read_text())
    assert f"test accuracy {meta['accuracy']:.4f}" in printed
    assert not list(prepared.root.rglob("mlruns"))


def test_the_same_seed_trains_the_same_model(prepared: Project, tmp_path: Path) -> None:
    first, second = (train(prepared, tmp_path / n, "--epochs", "2") for n in ("one", "two"))
    assert first == second


def test_whole_numbers_as_quniform_draws_them_are_read(prepared: Project, tmp_path: Path) -> None:
    train(prepared, tmp_path, "--epochs", "1", "--batch-size", "48.0", "--hidden-units", "64.0")
    chosen = json.loads((tmp_path / "meta.json").read_text())["hyperparameters"]
    assert (chosen["batch_size"], chosen["hidden_units"]) == (48, 64)


def test_metrics_are_logged_by_epoch_where_a_tracking_server_is_named(
    prepared: Project, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    # mlflow 3 wants to be asked for its folder of plain files, which needs no server.
    tracking = {"MLFLOW_TRACKING_URI": store.as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true"}
    printed = train(prepared, tmp_path / "model", "--epochs", "2", **tracking)
    (accuracy,) = store.glob("*/*/metrics/accuracy")
    (tested,) = store.glob("*/*/metrics/test_accuracy")
    logged = [line.split() for line in accuracy.read_text().splitlines()]
    assert [(step, f"{float(value):.4f}") for _, value, step in logged] == re.findall(
        r"epoch (\d)/2: accuracy (\S+)", printed
    )
    assert f"test accuracy {float(tested.read_text().split()[1]):.4f}" in printed


def test_evaluate_agrees_with_training_and_draws_the_matrix(
    prepared: Project, trained: Path, tmp_path: Path
) -> None:
    prepared.ok(
        "src/evaluate.py", "--model", trained, "--test", "data/test", "--output", tmp_path / "out"
    )
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    matrix = metrics["confusion_matrix"]
    assert metrics["accuracy"] == json.loads((trained / "meta.json").read_text())["accuracy"]
    assert sum(map(sum, matrix)) == metrics["examples"] == 360
    assert sum(matrix[d][d] for d in range(10)) / 360 == pytest.approx(metrics["accuracy"])
    drawing = (tmp_path / "out" / "confusion_matrix.svg").read_text()
    assert drawing.count(f">{matrix[0][0]}</text>") >= 1
    assert drawing.count('stroke="#ddd"') == 100


@pytest.mark.parametrize(("accuracy", "code"), [("0.96", 0), ("0.94", 1), ("NaN", 1)])
def test_register_calls_amlkit_only_above_the_threshold(
    prepared: Project, tmp_path: Path, accuracy: str, code: int
) -> None:
    command = tmp_path / "amlkit"
    command.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    command.chmod(0o755)
    (tmp_path / "metrics.json").write_text(f'{{"accuracy": {accuracy}}}')
    options = ("--model", "best", "--metrics", tmp_path / "metrics.json", "--threshold", "0.95")
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    assert prepared.run("src/register.py", *options, PATH=path).returncode == code
    assert (tmp_path / "called").exists() == (code == 0)
    if code == 0:
        called = (tmp_path / "called").read_text()
        assert called == "model register --path best --name mnist\n"


def test_score_answers_a_request_from_a_model_below_its_folder(
    prepared: Project, trained: Path
) -> None:
    answer = prepared.ask(
        "import os; os.environ['AZUREML_MODEL_DIR'] = "
        f"'{trained.parent}'; score.init(); images = data.load(Path('data/test')).images[:2];"
        "print(json.dumps(score.run(json.dumps({'data': images.tolist()}))))"
    )
    assert isinstance(answer, dict)
    for prediction in answer["predictions"]:
        chances = prediction["probabilities"]
        assert sum(chances) == pytest.approx(1, abs=1e-4)
        assert prediction["label"] == chances.index(max(chances))
    assert len(answer["predictions"]) == 2


@pytest.mark.parametrize("request_text", ["{}", '{"data": [[1, 2]]}', '{"data": []}'])
def test_score_refuses_what_is_no_image(prepared: Project, request_text: str) -> None:
    done = prepared.run(
        "-c", f"import score; score.read_images({request_text!r})", PYTHONPATH="src"
    )
    assert "ValueError: expected" in done.stderr


@pytest.mark.parametrize("name", ["train.yml", "sweep.yml"])
def test_every_option_of_a_spec_is_one_of_train_py(prepared: Project, name: str) -> None:
    spec = yaml.safe_load((TEMPLATE / name).read_text())
    command = spec.get("trial", spec)["command"]
    usage = prepared.ok("src/train.py", "--help")
    for option in re.findall(r"--[a-z-]+", command):
        assert f"{option} " in usage
    for kind, key in re.findall(r"\$\{\{(\w+)\.(\w+)\}\}", command):
        assert key in spec[kind]


@pytest.mark.slow
def test_the_sklearn_network_reaches_95_percent(prepared: Project, tmp_path: Path) -> None:
    train(prepared, tmp_path)
    assert json.loads((tmp_path / "meta.json").read_text())["accuracy"] >= 0.95


@pytest.mark.slow
@pytest.mark.keras
def test_the_keras_network_reaches_92_percent_in_three_epochs_and_scores(
    make_project: Callable[[Path], Project], tmp_path: Path
) -> None:
    project = make_project(install(tmp_path / "venv", extras=("keras",)))
    project.ok("src/prepare.py", "--output-dir", "data")
    train(
        project, tmp_path / "model", "--framework", "keras", "--epochs", "3", "--batch-size", "16"
    )
    assert json.loads((tmp_path / "model" / "meta.json").read_text())["accuracy"] >= 0.92
    output = project.ok("src/evaluate.py", "--model", tmp_path / "model", "--test", "data/test")
    assert re.search(r"accuracy 0\.9[2-9]", output)
