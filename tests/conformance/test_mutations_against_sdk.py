"""What the SDK's own loaders refuse in a mutated spec, amlkit refuses too.

The SDK takes two minutes over all of them, so what it refuses is kept in `sdk_refusals.json`, and
every twentieth mutation is shown to it again. `python tests/conformance/test_mutations_against_sdk.py`
writes the file anew.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from amlkit import specs
from amlkit.errors import InvalidSpec

ml = pytest.importorskip("azure.ai.ml", reason="the extra `azure` is not installed")
pytestmark = [pytest.mark.filterwarnings("ignore")]

DESCRIBED = {
    "display_name": "n",
    "description": "d",
    "experiment_name": "e",
    "tags": {"k": "v"},
    "properties": {"k": "v"},
    "identity": {"type": "managed"},
    "services": {"s": {"type": "ssh"}},
}
COMMAND = {
    **DESCRIBED,
    "queue_settings": {"job_tier": "spot"},
    "type": "command",
    "name": "j",
    "command": "echo ${{inputs.x}} ${{outputs.o}}",
    "environment": "azureml:e:1",
    "environment_variables": {"A": "1"},
    "inputs": {"x": {"type": "uri_file", "path": "https://a.b/c.csv", "mode": "ro_mount"}},
    "outputs": {"o": {"type": "uri_folder", "mode": "rw_mount"}},
    "compute": "azureml:c",
    "limits": {"timeout": 30},
    "resources": {"instance_count": 2, "instance_type": "s", "shm_size": "2g"},
    "distribution": {"type": "pytorch", "process_count_per_instance": 2},
}
SWEEP = {
    **DESCRIBED,
    "type": "sweep",
    "inputs": {"x": 1},
    "outputs": {"o": {"type": "uri_folder"}},
    "trial": {"command": "echo ${{search_space.lr}}", "environment": "azureml:e:1"},
    "search_space": {"lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9}},
    "sampling_algorithm": {"type": "random", "seed": 3},
    "objective": {"goal": "maximize", "primary_metric": "a"},
    "early_termination": {"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 1},
    "limits": {"max_total_trials": 4, "max_concurrent_trials": 2, "timeout": 600},
    "compute": "azureml:c",
}
ENDPOINT = {"name": "ep", "auth_mode": "key", "traffic": {"a": 10}, "tags": {"k": "v"}}
COMPUTE = {
    "name": "c",
    "type": "amlcompute",
    "size": "s",
    "min_instances": 0,
    "max_instances": 2,
    "tier": "dedicated",
    "network_settings": {"vnet_name": "v", "subnet": "s"},
}
DATASTORE = {
    "name": "d",
    "type": "azure_blob",
    "account_name": "a",
    "container_name": "c",
    "credentials": {"account_key": "k"},
}
PIPELINE = {
    **DESCRIBED,
    "type": "pipeline",
    "settings": {"default_compute": "azureml:c"},
    "inputs": {"d": {"type": "mltable", "path": "https://a.b/c"}},
    "jobs": {
        "fit": {
            "type": "automl",
            "task": "classification",
            "primary_metric": "accuracy",
            "limits": {"max_trials": 2, "timeout_minutes": 9},
            "target_column_name": "y",
            "training_data": "${{parent.inputs.d}}",
            "featurization": {"mode": "auto"},
            "training": {"enable_stack_ensemble": False},
            "outputs": {"best_model": {"type": "mlflow_model"}},
        },
        "score": {
            **DESCRIBED,
            "type": "command",
            "command": "echo ${{inputs.m}}",
            "environment": "azureml:e:1",
            "inputs": {"m": "${{parent.jobs.fit.outputs.best_model}}"},
            "outputs": {"o": {"type": "uri_folder"}},
            "queue_settings": {"job_tier": "spot"},
            "limits": {"timeout": 9},
        },
        "split": {
            "type": "spark",
            "display_name": "s",
            "tags": {"k": "v"},
            "code": ".",
            "entry": {"file": "a.py"},
            "conf": {"spark.driver.cores": 1},
            "resources": {"instance_type": "standard_e4s_v3", "runtime_version": "3.3"},
        },
    },
}
CASES = {
    "job": (COMMAND, "load_job"),
    "job.sweep": (SWEEP, "load_job"),
    "job.pipeline": (PIPELINE, "load_job"),
    "online_endpoint": (ENDPOINT, "load_online_endpoint"),
    "compute": (COMPUTE, "load_compute"),
    "datastore": (DATASTORE, "load_datastore"),
}


def sdk_refuses(loader, file):
    try:
        getattr(ml, loader)(file)
    except Exception:
        return True
    return False


def mutations(document, prefix=()):
    """Yield (what was done, document): every field dropped, renamed, emptied, or retyped."""
    for key, value in document.items():
        path = (*prefix, key)
        yield f"drop {path}", {k: v for k, v in document.items() if k != key}
        yield f"rename {path}", {f"{k}_x" if k == key else k: v for k, v in document.items()}
        for other in (None, [1], {"zz": 1}, "text", 7, True, 1.5):
            yield f"{path} = {other!r}", {**document, key: other}
        if isinstance(value, dict):
            for what, below in mutations(value, path):
                yield what, {**document, key: below}


def refuses(kind, file):
    try:
        specs.load(file, kind=kind)
    except InvalidSpec:
        return True
    return False


RECORD = Path(__file__).with_name("sdk_refusals.json")


def recorded(kind):
    return set(json.loads(RECORD.read_text(encoding="utf-8"))[kind])


@pytest.mark.parametrize("kind", CASES)
def test_every_mutation_that_the_sdk_refuses_is_refused(tmp_path, kind):
    document, _ = CASES[kind]
    file = tmp_path / "spec.yml"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert not refuses(kind, file)
    taken, left = [], recorded(kind)
    assert len(left) > len(document)
    for what, changed in mutations(document):
        if what in left:
            left.remove(what)
            file.write_text(json.dumps(changed), encoding="utf-8")
            taken += [] if refuses(kind, file) else [what]
    assert taken == []
    assert left == set(), "mutations that are no longer made: write the record anew"


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
def test_the_sdk_still_refuses_what_it_did(tmp_path, kind):
    document, loader = CASES[kind]
    file = tmp_path / "spec.yml"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert not sdk_refuses(loader, file)
    before = recorded(kind)
    for what, changed in list(mutations(document))[::20]:
        file.write_text(json.dumps(changed), encoding="utf-8")
        assert sdk_refuses(loader, file) == (what in before), what


def write_record():
    """Ask the SDK about every mutation."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "spec.yml"
        for kind, (document, loader) in CASES.items():
            found[kind] = []
            for what, changed in mutations(document):
                file.write_text(json.dumps(changed), encoding="utf-8")
                if sdk_refuses(loader, file):
                    found[kind].append(what)
    RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_record()
