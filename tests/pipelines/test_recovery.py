"""Random graphs against an oracle: whatever order, failure, cancel or kill, the result is one."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time

import pytest

from tests.pipelines.conftest import out

SEEDS = range(8)


class Graph:
    """A random graph of echo steps: each writes NAME(what its inputs say), once."""

    def __init__(self, seed, folder, *, before=None):
        self.random = random.Random(seed)
        names = [f"s{number}" for number in range(self.random.randint(3, 8))]
        self.inputs = {
            name: self.random.sample(names[:index], self.random.randint(0, min(index, 3)))
            for index, name in enumerate(names)
        }
        self.ran = folder / "ran"
        self.before = before or {}

    def jobs(self):
        names = list(self.inputs)
        self.random.shuffle(names)
        return {name: self._step(name) for name in names}

    def _step(self, name):
        given = {f"i{number}": out(each) for number, each in enumerate(self.inputs[name])}
        parts = '","'.join(f'"$(cat ${{{{inputs.{key}}}}}/data.txt)"' for key in given)
        command = (
            f"{self.before.get(name, '')}\n"
            f'echo "{name}("{parts}")" >> ${{{{outputs.out}}}}/data.txt\n'
            f"echo {name} >> {self.ran}"
        )
        return {
            "type": "command",
            "command": command,
            "environment": "azureml:none@latest",
            "inputs": given,
            "outputs": {"out": {"type": "uri_folder"}},
        }

    def text(self, name):
        return f"{name}({','.join(self.text(each) for each in self.inputs[name])})"

    def descendants(self, names):
        found = set(names)
        for name, inputs in self.inputs.items():
            if found.intersection(inputs):
                found.add(name)
        return found - set(names)

    def check(self, pipelines, job, tmp_path):
        """Every step has completed, has written once, and says what the oracle says."""
        assert {each["status"] for each in job["jobs"].values()} == {"Completed"}
        for name in self.inputs:
            written = next((tmp_path / "home").rglob(f"{job['name']}-{name}/out/data.txt"))
            assert written.read_text(encoding="utf-8") == self.text(name) + "\n"


@pytest.mark.parametrize("seed", SEEDS)
def test_any_graph_at_any_concurrency_gives_what_the_oracle_says(pipelines, tmp_path, seed):
    graph = Graph(seed, tmp_path)
    pipelines.write(graph.jobs())
    job = pipelines.run("p", env={"AMLKIT_SLOTS": str(seed % 8 + 1)})
    graph.check(pipelines, job, tmp_path)
    order = graph.ran.read_text(encoding="utf-8").split()
    assert sorted(order) == sorted(graph.inputs)
    for name, inputs in graph.inputs.items():
        assert all(order.index(each) < order.index(name) for each in inputs)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_failed_pipeline_goes_on_where_it_was(pipelines, amlkit, tmp_path, seed):
    mended = tmp_path / "mended"
    graph = Graph(seed, tmp_path)
    failing = graph.random.sample(list(graph.inputs), 1)
    graph.before = dict.fromkeys(failing, f"test -e {mended} || exit 9")
    pipelines.write(graph.jobs())
    assert pipelines.submit("p", "--wait", env={"AMLKIT_SLOTS": "3"}).returncode == 1
    skipped = graph.descendants(failing)
    for name, each in pipelines.show("p")["jobs"].items():
        wanted = "Failed" if name in failing else "Canceled" if name in skipped else "Completed"
        assert each["status"] == wanted, name
    mended.touch()
    done = amlkit("job", "resume", "p", "--wait")
    assert done.returncode == 0, done.stderr
    graph.check(pipelines, json.loads(done.stdout), tmp_path)
    assert sorted(graph.ran.read_text(encoding="utf-8").split()) == sorted(graph.inputs)


def test_a_canceled_pipeline_stops_what_runs_and_is_resumed(pipelines, amlkit, tmp_path):
    gate = tmp_path / "gate"
    graph = Graph(5, tmp_path)
    held = next(iter(graph.inputs))
    graph.before = {held: f"touch {tmp_path}/waiting; until test -e {gate}; do sleep 0.02; done"}
    pipelines.write(graph.jobs())
    assert pipelines.submit("p").returncode == 0
    _until((tmp_path / "waiting").exists)
    assert amlkit("job", "cancel", "p").returncode == 0
    assert amlkit("job", "wait", "p").returncode == 5
    assert pipelines.show("p")["jobs"][held]["status"] == "Canceled"
    gate.touch()
    done = amlkit("job", "resume", "p", "--wait")
    assert done.returncode == 0, done.stderr
    graph.check(pipelines, json.loads(done.stdout), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_killed_pipeline_is_resumed_and_nothing_is_left_behind(pipelines, amlkit, tmp_path, seed):
    graph = Graph(seed + 100, tmp_path)
    graph.before = dict.fromkeys(graph.inputs, f"sleep 0.0{seed + 1} # {tmp_path}")
    pipelines.write(graph.jobs())
    assert pipelines.submit("p", env={"AMLKIT_SLOTS": "4"}).returncode == 0
    for _ in range(3):
        time.sleep(graph.random.uniform(0, 0.3))
        _kill_supervisor(tmp_path, "p")
        if pipelines.show("p")["status"] == "Completed":
            break
        assert pipelines.show("p")["status"] == "Failed"
        assert amlkit("job", "resume", "p").returncode == 0
    done = amlkit("job", "wait", "p")
    assert done.returncode == 0, done.stderr
    graph.check(pipelines, json.loads(done.stdout), tmp_path)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert f"# {tmp_path}" not in listed.stdout


def _kill_supervisor(tmp_path, name):
    pid = next((tmp_path / "home").rglob(f"jobs/{name}/supervisor.pid"))
    try:
        os.kill(int(pid.read_text(encoding="ascii")), signal.SIGKILL)
    except ProcessLookupError:
        return
    lock = pid.with_name("supervisor.lock")
    from amlkit.local.locks import is_locked

    _until(lambda: not is_locked(lock))


def _until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
