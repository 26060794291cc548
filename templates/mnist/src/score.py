"""Answer scoring requests: Azure ML's inference server calls `init` once and `run` for each.

Request: `{"data": [image, ...]}`; an image is 28 rows of 28 grey levels, 0 background, 255 ink.
Response: `{"predictions": [{"label": 7, "probabilities": [...]}, ...]}`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

import model
from data import SIZE, Bytes

_loaded: list[model.Classifier] = []


def init() -> None:
    """Load the model from the folder that AZUREML_MODEL_DIR names, at any depth below it.

    Raises: FileNotFoundError: no model is there.
    """
    root = Path(os.environ.get("AZUREML_MODEL_DIR", "."))
    found = next(iter(sorted(root.rglob(model.META_FILE))), None)
    if found is None:
        raise FileNotFoundError(f"no {model.META_FILE} under `{root}`")
    _loaded[:] = [model.load(found.parent)]


def run(raw_json: str) -> dict[str, Any]:
    """Return the label and the ten probabilities of every image of a request.

    Raises: ValueError: the request is not what this module's first lines describe.
    """
    probabilities = _loaded[0].probabilities(read_images(raw_json))
    return {
        "predictions": [
            {"label": int(row.argmax()), "probabilities": [float(value) for value in row]}
            for row in probabilities
        ]
    }


def read_images(raw_json: str) -> Bytes:
    """Return a request's images as an array of shape (n, 28, 28).

    Raises: ValueError: not JSON, no `data`, another shape, or a level outside 0 to 255.
    """
    request = json.loads(raw_json)
    if not isinstance(request, dict) or "data" not in request:
        raise ValueError('expected {"data": [image, ...]}')
    levels = np.asarray(request["data"], dtype=np.float64)
    if levels.ndim != 3 or levels.shape[1:] != (SIZE, SIZE) or not len(levels):
        raise ValueError(f"expected images of {SIZE} rows of {SIZE} levels, got {levels.shape}")
    if not ((levels >= 0) & (levels <= 255)).all():
        raise ValueError("expected grey levels from 0 to 255")
    return levels.astype(np.uint8)
