"""The two networks, behind one interface: a Keras CNN, and scikit-learn's network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import joblib
import numpy as np
import numpy.typing as npt

from tables import SIZE, Bytes

KINDS = 10
SKLEARN_FILE = "model.joblib"
KERAS_FILE = "model.keras"

Floats = npt.NDArray[np.float32]


class Network(Protocol):
    """A network that learns one epoch at a time."""

    def fit_epoch(self, images: Bytes, labels: Bytes) -> None:
        """Go through the examples once."""

    def probabilities(self, images: Bytes) -> Floats:
        """Return the probability of every kind, as an array of shape (n, 10)."""

    def save(self, folder: Path) -> None:
        """Write the network into a folder, which is made."""


class SklearnNetwork:
    """One hidden layer, trained by Adam."""

    def __init__(self, network: Any) -> None:
        self._network = network

    @classmethod
    def build(cls, learning_rate: float, batch_size: int, seed: int) -> SklearnNetwork:
        """Return an untrained network."""
        from sklearn.neural_network import MLPClassifier

        return cls(
            MLPClassifier(
                (128,), learning_rate_init=learning_rate, batch_size=batch_size, random_state=seed
            )
        )

    def fit_epoch(self, images: Bytes, labels: Bytes) -> None:
        """Go through the examples once."""
        self._network.partial_fit(_scaled(images), labels, classes=np.arange(KINDS))

    def probabilities(self, images: Bytes) -> Floats:
        """Return the probability of every kind."""
        found: Floats = self._network.predict_proba(_scaled(images)).astype(np.float32)
        return found

    def save(self, folder: Path) -> None:
        """Write the network by joblib."""
        folder.mkdir(parents=True, exist_ok=True)
        joblib.dump(self._network, folder / SKLEARN_FILE)


class KerasNetwork:
    """A convolutional network: two of Conv2D and MaxPool, Dropout, Dense 128, Dense 10."""

    def __init__(self, network: Any, batch_size: int = 64) -> None:
        self._network = network
        self._batch_size = batch_size

    @classmethod
    def build(cls, learning_rate: float, batch_size: int, seed: int) -> KerasNetwork:
        """Return an untrained network."""
        import keras
        from keras import layers

        keras.utils.set_random_seed(seed)
        network = keras.Sequential(
            [
                keras.Input((SIZE * SIZE,)),
                layers.Reshape((SIZE, SIZE, 1)),
                layers.Conv2D(32, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(64, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dropout(0.25),
                layers.Dense(128, activation="relu"),
                layers.Dense(KINDS, activation="softmax"),
            ]
        )
        network.compile(
            optimizer=keras.optimizers.Adam(learning_rate), loss="sparse_categorical_crossentropy"
        )
        return cls(network, batch_size)

    def fit_epoch(self, images: Bytes, labels: Bytes) -> None:
        """Go through the examples once."""
        self._network.fit(_scaled(images), labels, batch_size=self._batch_size, verbose=0)

    def probabilities(self, images: Bytes) -> Floats:
        """Return the probability of every kind."""
        found: Floats = self._network.predict(_scaled(images), batch_size=1024, verbose=0)
        return found

    def save(self, folder: Path) -> None:
        """Write the network in Keras' own format."""
        folder.mkdir(parents=True, exist_ok=True)
        self._network.save(folder / KERAS_FILE)


FRAMEWORKS: dict[str, Callable[[float, int, int], Network]] = {
    "keras": KerasNetwork.build,
    "sklearn": SklearnNetwork.build,
}


def load(folder: Path) -> Network:
    """Return the network that `save` wrote.

    A joblib file runs code as it is read: load no model from a source you do not trust.
    Raises: FileNotFoundError: the folder holds no model.
    """
    if (folder / SKLEARN_FILE).exists():
        return SklearnNetwork(joblib.load(folder / SKLEARN_FILE))
    if (folder / KERAS_FILE).exists():
        import keras

        return KerasNetwork(keras.models.load_model(folder / KERAS_FILE))
    raise FileNotFoundError(f"no {SKLEARN_FILE} or {KERAS_FILE} in `{folder}`")


def _scaled(images: Bytes) -> Floats:
    """Return images as rows of numbers from 0 to 1."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
