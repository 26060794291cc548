"""Train a digit classifier, log its accuracy after every epoch, and save it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np

import data
import model
from data import DataError, Dataset
from model import Classifier, Hyperparameters
from tracking import log_metric

VALIDATION_FRACTION = 0.15


def train(
    classifier: Classifier, training: Dataset, validation: Dataset, chosen: Hyperparameters
) -> float:
    """Train, and return the accuracy on the validation data after the last epoch."""
    reached = 0.0
    random = np.random.default_rng(chosen.seed)
    for epoch in range(1, chosen.epochs + 1):
        images = data.shifted(training.images, chosen.shift, random)
        classifier.fit_epoch(images, training.labels)
        reached = model.accuracy(classifier, validation.images, validation.labels)
        print(f"epoch {epoch}/{chosen.epochs}: accuracy {reached:.4f}", flush=True)
        log_metric("accuracy", reached, step=epoch)
    return reached


def parse(arguments: list[str] | None) -> tuple[argparse.Namespace, Hyperparameters]:
    """Read the command line; every hyperparameter has a default that works."""
    usual = Hyperparameters()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="folder of training data")
    parser.add_argument("--test", type=Path, required=True, help="folder of held-out data")
    parser.add_argument("--model-output", type=Path, required=True, help="folder to write")
    parser.add_argument("--framework", choices=sorted(model.FRAMEWORKS), default="sklearn")
    parser.add_argument("--epochs", type=whole(1), default=usual.epochs)
    parser.add_argument("--learning-rate", type=float, default=usual.learning_rate)
    parser.add_argument("--hidden-units", type=whole(1), default=usual.hidden_units)
    parser.add_argument("--batch-size", type=whole(1), default=usual.batch_size)
    parser.add_argument("--alpha", type=float, default=usual.alpha, help="L2 penalty")
    parser.add_argument("--shift", type=whole(0), default=usual.shift, help="pixels")
    parser.add_argument("--seed", type=whole(0), default=usual.seed)
    options = parser.parse_args(arguments)
    names = (field.name for field in fields(Hyperparameters))
    return options, Hyperparameters(**{name: getattr(options, name) for name in names})


def whole(least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers; a sweep's quniform writes 64 as `64.0`."""

    def read(text: str) -> int:
        value = float(text)
        if not value.is_integer() or value < least:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least}, got `{text}`")
        return int(value)

    return read


def main(arguments: list[str] | None = None) -> None:
    """Train, measure on the held-out test data, and save."""
    options, chosen = parse(arguments)
    try:
        examples, test = data.load(options.train, "train"), data.load(options.test, "test")
        training, validation = data.split(examples, VALIDATION_FRACTION, chosen.seed)
    except DataError as error:
        sys.exit(f"error: {error}")
    print(f"{len(training)} training, {len(validation)} validation, {len(test)} test images")
    classifier = model.build(options.framework, chosen)
    reached = train(classifier, training, validation, chosen)
    tested = model.accuracy(classifier, test.images, test.labels)
    print(f"test accuracy {tested:.4f}")
    log_metric("test_accuracy", tested)
    model.save(
        classifier,
        options.model_output,
        chosen,
        framework=options.framework,
        accuracy=tested,
        validation_accuracy=reached,
    )


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
