"""Draw images that look like clothes, as Fashion-MNIST has them: ten kinds, 28x28, grey on black.

No photograph is in them: every kind is a few polygons, moved, turned and shaded at random.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

SIZE = 28
SCALE = 4
KINDS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

Bytes = npt.NDArray[np.uint8]
Points = list[tuple[float, float]]

_BODY: Points = [(9, 5), (19, 5), (19.5, 24), (8.5, 24)]
_SHORT: Points = [(9, 5), (3, 11), (6, 14), (9, 11)]
_LONG: Points = [(9, 5), (3, 12), (3, 23), (6.5, 23), (8.5, 11)]
# Each kind is drawn from polygons in coordinates from 0 to 28; shade 0 cuts out, 1 is the cloth.
_SHAPES: dict[int, list[tuple[Points, float]]] = {
    0: [(_BODY, 1), (_SHORT, 1), ([(28 - x, y) for x, y in _SHORT], 1)],
    1: [
        ([(9, 3), (19, 3), (20, 25), (15.5, 25), (14, 10), (12.5, 25), (8, 25)], 1),
    ],
    2: [(_BODY, 1), (_LONG, 1), ([(28 - x, y) for x, y in _LONG], 1)],
    3: [([(11, 2), (17, 2), (16, 9), (20, 26), (8, 26), (12, 9)], 1)],
    4: [
        ([(9, 4), (19, 4), (20.5, 26), (7.5, 26)], 1),
        (_LONG, 0.85),
        ([(28 - x, y) for x, y in _LONG], 0.85),
        ([(13.5, 4), (14.5, 4), (14.8, 26), (13.2, 26)], 0.15),
    ],
    5: [
        ([(2, 21), (26, 19), (26, 21), (2, 24)], 1),
        ([(6, 21), (9, 13), (11, 13), (9, 21)], 0.9),
        ([(16, 20), (19, 14), (21, 14), (20, 20)], 0.9),
    ],
    6: [
        (_BODY, 1),
        (_LONG, 1),
        ([(28 - x, y) for x, y in _LONG], 1),
        ([(12, 5), (16, 5), (14, 9)], 0),
        *[([(13.4, y), (14.6, y), (14.6, y + 1.2), (13.4, y + 1.2)], 0.2) for y in (11, 15, 19)],
    ],
    7: [
        ([(2, 17), (8, 15), (13, 10), (17, 11), (25, 17), (26, 21), (2, 21)], 1),
        ([(2, 21), (26, 21), (26, 23), (2, 23)], 0.5),
    ],
    8: [
        ([(4, 12), (24, 12), (25, 25), (3, 25)], 1),
        ([(9, 12), (10, 5), (18, 5), (19, 12), (17, 12), (16.5, 7), (11.5, 7), (11, 12)], 0.8),
    ],
    9: [
        ([(5, 3), (14, 3), (15, 14), (25, 18), (26, 23), (4, 23)], 1),
        ([(4, 23), (26, 23), (26, 25), (4, 25)], 0.5),
    ],
}


def draw(count: int, random: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Return so many images of shape (count, 28, 28) and their labels, every kind as often."""
    labels = random.permutation(np.arange(count) % len(KINDS)).astype(np.uint8)
    images = np.stack([_one(int(label), random) for label in labels])
    return images, labels


def _one(label: int, random: np.random.Generator) -> Bytes:
    """Return one image: turned, stretched and moved, with its own shade and some noise."""
    angle = random.normal(0, 0.07)
    wide, tall = random.uniform(0.85, 1.08, 2)
    right, down = random.uniform(-1.5, 1.5, 2)
    canvas = Image.new("L", (SIZE * SCALE, SIZE * SCALE), 0)
    pen = ImageDraw.Draw(canvas)
    cloth = random.uniform(110, 245)
    middle = SIZE / 2
    for points, shade in _SHAPES[label]:
        placed = []
        for x, y in points:
            x, y = (x - middle) * wide, (y - middle) * tall
            turned = x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
            placed.append(((turned[0] + middle + right) * SCALE, (turned[1] + middle + down) * SCALE))
        pen.polygon(placed, fill=round(cloth * shade))
    image = np.asarray(canvas.resize((SIZE, SIZE), Image.Resampling.BOX), dtype=np.float64)
    folds = 1 + 0.15 * np.sin(np.arange(SIZE) * random.uniform(0.3, 1.2) + random.uniform(0, 6))
    noisy = image * folds[:, None] + (image > 0) * random.normal(0, 12, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)
