"""Reading and submitting on Azure against the SDK alone, in the same run, on a loopback cloud.

`python benchmarks/bench_azure.py`; exits 1 over a limit. Needs `pip install 'amlkit[azure]'`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "azure"))

import loopback_azure  # noqa: E402
from loopback_azure import SUBSCRIPTION, Cloud  # noqa: E402

BY_IDENTITY = f"""
from azure.ai.ml import MLClient
from azure.identity import ManagedIdentityCredential
client = MLClient(ManagedIdentityCredential(), "{SUBSCRIPTION}", "rg", "ws")
"""
LIST = BY_IDENTITY + "print([each.name for each in client.data.list()])"
SUBMIT = (
    BY_IDENTITY
    + "from azure.ai.ml import load_job; client.jobs.create_or_update(load_job('p.yml'))"
)
STEP = """
type: command
name: step_{n}
command: python run.py ${{{{inputs.data}}}} ${{{{outputs.out}}}}
code: ./step_{n}
environment: azureml:e:1
inputs: {{data: {{type: uri_folder}}}}
outputs: {{out: {{type: uri_folder}}}}
"""
PIPELINE = """
type: pipeline
settings: {default_compute: azureml:cpu}
inputs: {raw: {type: uri_folder, path: ./raw}}
jobs:
  a: {type: command, component: ./step_0.yml, inputs: {data: "${{parent.inputs.raw}}"}}
  b: {type: command, component: ./step_1.yml, inputs: {data: "${{parent.jobs.a.outputs.out}}"}}
  c: {type: command, component: ./step_2.yml, inputs: {data: "${{parent.jobs.b.outputs.out}}"}}
"""
AMLKIT = [sys.executable, "-m", "amlkit"]


def environment(cloud: Cloud, place: Path) -> dict[str, str]:
    """Return what points amlkit and the SDK at the cloud, with a login that needs no command."""
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **kept,
        **cloud.environment,
        "AMLKIT_HOME": str(place / "home"),
        "IDENTITY_ENDPOINT": cloud.identity,
        "IDENTITY_HEADER": "right",
    }


def project(place: Path) -> None:
    """Write a pipeline of three steps."""
    (place / "raw").mkdir()
    (place / "raw" / "a.csv").write_text("1,2\n")
    (place / "p.yml").write_text(PIPELINE)
    for number in range(3):
        (place / f"step_{number}").mkdir()
        (place / f"step_{number}.yml").write_text(STEP.format(n=number))


def change_code(place: Path, word: str) -> None:
    """Make every step's code new, so that all of it has to be sent."""
    for number in range(3):
        (place / f"step_{number}" / "run.py").write_text(f"print('{word}', {number})\n")


def median(commands: dict[str, list[str]], place: Path, env: dict[str, str]) -> dict[str, float]:
    """Return the median seconds of each command, run in turns after one round that warms up."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(6):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, cwd=place, env=env)
            if turn:
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(each) for name, each in times.items()}


def requests_of(command: list[str], cloud: Cloud, place: Path, env: dict[str, str]) -> int:
    """Return how many requests a command makes, those for tokens and the cloud's address aside."""
    cloud.log.clear()
    subprocess.run(command, check=True, capture_output=True, cwd=place, env=env)
    beside = ("/metadata/", "/msi")
    return sum(not any(each in path for each in beside) for _, path in cloud.log)


def main() -> int:
    """Measure, print, and return 1 when a limit is passed."""
    with tempfile.TemporaryDirectory() as scratch, loopback_azure.running(Path(scratch)) as cloud:
        place = Path(scratch) / "project"
        place.mkdir()
        project(place)
        env = environment(cloud, place)
        cloud.store.register("environments", "/environments/e", "/environments/e/versions/1", {})
        cloud.store.put("/computes/cpu", {"computeType": "AmlCompute"})
        for n in range(20):
            cloud.store.register("data", f"/data/d{n}", f"/data/d{n}/versions/1", {})
        where = ["--subscription", SUBSCRIPTION, "-g", "rg", "--name", "ws"]
        login = [*AMLKIT, "workspace", "login", "--managed-identity", *where]
        subprocess.run(login, check=True, capture_output=True, cwd=place, env=env)
        took = median(
            {
                "local": [*AMLKIT, "-w", "local", "data", "list"],
                "azure": [*AMLKIT, "data", "list"],
                "sdk": [sys.executable, "-c", LIST],
            },
            place,
            env,
        )
        change_code(place, "first")
        ours = requests_of([*AMLKIT, "job", "submit", "p.yml"], cloud, place, env)
        for key in [each for each in cloud.store.resources if each.startswith("/codes/")]:
            del cloud.store.resources[key]
        cloud.store.blobs.clear()
        theirs = requests_of([sys.executable, "-c", SUBMIT], cloud, place, env)
    to_local, to_sdk = took["azure"] / took["local"], took["azure"] / took["sdk"]
    print(f"data list on Azure: {took['azure']:.2f} s = {to_local:.1f}x the local one (limit 4)")
    print(f"                    = {to_sdk:.2f}x MLClient's {took['sdk']:.2f} s (limit 0.25)")
    print(f"submitting 3 steps: {ours} requests, {theirs} by the SDK alone (limit: the same)")
    return int(to_local > 4 or to_sdk > 0.25 or ours > theirs)


if __name__ == "__main__":
    sys.exit(main())
