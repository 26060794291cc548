"""Pass a good model on; refuse another."""

import argparse
import json
import shutil
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--model")
parser.add_argument("--report")
parser.add_argument("--accepted")
arguments = parser.parse_args()

report = json.loads((Path(arguments.report) / "report.json").read_text())
if not report["good"]:
    raise SystemExit("the model is not good enough")
shutil.copytree(arguments.model, arguments.accepted, dirs_exist_ok=True)
print("accepted")
