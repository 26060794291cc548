"""Write handwritten digits as images: `<output-dir>/train/<label>/*.png` and `test/<label>/*.png`.

Without --source these are the 1,797 digits that scikit-learn brings along. With it, MNIST's IDX
files or a folder of images for every label; `train` and `test` folders in there stay apart.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import data
from data import DataError, Dataset

BOX = 20
NOTE = "prepared.json"


def digits() -> Dataset:
    """Return scikit-learn's 8x8 digits drawn as MNIST draws its own: a 20x20 box in 28x28."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.zeros((len(bunch.images), data.SIZE, data.SIZE), dtype=np.uint8)
    edge = (data.SIZE - BOX) // 2
    for image, levels in zip(images, bunch.images, strict=True):
        small = Image.fromarray((levels * (255 / 16)).astype(np.uint8))
        drawn = small.resize((BOX, BOX), Image.Resampling.BICUBIC)
        image[edge : edge + BOX, edge : edge + BOX] = np.asarray(drawn)
    return Dataset(images, bunch.target.astype(np.int64))


def read(source: Path | None, fraction: float, seed: int) -> dict[str, Dataset]:
    """Return the training and test examples, split here unless the source has split them.

    Raises: DataError: nothing to read in `source`.
    """
    if source and data.holds_test_split(source):
        return {name: data.load(source, name) for name in ("train", "test")}
    if source and all((source / name).is_dir() for name in ("train", "test")):
        return {name: data.load(source / name, name) for name in ("train", "test")}
    train, test = data.split(data.load(source) if source else digits(), fraction, seed)
    return {"train": train, "test": test}


def write(dataset: Dataset, folder: Path) -> None:
    """Write every example as `<folder>/<label>/<position>.png`."""
    for label in np.unique(dataset.labels):
        (folder / str(label)).mkdir(parents=True)
    for position, (image, label) in enumerate(zip(dataset.images, dataset.labels, strict=True)):
        Image.fromarray(image).save(folder / str(label) / f"{position:05}.png")


def clear(output_dir: Path) -> None:
    """Remove what an earlier run wrote, so that no example ends up in both parts.

    Raises: DataError: there are files that this script did not write.
    """
    for name in ("train", "test"):
        folder = output_dir / name
        if not folder.exists():
            continue
        if not (output_dir / NOTE).exists():
            raise DataError(f"`{folder}` exists and was not written by prepare.py; move it away")
        shutil.rmtree(folder)


def main(arguments: list[str] | None = None) -> None:
    """Read, split and write the images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output-dir", type=Path, default=Path("data"))
    parser.add_argument("--source", type=Path, help="folder of IDX files or of images")
    parser.add_argument("--test-fraction", type=float, default=0.2, help="of all examples")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same split")
    options = parser.parse_args(arguments)
    if not 0 < options.test_fraction < 1:
        parser.error("--test-fraction must be over 0 and under 1")
    try:
        parts = read(options.source, options.test_fraction, options.seed)
        clear(options.output_dir)
    except DataError as error:
        sys.exit(f"error: {error}")
    options.output_dir.mkdir(parents=True, exist_ok=True)
    counts = {name: len(part) for name, part in parts.items()}
    note = {"source": str(options.source or "sklearn.datasets.load_digits"), "seed": options.seed}
    (options.output_dir / NOTE).write_text(json.dumps(note | counts, indent=2) + "\n")
    for name, part in parts.items():
        write(part, options.output_dir / name)
        print(f"{options.output_dir / name}: {counts[name]} images")


if __name__ == "__main__":
    main()
