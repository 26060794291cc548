"""Azurite, Microsoft's storage emulator: installed beside the checkout, started on a free port.

`python tests/datastores/azurite.py` (or `make azurite`) runs one until Ctrl-C.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

VERSION = "3.35.0"
ACCOUNT = "devstoreaccount1"
# The well-known key of every Azurite. Source: "Use the Azurite emulator".
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
CACHE = Path(__file__).parents[2] / ".azurite-cache"


class Missing(Exception):
    """Azurite cannot be had here."""


def installed() -> Path:
    """Return the program, installing it into the cache folder once."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Missing("node and npm are not installed")
    program = CACHE / "node_modules" / ".bin" / "azurite-blob"
    CACHE.mkdir(exist_ok=True)
    with FileLock(str(CACHE / ".lock")):
        if not program.exists():
            done = subprocess.run(
                ["npm", "install", f"azurite@{VERSION}", "--no-audit", "--no-fund", "--silent"],
                cwd=CACHE, capture_output=True, text=True, check=False, timeout=300,
            )  # fmt: skip
            if done.returncode:
                raise Missing(f"npm install azurite failed: {done.stderr.strip()[-200:]}")
    return program


@contextmanager
def running(port: int = 0, log: deque | None = None):
    """Start one in a folder of its own; yield `HOST:PORT`. log: gets a line for each request."""
    program = installed()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", folder,
             "--skipApiVersionCheck", "--disableTelemetry"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "NODE_OPTIONS": ""},
        )  # fmt: skip
        try:
            for line in process.stdout:
                if found := re.search(r"successfully listens on http://([\d.:]+)", line):
                    break
            else:
                raise Missing("Azurite ended at once")
            # It writes a line for each request, and stops when nobody reads them.
            lines = log if log is not None else deque(maxlen=0)
            reader = threading.Thread(target=lines.extend, args=(process.stdout,), daemon=True)
            reader.start()
            yield found[1]
            process.terminate()
            reader.join()
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


if __name__ == "__main__":
    with running(10000) as endpoint:
        print(f"blob storage at http://{endpoint}/{ACCOUNT}; Ctrl-C ends it", flush=True)
        try:
            import signal

            signal.pause()
        except KeyboardInterrupt:
            pass
