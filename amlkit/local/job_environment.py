"""The environment variables that a job finds, as Azure ML sets them.

Source: "Azure Machine Learning CLI (v2) command job YAML schema" and "Distributed GPU training
guide".
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.config import environment
from amlkit.local.computes import cores
from amlkit.records import JSON

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace

# Bytecode off makes `import mlflow` 2.6 times slower; the others belong to amlkit's own process.
_DROPPED = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX")
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


def job_variables(
    workspace: LocalWorkspace,
    *,
    job: str,
    root: str,
    experiment: str,
    python: Path,
    concurrency: int,
) -> dict[str, str]:
    """Return the variables of a job that runs beside `concurrency - 1` others.

    Without those that hold the secrets of datastores: amlkit brings and sends the data.
    """
    dropped = {*_DROPPED, *workspace.datastores.secret_variables()}
    kept = {key: value for key, value in environment().items() if key not in dropped}
    threads = str(max(1, cores() // max(1, concurrency)))
    prefix = python.parent.parent
    amlkit = Path(sys.executable).parent
    named = {
        "AZUREML_RUN_ID": job,
        "AZUREML_ROOT_RUN_ID": root,
        "AZUREML_ARM_SUBSCRIPTION": "00000000-0000-0000-0000-000000000000",
        "AZUREML_ARM_RESOURCEGROUP": "local",
        "AZUREML_ARM_WORKSPACE_NAME": workspace.name,
        "AZUREML_ARM_PROJECT_NAME": experiment,
        "AZUREML_EXPERIMENT_ID": experiment,
        "AZUREML_WORKSPACE_ID": workspace.name,
        "AZUREML_OUTPUT_DIRECTORY": str(workspace.folder.code(job) / "outputs"),
        # An `amlkit` that the job calls works on the workspace that runs it.
        "AMLKIT_WORKSPACE": str(workspace.folder.root),
        # `pip` in a command must not reach the machine's own Python.
        "PIP_REQUIRE_VIRTUALENV": "true",
        "PYTHONUNBUFFERED": "1",
        "PATH": os.pathsep.join([str(python.parent), kept.get("PATH", ""), str(amlkit)]),
    }
    if (prefix / "pyvenv.cfg").exists():
        named["VIRTUAL_ENV"] = str(prefix)
    return {**kept, **{key: kept.get(key, threads) for key in _THREADS}, **named}


def distribution_variables(
    distribution: Mapping[str, JSON], instance_count: int
) -> list[dict[str, str]]:
    """Return the extra variables of each process of a job: one dict a rank.

    distribution: `type` and `process_count_per_instance` (PyTorch, MPI), or `worker_count` and
    `parameter_server_count` (TensorFlow). Without one, the command runs once.
    """
    kind = str(distribution.get("type") or "").lower()
    if kind == "tensorflow":
        return _tensorflow(distribution, instance_count)
    if kind not in {"pytorch", "mpi"}:
        return [{}]
    each = _count(distribution, "process_count_per_instance", 1)
    world = each * instance_count
    port = str(_free_port())
    ranks = []
    for rank in range(world):
        variables = {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
            "WORLD_SIZE": str(world),
            "RANK": str(rank),
            "LOCAL_RANK": str(rank % each),
            "NODE_RANK": str(rank // each),
        }
        if kind == "mpi":
            variables |= {
                "OMPI_COMM_WORLD_SIZE": str(world),
                "OMPI_COMM_WORLD_RANK": str(rank),
                "OMPI_COMM_WORLD_LOCAL_RANK": str(rank % each),
            }
        ranks.append(variables)
    return ranks


def _tensorflow(distribution: Mapping[str, JSON], instance_count: int) -> list[dict[str, str]]:
    servers = _count(distribution, "parameter_server_count", 0)
    workers = _count(distribution, "worker_count", instance_count)
    cluster = {"worker": [f"127.0.0.1:{_free_port()}" for _ in range(workers)]}
    if servers:
        cluster["ps"] = [f"127.0.0.1:{_free_port()}" for _ in range(servers)]
    tasks = [("worker", n) for n in range(workers)] + [("ps", n) for n in range(servers)]
    return [
        {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}
        for kind, index in tasks
    ]


def _count(distribution: Mapping[str, JSON], key: str, default: int) -> int:
    value = distribution.get(key)
    return int(str(value)) if value is not None else default


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
