"""MLflow's own pages on the runs of a workspace: what `amlkit mlflow ui` means."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from importlib.util import find_spec
from urllib.request import urlopen

from amlkit.config import environment
from amlkit.errors import AmlkitError, Conflict, NotSupported
from amlkit.workspace import ServedRuns, Workspace

HOST = "127.0.0.1"
STOP_SECONDS = 5.0
_POLL_SECONDS = 0.1


def check(port: int) -> None:
    """Raises: NotSupported: MLflow is not installed. Conflict: the port is taken."""
    try:
        metadata.version("mlflow")
    except metadata.PackageNotFoundError:
        known = find_spec("mlflow") is not None
        raise NotSupported(
            "this MLflow has no pages: it is mlflow-skinny" if known else "MLflow is not installed",
            hint="pip install 'amlkit[mlflow]'",
        ) from None
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise Conflict(f"port {port} is taken", hint="choose another with --port") from None


def serve(workspace: Workspace, *, port: int, ready: Callable[[str], None]) -> int:
    """Serve MLflow's pages until they are stopped, and return how MLflow's server ended.

    ready: called with the address once it answers.
    Raises: NotSupported, Conflict: see `check`. AmlkitError: the server ended at once.
    """
    check(port)
    address = f"http://{HOST}:{port}"
    with workspace.serve_runs() as runs, _server(runs, port) as process:
        while not _answers(address):
            try:
                process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            raise AmlkitError(
                f"MLflow's server ended with exit code {process.returncode}",
                hint="its own words are above; try another --port",
            )
        ready(address)
        return process.wait()


@contextmanager
def _server(runs: ServedRuns, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run MLflow's server in a session of its own: it has workers that have to end with it."""
    store = runs.url.replace("http://", "amlkit://", 1)
    options = {"backend-store-uri": store, "registry-store-uri": store, "host": HOST, "port": port}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--workers=1",
            *(f"--{key}={value}" for key, value in options.items()),
        ],
        env={
            **environment(),
            "AMLKIT_RUNS_TOKEN": runs.token,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "NO_PROXY": f"{HOST},localhost",
        },
        stdout=sys.stderr,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    import signal

    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
