"""Score a network on `test.csv`: `predictions.csv` with a row an image, and `metrics.json`."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from pathlib import Path

import numpy as np

import model
import tables
from tables import DataError
from tracking import log_metric


def main(arguments: list[str] | None = None) -> None:
    """Score, write both files, and print the accuracy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="folder of prepare.py")
    parser.add_argument("--model", type=Path, required=True, help="folder of train.py")
    parser.add_argument("--scores", type=Path, default=Path("scores"), help="folder to write")
    options = parser.parse_args(arguments)
    try:
        images, labels = tables.read(options.tables, "test")
        network = model.load(options.model)
    except (DataError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    probabilities = network.probabilities(images)
    predicted = probabilities.argmax(axis=1)
    accuracy = float(np.mean(predicted == labels))
    options.scores.mkdir(parents=True, exist_ok=True)
    with (options.scores / "predictions.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["label", "predicted", "probability"])
        best = probabilities.max(axis=1)
        for label, kind, probability in zip(labels, predicted, best, strict=True):
            rows.writerow([int(label), int(kind), f"{probability:.4f}"])
    metrics = {"accuracy": accuracy, "examples": len(labels)}
    (options.scores / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    log_metric("accuracy", accuracy)
    print(f"accuracy {accuracy:.4f} on {len(labels)} images")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
