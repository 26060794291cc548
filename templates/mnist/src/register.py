"""Register a model if it is accurate enough, through the `amlkit` command.

The command decides where to: the embedded workspace, or Azure ML after `amlkit workspace login`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import model


def main(arguments: list[str] | None = None) -> None:
    """Compare the accuracy with the threshold and register, or say why not and exit with 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument(
        "--metrics", type=Path, help="metrics.json of evaluate.py; default: the model's meta.json"
    )
    parser.add_argument("--name", default="mnist", help="name of the registered model")
    parser.add_argument("--threshold", type=float, default=0.95, help="least accuracy, 0 to 1")
    options = parser.parse_args(arguments)
    try:
        accuracy = read_accuracy(options.metrics or options.model / model.META_FILE)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"error: no accuracy to judge by: {error}")
    # Written so that an accuracy of NaN is refused.
    if not accuracy >= options.threshold:
        sys.exit(f"not registered: accuracy {accuracy:.4f} is under {options.threshold}")
    sys.exit(register(options.model, options.name))


def read_accuracy(file: Path) -> float:
    """Return the accuracy in a JSON file.

    Raises: OSError, ValueError, KeyError: no such file, not JSON, or it has no `accuracy`.
    """
    return float(json.loads(file.read_text())["accuracy"])


def register(folder: Path, name: str) -> int:
    """Run `amlkit model register` and return its exit code."""
    command = ["amlkit", "model", "register", "--path", str(folder), "--name", name]
    try:
        return subprocess.run(command, check=False).returncode
    except FileNotFoundError:
        sys.exit("error: the command `amlkit` is not on the PATH")


if __name__ == "__main__":
    main()
