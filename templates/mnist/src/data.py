"""Read labelled 28x28 images: MNIST's IDX files, or a folder of images for every label."""

from __future__ import annotations

import gzip
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

SIZE = 28
CLASSES = 10
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
IDX_SUFFIXES = ("-idx3-ubyte", ".idx3-ubyte"), ("-idx1-ubyte", ".idx1-ubyte")
IDX_PREFIXES = {"train": "train", "test": "t10k"}
IDX_UNSIGNED_BYTE = 0x08

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


class DataError(Exception):
    """The data cannot be read; the message names the file or folder."""


@dataclass(frozen=True)
class Dataset:
    """Images of shape (n, 28, 28), 0 is background and 255 is ink; and n labels from 0 to 9."""

    images: Bytes
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: npt.NDArray[np.intp]) -> Dataset:
        """Return the examples at these positions, in this order."""
        return Dataset(self.images[indices], self.labels[indices])


def load(folder: Path, split: str = "train") -> Dataset:
    """Return the examples in a folder, always in the same order.

    folder: MNIST's IDX files, plain or gzipped, of which `split` (`train` or `test`) chooses a
    pair; or one folder of .png or .jpg files for every label, of which every image is read.
    Raises: DataError: nothing to read there, or a file is damaged.
    """
    if not folder.is_dir():
        raise DataError(f"`{folder}` is not a folder")
    if holds_idx(folder):
        return _load_idx(folder, IDX_PREFIXES[split])
    return _load_images(folder)


def split(data: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
    """Return the data in two parts with the same share of every label.

    fraction: of the second part, over 0 and under 1. The same seed gives the same parts.
    Raises: DataError: a label has fewer than two examples, so it cannot be in both parts.
    """
    counts = np.bincount(data.labels, minlength=CLASSES)
    if 1 in counts:
        label = int(np.flatnonzero(counts == 1)[0])
        raise DataError(f"label {label} has one example; a split needs two of every label")
    shuffle = np.random.default_rng(seed)
    in_second = np.zeros(len(data), dtype=bool)
    for label, quota in enumerate(_quotas(counts, fraction)):
        in_second[shuffle.permutation(np.flatnonzero(data.labels == label))[:quota]] = True
    return data.take(np.flatnonzero(~in_second)), data.take(np.flatnonzero(in_second))


def shifted(images: Bytes, pixels: int, random: np.random.Generator) -> Bytes:
    """Return every image moved by up to `pixels` in both directions, each by its own amount."""
    edges = np.pad(images, ((0, 0), (pixels, pixels), (pixels, pixels)))
    windows = np.lib.stride_tricks.sliding_window_view(edges, (SIZE, SIZE), axis=(1, 2))
    down, right = random.integers(0, 2 * pixels + 1, size=(2, len(images)))
    moved: Bytes = windows[np.arange(len(images)), down, right]
    return moved


def to_image(picture: Image.Image) -> Bytes:
    """Return any picture as a 28x28 array of grey levels."""
    grey = picture if picture.mode == "L" else picture.convert("L")
    if grey.size != (SIZE, SIZE):
        grey = grey.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    return np.asarray(grey, dtype=np.uint8)


def holds_idx(folder: Path) -> bool:
    """Say whether a folder holds MNIST's files rather than images."""
    return any(_find_idx(folder, prefix, 0) for prefix in IDX_PREFIXES.values())


def holds_test_split(folder: Path) -> bool:
    """Say whether a folder of IDX files has MNIST's own test examples."""
    return _find_idx(folder, IDX_PREFIXES["test"], 0) is not None


def _quotas(counts: npt.NDArray[np.intp], fraction: float) -> list[int]:
    """Return how many of every label go to the second part; the largest remainders round up."""
    shares = counts * fraction
    quotas = np.floor(shares).astype(int)
    missing = math.ceil(shares.sum()) - int(quotas.sum())
    quotas[np.argsort(quotas - shares, kind="stable")[:missing]] += 1
    return [
        min(max(int(quota), 1), int(n) - 1) if n else 0
        for quota, n in zip(quotas, counts, strict=True)
    ]


def _load_images(folder: Path) -> Dataset:
    files = [
        (path, _label(path.parent))
        for path in sorted(folder.glob("*/*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
    ]
    if not files:
        raise DataError(f"`{folder}` has no MNIST files, and no images in folders 0 to 9")
    images = np.empty((len(files), SIZE, SIZE), dtype=np.uint8)
    for index, (path, _) in enumerate(files):
        try:
            with Image.open(path) as picture:
                images[index] = to_image(picture)
        except (UnidentifiedImageError, OSError) as error:
            raise DataError(f"`{path}` is not a readable image") from error
    return Dataset(images, np.array([label for _, label in files], dtype=np.int64))


def _label(folder: Path) -> int:
    if folder.name.isdecimal() and int(folder.name) < CLASSES:
        return int(folder.name)
    raise DataError(f"`{folder}` is not named after its label, a digit from 0 to 9")


def _load_idx(folder: Path, prefix: str) -> Dataset:
    found = [_find_idx(folder, prefix, kind) for kind in (0, 1)]
    images_file, labels_file = found
    if images_file is None or labels_file is None:
        missing = (
            f"{prefix}-images-idx3-ubyte" if images_file is None else f"{prefix}-labels-idx1-ubyte"
        )
        raise DataError(f"`{folder}` has no file `{missing}` (or the same with .gz)")
    images, labels = _read_idx(images_file), _read_idx(labels_file)
    if images.shape[1:] != (SIZE, SIZE) or labels.ndim != 1 or len(images) != len(labels):
        raise DataError(f"`{images_file}` and `{labels_file.name}` do not belong together")
    return Dataset(images, labels.astype(np.int64))


def _find_idx(folder: Path, prefix: str, kind: int) -> Path | None:
    """Return the file of images (kind 0) or labels (kind 1), if it is there."""
    noun = ("images", "labels")[kind]
    names = (f"{prefix}-{noun}{suffix}{gz}" for suffix in IDX_SUFFIXES[kind] for gz in ("", ".gz"))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _read_idx(path: Path) -> Bytes:
    """Return the array in an IDX file: two zero bytes, type, dimensions, sizes, then the values.

    Source: "The MNIST database of handwritten digits", section on the IDX file format.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise DataError(f"`{path}` cannot be read: {error}") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != IDX_UNSIGNED_BYTE:
        raise DataError(f"`{path}` is not an IDX file of unsigned bytes")
    start = 4 + 4 * raw[3]
    shape = tuple(int(size) for size in np.frombuffer(raw[4:start], dtype=">u4"))
    if len(raw) - start != math.prod(shape):
        raise DataError(
            f"`{path}` should hold {math.prod(shape)} values and holds {len(raw) - start}"
        )
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(shape)
