"""The two classifiers, behind one interface: scikit-learn's network and a small Keras CNN."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import joblib
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from data import CLASSES, SIZE, Bytes, Labels

META_FILE = "meta.json"
SKLEARN_FILE = "model.joblib"
KERAS_FILE = "model.keras"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Hyperparameters:
    """What a sweep tunes.

    alpha: weight of the L2 penalty. shift: pixels by which training images move at random.
    """

    epochs: int = 25
    learning_rate: float = 0.003
    hidden_units: int = 128
    alpha: float = 0.0001
    batch_size: int = 32
    shift: int = 1
    seed: int = 0


class Classifier(Protocol):
    """A network that learns one epoch at a time."""

    def fit_epoch(self, images: Bytes, labels: Labels) -> None:
        """Go through the examples once, in a random order that follows from the seed."""

    def probabilities(self, images: Bytes) -> Floats:
        """Return the probability of every label, as an array of shape (n, 10)."""

    def save(self, folder: Path) -> None:
        """Write the network into an existing folder."""


class SklearnClassifier:
    """One hidden layer, trained by Adam: seconds on a laptop.

    It keeps to one thread: its matrices are small, and trials that run at the same time would
    wait for each other's threads and take several times as long.
    """

    def __init__(self, network: Any) -> None:
        self._network = network

    @classmethod
    def build(cls, chosen: Hyperparameters) -> SklearnClassifier:
        """Return an untrained network."""
        from sklearn.neural_network import MLPClassifier

        return cls(
            MLPClassifier(
                hidden_layer_sizes=(chosen.hidden_units,),
                learning_rate_init=chosen.learning_rate,
                alpha=chosen.alpha,
                batch_size=chosen.batch_size,
                random_state=chosen.seed,
            )
        )

    def fit_epoch(self, images: Bytes, labels: Labels) -> None:
        """Go through the examples once."""
        with threadpool_limits(1):
            self._network.partial_fit(_flat(images), labels, classes=np.arange(CLASSES))

    def probabilities(self, images: Bytes) -> Floats:
        """Return the probability of every label."""
        with threadpool_limits(1):
            result: Floats = self._network.predict_proba(_flat(images)).astype(np.float32)
        return result

    def save(self, folder: Path) -> None:
        """Write the network by joblib."""
        joblib.dump(self._network, folder / SKLEARN_FILE)


class KerasClassifier:
    """A convolutional network: Reshape, Conv2D 32, MaxPool, Dense, Dense 10."""

    def __init__(self, network: Any, batch_size: int = 32) -> None:
        self._network = network
        self._batch_size = batch_size

    @classmethod
    def build(cls, chosen: Hyperparameters) -> KerasClassifier:
        """Return an untrained network; `hidden_units` is the width of its first dense layer."""
        import keras
        from keras import layers, regularizers

        keras.utils.set_random_seed(chosen.seed)
        penalty = regularizers.L2(chosen.alpha)
        network = keras.Sequential(
            [
                keras.Input((SIZE * SIZE,)),
                layers.Reshape((SIZE, SIZE, 1)),
                layers.Conv2D(32, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(chosen.hidden_units, activation="relu", kernel_regularizer=penalty),
                layers.Dense(CLASSES, activation="softmax"),
            ]
        )
        network.compile(
            optimizer=keras.optimizers.Adam(chosen.learning_rate),
            loss="sparse_categorical_crossentropy",
        )
        return cls(network, chosen.batch_size)

    def fit_epoch(self, images: Bytes, labels: Labels) -> None:
        """Go through the examples once."""
        self._network.fit(_flat(images), labels, batch_size=self._batch_size, verbose=0)

    def probabilities(self, images: Bytes) -> Floats:
        """Return the probability of every label."""
        result: Floats = self._network.predict(_flat(images), batch_size=1024, verbose=0)
        return result

    def save(self, folder: Path) -> None:
        """Write the network in Keras' own format."""
        self._network.save(folder / KERAS_FILE)


FRAMEWORKS: dict[str, Callable[[Hyperparameters], Classifier]] = {
    "sklearn": SklearnClassifier.build,
    "keras": KerasClassifier.build,
}


def build(framework: str, chosen: Hyperparameters) -> Classifier:
    """Return an untrained classifier of a framework, `sklearn` or `keras`."""
    return FRAMEWORKS[framework](chosen)


def accuracy(classifier: Classifier, images: Bytes, labels: Labels) -> float:
    """Return the share of images that get their own label, from 0 to 1."""
    return float(np.mean(classifier.probabilities(images).argmax(axis=1) == labels))


def save(classifier: Classifier, folder: Path, chosen: Hyperparameters, **facts: Any) -> None:
    """Write a classifier with `meta.json`: its hyperparameters and further facts about it."""
    folder.mkdir(parents=True, exist_ok=True)
    classifier.save(folder)
    meta = facts | {"hyperparameters": asdict(chosen)}
    (folder / META_FILE).write_text(json.dumps(meta, indent=2) + "\n")


def load(folder: Path) -> Classifier:
    """Return the classifier that `save` wrote.

    A joblib file runs code as it is read: load no model from a source you do not trust.
    Raises: FileNotFoundError: the folder holds no model.
    """
    if (folder / SKLEARN_FILE).exists():
        return SklearnClassifier(joblib.load(folder / SKLEARN_FILE))
    if (folder / KERAS_FILE).exists():
        import keras

        return KerasClassifier(keras.models.load_model(folder / KERAS_FILE))
    raise FileNotFoundError(f"no {SKLEARN_FILE} or {KERAS_FILE} in `{folder}`")


def read_meta(folder: Path) -> dict[str, Any]:
    """Return what `save` noted about a classifier.

    Raises: FileNotFoundError: the folder holds no model.
    """
    meta: dict[str, Any] = json.loads((folder / META_FILE).read_text())
    return meta


def _flat(images: Bytes) -> Floats:
    """Return images as rows of numbers from 0 to 1."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
