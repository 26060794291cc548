"""Fit a line to a file of numbers, and write its slope down as the model."""

import argparse
import json
import os
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--data")
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--decay", type=float, default=1.0)
parser.add_argument("--steps", type=int, default=20)
parser.add_argument("--model", default="outputs")
arguments = parser.parse_args()

place = Path(arguments.data)
file = place if place.is_file() else next(place.rglob("*.csv"))
points = [tuple(map(float, line.split(","))) for line in file.read_text().split()]
slope = 0.0
for step in range(arguments.steps):
    gradient = sum(2 * x * (slope * x - y) for x, y in points) / len(points)
    slope -= arguments.lr * arguments.decay**step * gradient
loss = sum((slope * x - y) ** 2 for x, y in points) / len(points)
print(f"slope {slope:.3f} loss {loss:.6f}")

target = Path(arguments.model)
target.mkdir(parents=True, exist_ok=True)
(target / "model.json").write_text(json.dumps({"slope": slope, "loss": loss}))

if "MLFLOW_TRACKING_URI" in os.environ:
    try:
        import mlflow
    except ModuleNotFoundError:
        pass
    else:
        mlflow.log_metric("loss", loss)
