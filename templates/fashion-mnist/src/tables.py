"""Images as rows of a CSV file: the label first, then 784 grey levels, no header."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

SIZE = 28
COLUMNS = 1 + SIZE * SIZE
IDX_UNSIGNED_BYTE = 0x08
PREFIXES = {"train": "train", "test": "t10k"}

Bytes = npt.NDArray[np.uint8]


class DataError(Exception):
    """The data cannot be read; the message names the file or folder."""


def write(images: Bytes, labels: Bytes, file: Path) -> None:
    """Write images of shape (n, 28, 28) and their n labels."""
    rows = np.column_stack([labels, images.reshape(len(images), -1)])
    np.savetxt(file, rows, fmt="%d", delimiter=",")


def read(folder: Path, split: str) -> tuple[Bytes, Bytes]:
    """Return the images and labels of `train.csv` or `test.csv`. Raises: DataError."""
    file = folder / f"{split}.csv"
    try:
        rows = np.loadtxt(file, dtype=np.int64, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(f"`{file}` cannot be read: {error}") from error
    if rows.shape[1] != COLUMNS or rows.min() < 0 or rows.max() > 255:
        raise DataError(f"`{file}` has no rows of a label and {COLUMNS - 1} grey levels")
    values = rows.astype(np.uint8)
    return values[:, 1:].reshape(-1, SIZE, SIZE), values[:, 0]


def read_idx(folder: Path, split: str) -> tuple[Bytes, Bytes]:
    """Return the images and labels of Fashion-MNIST's own files, plain or gzipped.

    Raises: DataError: a file is missing, damaged, or belongs to others.
    """
    prefix = PREFIXES[split]
    images = _idx(_find(folder, f"{prefix}-images-idx3-ubyte"))
    labels = _idx(_find(folder, f"{prefix}-labels-idx1-ubyte"))
    if images.shape[1:] != (SIZE, SIZE) or labels.shape != images.shape[:1]:
        raise DataError(f"the {split} images and labels in `{folder}` do not belong together")
    return images, labels


def _find(folder: Path, name: str) -> Path:
    for file in (folder / name, folder / f"{name}.gz"):
        if file.is_file():
            return file
    raise DataError(f"`{folder}` has no file `{name}` (or the same with .gz)")


def _idx(file: Path) -> Bytes:
    """Return the array in an IDX file: two zero bytes, type, dimensions, sizes, then the values.

    Source: "The MNIST database of handwritten digits", section on the IDX file format.
    """
    try:
        raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError) as error:
        raise DataError(f"`{file}` cannot be read: {error}") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != IDX_UNSIGNED_BYTE:
        raise DataError(f"`{file}` is not an IDX file of unsigned bytes")
    start = 4 + 4 * raw[3]
    shape = tuple(int(size) for size in np.frombuffer(raw[4:start], dtype=">u4"))
    if len(raw) - start != math.prod(shape):
        raise DataError(
            f"`{file}` should hold {math.prod(shape)} values and holds {len(raw) - start}"
        )
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(shape)
