"""Parallel steps: mini-batches over files, run by worker processes in the step's environment.

`parallel_command` turns a parallel step or component into the command of a command job; the rest
(environment, inputs, outputs, `task.code` as the working folder) is that of any command. The
command runs `schedule.py` with the environment's own `python`, which starts `worker.py` as often
as `max_concurrency_per_instance` says. Both need the standard library of Python 3.8 alone.

Exit codes of the command: 0 within the thresholds, 1 above them or `init()` failed, 2 the step
cannot be run as it is written. `./logs/parallel_run.json` counts what was done and names every
mini-batch that failed.

Reference: "CLI (v2) parallel job YAML schema", "Use parallel jobs in pipelines".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlkit.errors import NotSupported, UsageError

_SCHEDULER = Path(__file__).with_name("schedule.py")
_INPUT = re.compile(r"^\$\{\{\s*inputs\.(\w+)\s*\}\}$")


def parallel_command(content: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """Return the command, for bash, of a parallel step; its `${{...}}` are still to be resolved.

    content: the parallel component, or the step where it has none: `task`, `input_data` ...
    inputs: as the step is given them, or as the component declares them; only types are read.
    Raises: NotSupported: tabular data, partition keys, or a task that is not `run_function`.
        UsageError: `input_data` is not one of the inputs.
    """
    task = content.get("task") or {}
    kind = str(task.get("type") or "run_function").lower()
    if kind not in {"run_function", "function"} or not task.get("entry_script"):
        raise NotSupported(
            f"a parallel task of type `{kind}` needs Azure ML",
            hint="write `type: run_function` and an `entry_script:`",
        )
    if content.get("partition_keys"):
        raise NotSupported(
            "partition_keys split tabular data, which needs Azure ML",
            hint="give a folder of files and a `mini_batch_size:`",
        )
    data = str(content.get("input_data") or "")
    _check_data(data, inputs)
    options = {
        "--input": data,
        "--entry-script": task["entry_script"],
        "--mini-batch-size": str(content.get("mini_batch_size") or 1).strip(),
        "--append-row-to": task.get("append_row_to"),
        **_limits(content),
    }
    given = [str(each) for pair in options.items() if pair[1] is not None for each in pair]
    fixed = shlex.join(["python", str(_SCHEDULER), *given, "--"])
    # Not quoted: these are words of a command line, some of them in `$[[...]]`.
    arguments = " ".join(str(task.get("program_arguments") or "").split("\n")).strip()
    return f"{fixed} {arguments}".strip()


def _check_data(data: str, inputs: Mapping[str, Any]) -> None:
    found = _INPUT.match(data)
    if found is None or found.group(1) not in inputs:
        raise UsageError(
            f"input_data `{data}` is not an input of the parallel step",
            hint="write `input_data: ${{inputs.NAME}}`",
        )
    port = inputs[found.group(1)]
    if isinstance(port, Mapping) and str(port.get("type") or "").lower() == "mltable":
        raise NotSupported(
            f"`{found.group(1)}` is tabular (mltable), which a parallel step cannot read here",
            hint="give it a uri_folder of files, or run it on Azure ML",
        )


def _limits(content: Mapping[str, Any]) -> dict[str, Any]:
    retries = content.get("retry_settings") or {}
    return {
        "--workers": content.get("max_concurrency_per_instance"),
        "--max-retries": retries.get("max_retries"),
        "--timeout": retries.get("timeout"),
        "--mini-batch-error-threshold": content.get("mini_batch_error_threshold"),
        "--error-threshold": content.get("error_threshold"),
        "--logging-level": content.get("logging_level"),
    }


__all__ = ["parallel_command"]
