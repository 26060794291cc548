"""Write images of clothes as `train.csv` and `test.csv`.

With --images, from Fashion-MNIST's own files and in their own split; without, clothes are drawn.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

import tables
from tables import Bytes, DataError

HELD_OUT = 0.2


def examples(images: Path | None, count: int, seed: int) -> dict[str, tuple[Bytes, Bytes]]:
    """Return images and labels of both splits. Raises: DataError."""
    if images is not None:
        return {split: tables.read_idx(images, split) for split in ("train", "test")}
    import clothes

    drawn, labels = clothes.draw(count, np.random.default_rng(seed))
    end = count - round(count * HELD_OUT)
    return {"train": (drawn[:end], labels[:end]), "test": (drawn[end:], labels[end:])}


def main(arguments: list[str] | None = None) -> None:
    """Read or draw the images, and write both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="folder of IDX files")
    parser.add_argument("--examples", type=int, default=3000, help="how many to draw")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same images")
    parser.add_argument("--tables", type=Path, default=Path("tables"), help="folder to write")
    options = parser.parse_args(arguments)
    try:
        parts = examples(options.images, options.examples, options.seed)
    except DataError as error:
        sys.exit(f"error: {error}")
    options.tables.mkdir(parents=True, exist_ok=True)
    for split, (images, labels) in parts.items():
        tables.write(images, labels, options.tables / f"{split}.csv")
        print(f"{split}.csv: {len(labels)} images")


if __name__ == "__main__":
    main()
