"""Train a network on `train.csv`, log its accuracy after every epoch, and save it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np

import model
import tables
from model import Network
from tables import Bytes, DataError
from tracking import log_metric

VALIDATION = 0.15


def train(network: Network, images: Bytes, labels: Bytes, epochs: int, seed: int) -> float:
    """Train, and return the accuracy after the last epoch on images that it did not learn from."""
    order = np.random.default_rng(seed).permutation(len(labels))
    held = max(1, round(len(labels) * VALIDATION))
    validation, training = order[:held], order[held:]
    reached = 0.0
    for epoch in range(1, epochs + 1):
        network.fit_epoch(images[training], labels[training])
        predicted = network.probabilities(images[validation]).argmax(axis=1)
        reached = float(np.mean(predicted == labels[validation]))
        print(f"epoch {epoch}/{epochs}: accuracy {reached:.4f}", flush=True)
        log_metric("accuracy", reached, step=epoch)
    return reached


def main(arguments: list[str] | None = None) -> None:
    """Read the table, train, and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="folder of prepare.py")
    parser.add_argument("--model", type=Path, required=True, help="folder to write")
    parser.add_argument("--framework", choices=sorted(model.FRAMEWORKS), default="keras")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.epochs < 1:
        parser.error("--epochs must be 1 or more")
    try:
        images, labels = tables.read(options.tables, "train")
    except DataError as error:
        sys.exit(f"error: {error}")
    build = model.FRAMEWORKS[options.framework]
    try:
        network = build(options.learning_rate, options.batch_size, options.seed)
    except ModuleNotFoundError as error:
        sys.exit(f"error: {options.framework} is not installed ({error.name}); see README.md")
    train(network, images, labels, options.epochs, options.seed)
    network.save(options.model)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
