"""`amlkit` on the emulator against the local workspace and the SDK alone, in the same run.

`python benchmarks/bench_emulator.py`; exits 1 over a limit. Needs `pip install
'amlkit[azure,emulator]'`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AMLKIT = [sys.executable, "-m", "amlkit"]
CLIENT = """
from azure.ai.ml import MLClient, load_job
from azure.identity import ManagedIdentityCredential
client = MLClient(ManagedIdentityCredential(), "s", "g", "w")
"""
LIST = CLIENT + "print([each.name for each in client.data.list()])"
SUBMIT = CLIENT + "client.jobs.create_or_update(load_job('sdk.yml'))"
PORTS = "inputs: {data: {type: uri_folder}}\noutputs: {out: {type: uri_folder}}\n"
STEP = f"""
type: command
name: step_%d
command: cp -r ${{{{inputs.data}}}}/. ${{{{outputs.out}}}}
code: ./src_%s
environment: azureml:e:1
{PORTS}"""
PIPELINE = """
type: pipeline
settings: {default_compute: azureml:cpu}
inputs: {raw: {type: uri_folder, path: ./raw_NAME}}
jobs:
  a: {type: command, component: ./NAME_0.yml, inputs: {data: "${{parent.inputs.raw}}"}}
  b: {type: command, component: ./NAME_1.yml, inputs: {data: "${{parent.jobs.a.outputs.out}}"}}
  c: {type: command, component: ./NAME_2.yml, inputs: {data: "${{parent.jobs.b.outputs.out}}"}}
"""
ROUNDS = 6


class Bench:
    """A scratch folder, an emulator of its workspace, and commands that are run in it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        self.environment = {**kept, "AMLKIT_HOME": str(place / "home")}
        self.record = place / "requests.jsonl"

    def run(self, *command: str) -> str:
        """Run a command; return what it printed."""
        return subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            cwd=self.place,
            env=self.environment,
        ).stdout

    def local(self, *arguments: str) -> str:
        """Run `amlkit` on the embedded workspace."""
        return self.run(*AMLKIT, "-w", "local", *arguments)

    def start(self) -> None:
        """Start the emulator, and log amlkit in to it."""
        self.local("emulator", "start", "-d", "--current-python", "--record", str(self.record))
        self.environment |= json.loads(self.local("emulator", "env", "-o", "json"))
        where = ("--subscription", "s", "-g", "g", "--name", "emu")
        self.run(*AMLKIT, "workspace", "login", "--managed-identity", *where)

    def median(self, commands: dict[str, list[str]]) -> dict[str, float]:
        """Return the median seconds of each, run in turns after a round that warms up."""
        times: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(ROUNDS):
            for name, command in commands.items():
                started = time.perf_counter()
                self.run(*command)
                if turn:
                    times[name].append(time.perf_counter() - started)
        return {name: statistics.median(each) for name, each in times.items()}

    def requests(self, *command: str) -> int:
        """Return how many requests a command makes, those for login and addresses aside."""
        before = len(self.record.read_text().splitlines())
        self.run(*command)
        lines = self.record.read_text().splitlines()[before:]
        aside = ("/metadata/", "/msi/")
        return sum(not json.loads(each)["path"].startswith(aside) for each in lines)


def project(place: Path, name: str) -> None:
    """Write a pipeline of three steps whose code and data nobody has sent yet."""
    (place / f"raw_{name}").mkdir()
    (place / f"raw_{name}" / "a.csv").write_text(name)
    (place / f"{name}.yml").write_text(PIPELINE.replace("NAME", name))
    (place / f"src_{name}").mkdir()
    (place / f"src_{name}" / "run.py").write_text(f"print('{name}')\n")
    for number in range(3):
        (place / f"{name}_{number}.yml").write_text(STEP % (number, name))


def main() -> int:
    """Measure, print, and return 1 when a limit is passed."""
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch))
        for name in ("amlkit", "sdk"):
            project(bench.place, name)
        (bench.place / "e.yml").write_text("name: e\nversion: '1'\nimage: ubuntu\n")
        for number in range(20):
            bench.local("data", "create", "--name", f"d{number}", "--path", "raw_sdk/a.csv")
        bench.start()
        try:
            bench.run(*AMLKIT, "env", "create", "-f", "e.yml")
            took = bench.median(
                {
                    "local": [*AMLKIT, "-w", "local", "data", "list"],
                    "emulator": [*AMLKIT, "-w", "emu", "data", "list"],
                    "sdk": [sys.executable, "-c", LIST],
                }
            )
            ours = bench.requests(*AMLKIT, "-w", "emu", "job", "submit", "amlkit.yml")
            theirs = bench.requests(sys.executable, "-c", SUBMIT)
        finally:
            for job in bench.local("job", "list", "-o", "name").split():
                bench.local("job", "wait", job)
            bench.local("emulator", "stop")
    to_local, to_sdk = took["emulator"] / took["local"], took["emulator"] / took["sdk"]
    print(f"data list on the emulator: {took['emulator']:.2f} s = {to_local:.1f}x local (limit 4)")
    print(f"                           = {to_sdk:.2f}x MLClient's {took['sdk']:.2f} s (limit 0.25)")
    print(f"submitting 3 steps: {ours} requests, {theirs} by the SDK alone (limit 20)")
    return int(to_local > 4 or to_sdk > 0.25 or ours > 20)


if __name__ == "__main__":
    sys.exit(main())
