"""Say how good a model is."""

import argparse
import json
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--model")
parser.add_argument("--report")
arguments = parser.parse_args()

model = json.loads((Path(arguments.model) / "model.json").read_text())
target = Path(arguments.report)
target.mkdir(parents=True, exist_ok=True)
(target / "report.json").write_text(json.dumps({"good": model["loss"] < 1}))
print("loss", model["loss"])
