"""Copying to Azurite against the Azure SDK's own uploader: `python benchmarks/bench_storage.py`.

Needs node and npm. Both write the same files, in turns, each into an Azurite of its own; the
figure that counts is the median of the ratios. Without node it says so and measures nothing.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "datastores"))
import azurite

from amlkit import copying
from amlkit.local.storage.blob_store import BlobStore, login_with
from amlkit.local.storage.places import Place
from amlkit.transfers import Transfer

TURNS = 5
FILES = 1000
SIZE = 4096
LARGE = 200 * 1024 * 1024


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a call takes: on the clock, and of this process's processor time."""
    cpu, clock = time.process_time(), time.perf_counter()
    work()
    return time.perf_counter() - clock, time.process_time() - cpu


def container(url: str) -> str:
    """Make a container and return its name."""
    from azure.storage.blob import ContainerClient

    name = f"b{uuid.uuid4().hex[:12]}"
    with ContainerClient(url, name, credential=azurite.KEY) as client:
        client.create_container()
    return name


def ours(url: str, source: Path) -> Callable[[], object]:
    """Return an upload of amlkit's."""
    import obstore  # noqa: F401  not counted, as the SDK's imports are not

    place = Place(url, azurite.ACCOUNT, container(url))
    store = BlobStore("bench", place, login_with("account_key", azurite.KEY, {}))
    return lambda: copying.upload(store, source, "t", Transfer())


def theirs(url: str, source: Path) -> Callable[[], object]:
    """Return the upload that azure-ai-ml does for a data asset."""
    from azure.ai.ml._artifacts._blob_storage_helper import BlobStorageClient

    client = BlobStorageClient(azurite.KEY, url, container(url))

    def upload() -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            client.upload(str(source), "t", "1", asset_hash=uuid.uuid4().hex, show_progress=False)

    return upload


def back(url: str, source: Path, target: Path) -> tuple[float, float]:
    """Return what a download of amlkit's takes, of what it uploaded before."""
    place = Place(url, azurite.ACCOUNT, container(url))
    store = BlobStore("bench", place, login_with("account_key", azurite.KEY, {}))
    copying.upload(store, source, "t", Transfer())
    taken = measured(lambda: copying.download(store, "t", target, Transfer()))
    again = measured(lambda: copying.upload(store, source, "t", Transfer()))
    return taken[0], again[0]


def main() -> None:
    """Print both figures of each upload."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "in"
        for number in range(FILES):
            place = source / str(number % 10) / f"{number}.bin"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(os.urandom(SIZE))
        compare(f"{FILES:,} files of 4 KiB", source, TURNS, "target 0.6x")
        with azurite.running() as endpoint:
            down, again = back(address(endpoint), source, Path(scratch) / "out")
        print(f"  back in {down:.2f} s; sent again, unchanged: {again:.2f} s")
        large = Path(scratch) / "large"
        large.mkdir()
        with (large / "large.bin").open("wb") as sink:
            for _ in range(LARGE // 2**20):
                sink.write(os.urandom(2**20))
        compare(f"one file of {LARGE // 2**20} MiB", large, 3, "no target")


def address(endpoint: str) -> str:
    """Return the URL of the account."""
    return f"http://{endpoint}/{azurite.ACCOUNT}"


def compare(what: str, source: Path, turns: int, target: str) -> None:
    """Measure both in turns, each into an Azurite of its own, and print the medians."""

    def fresh(upload: Callable[[str, Path], Callable[[], object]]) -> tuple[float, float]:
        # Azurite gets slower with every blob that it has.
        with azurite.running() as endpoint:
            return measured(upload(address(endpoint), source))

    pairs = [(fresh(ours), fresh(theirs)) for _ in range(turns)]
    wall = statistics.median(mine[0] / other[0] for mine, other in pairs)
    cpu = statistics.median(mine[1] / other[1] for mine, other in pairs)
    mine = statistics.median(each[0][0] for each in pairs)
    other = statistics.median(each[1][0] for each in pairs)
    print(f"upload of {what}: {mine:.2f} s = {wall:.2f}x the SDK's {other:.2f} s ({target})")
    print(f"  of this machine's processor: {cpu:.2f}x")


if __name__ == "__main__":
    try:
        main()
    except azurite.Missing as missing:
        print(f"uploads are not measured: {missing}")
