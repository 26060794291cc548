"""Registering files against `cp` in the same run: `python benchmarks/bench_data.py [FOLDER]`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from amlkit.local import snapshot
from amlkit.local.content import ContentStore

MIB = 1024 * 1024


def seconds(work: object) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    assert callable(work)
    work()
    return time.perf_counter() - started


def copy(source: Path, target: Path) -> None:
    """Copy as `cp -r` does."""
    subprocess.run(["cp", "-r", source, target], check=True)


def small_files(place: Path) -> None:
    """10,000 files of 4 KiB: the first time, and again unchanged."""
    source = place / "small"
    for folder in range(10):
        (source / str(folder)).mkdir(parents=True)
        for number in range(1000):
            (source / str(folder) / f"{number}.bin").write_bytes(os.urandom(4096))
    time.sleep(0.2)
    floor = seconds(lambda: copy(source, place / "small_copy"))
    first = seconds(lambda: ContentStore(place / "store").add(source))
    again = seconds(lambda: ContentStore(place / "store").add(source))
    print(f"10,000 x 4 KiB: {first:.2f} s = {first / floor:.2f}x cp -r (target 1.0x)")
    print(f"again unchanged: {again:.3f} s (target 0.15 s)")


def large_file(place: Path) -> None:
    """One file of 2 GiB."""
    source = place / "large"
    with source.open("wb") as target:
        for _ in range(2048 // 8):
            target.write(os.urandom(8 * MIB))
    os.sync()
    floor = seconds(lambda: copy(source, place / "large_copy"))
    os.sync()
    taken = seconds(lambda: ContentStore(place / "store").add(source))
    print(f"2 GiB: {taken:.2f} s = {taken / floor:.2f}x cp (target 1.5x)")


def ignored_files(place: Path) -> None:
    """A snapshot beside 30,000 ignored files."""
    code = place / "code"
    (code / "data").mkdir(parents=True)
    (code / ".gitignore").write_text("data/\n")
    (code / "train.py").write_text("pass\n")
    for number in range(30_000):
        (code / "data" / str(number)).touch()
    taken = seconds(lambda: snapshot.take(ContentStore(place / "store"), code))
    print(f"snapshot beside 30,000 ignored files: {taken * 1000:.1f} ms (target 50 ms)")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as folder:
        for each in (small_files, ignored_files, large_file):
            each(Path(folder))
