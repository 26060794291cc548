"""Measure a saved model on held-out data: `metrics.json` and `confusion_matrix.svg`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import data
import model
from data import CLASSES, DataError, Labels
from tracking import log_metric

CELL = 40
MARGIN = 50

Counts = npt.NDArray[np.int64]


def confusion(labels: Labels, predicted: Labels) -> Counts:
    """Return how often each label (row) was taken for each label (column)."""
    flat = np.bincount(labels * CLASSES + predicted, minlength=CLASSES * CLASSES)
    return flat.reshape(CLASSES, CLASSES)


def measure(counts: Counts) -> dict[str, Any]:
    """Return accuracy, and precision, recall and number of examples of every label."""
    hits = np.diag(counts)
    precision = hits / np.maximum(counts.sum(axis=0), 1)
    recall = hits / np.maximum(counts.sum(axis=1), 1)
    return {
        "accuracy": float(hits.sum() / counts.sum()),
        "examples": int(counts.sum()),
        "labels": {
            str(label): {
                "precision": float(precision[label]),
                "recall": float(recall[label]),
                "examples": int(counts[label].sum()),
            }
            for label in range(CLASSES)
        },
        "confusion_matrix": counts.tolist(),
    }


def draw(counts: Counts) -> str:
    """Return the matrix as SVG: rows are labels, columns are predictions, darker is more."""
    side = MARGIN + CELL * CLASSES + 10
    rows = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        'font-family="sans-serif" font-size="13" text-anchor="middle">',
        "<title>Confusion matrix</title>",
        f'<rect width="{side}" height="{side}" fill="white"/>',
        _text(MARGIN + CELL * CLASSES // 2, 16, "predicted"),
        f'<g transform="rotate(-90)">{_text(-MARGIN - CELL * CLASSES // 2, 16, "label")}</g>',
    ]
    for label in range(CLASSES):
        middle = MARGIN + CELL * label + CELL // 2
        parts += [_text(middle, MARGIN - 8, str(label)), _text(MARGIN - 12, middle + 5, str(label))]
    for (row, column), count in np.ndenumerate(counts):
        x, y, share = MARGIN + CELL * column, MARGIN + CELL * row, rows[row, column]
        parts.append(
            f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" stroke="#ddd" '
            f'fill="rgb({255 - round(224 * share)},{255 - round(136 * share)},255)"/>'
        )
        if count:
            parts.append(_text(x + CELL // 2, y + CELL // 2 + 5, str(count)))
    return "\n".join([*parts, "</svg>"]) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Measure, write both files, and print the accuracy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument("--test", type=Path, required=True, help="folder of held-out data")
    parser.add_argument("--output", type=Path, default=Path("evaluation"), help="folder to write")
    options = parser.parse_args(arguments)
    try:
        test = data.load(options.test, "test")
        classifier = model.load(options.model)
    except (DataError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    predicted = classifier.probabilities(test.images).argmax(axis=1)
    counts = confusion(test.labels, predicted)
    metrics = measure(counts)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    (options.output / "confusion_matrix.svg").write_text(draw(counts))
    log_metric("accuracy", metrics["accuracy"])
    print(f"accuracy {metrics['accuracy']:.4f} on {len(test)} images")


def _text(x: int, y: int, text: str) -> str:
    return f'<text x="{x}" y="{y}">{text}</text>'


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
