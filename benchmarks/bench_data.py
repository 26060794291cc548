"""Registering files against `cp` in the same run: `python benchmarks/bench_data.py [FOLDER]`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from amlkit.local import snapshot
from amlkit.local.content import ContentStore
from amlkit.snapshots import files

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


def stat(source: Path) -> None:
    """Ask for the size and time of every file, as `find` does."""
    command = ["find", source, "-printf", "%p %s %T@\\n"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


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
    again, find = zip(
        *(
            (
                seconds(lambda: ContentStore(place / "store").add(source)),
                seconds(lambda: stat(source)),
            )
            for _ in range(5)
        ),
        strict=True,
    )
    print(f"10,000 x 4 KiB: {first:.2f} s = {first / floor:.2f}x cp -r (target 1.0x)")
    print(
        f"again unchanged: {min(again):.3f} s = {min(again) / min(find):.1f}x find -printf"
        " (target 0.15 s or 5x)"
    )
    store = ContentStore(place / "store")
    tree = store.add(source)
    half = [each.path for each in store.entries(tree.digest)][::2]
    taken = seconds(lambda: store.subset(tree.digest, half))
    print(f"half of them as an asset of its own: {taken:.3f} s")
    print(f"verify: {seconds(lambda: list(store.verify())):.2f} s")
    print(f"gc: {seconds(lambda: store.collect(lambda: {tree.digest}, dry_run=False)):.3f} s")


def large_file(place: Path) -> None:
    """One file of 2 GiB."""
    source = place / "large"
    with source.open("wb") as target:
        for _ in range(2048 // 8):
            target.write(os.urandom(8 * MIB))
    floor, taken = [], []
    # In turns, and the median: the disk's speed changes from one second to the next.
    for turn in range(3):
        os.sync()
        floor.append(seconds(lambda: copy(source, place / "large_copy")))
        (place / "large_copy").unlink()
        os.sync()
        store = ContentStore(place / f"store{turn}")
        taken.append(seconds(lambda: store.add(source)))  # noqa: B023
        shutil.rmtree(store.root)
    ours, cp = median(taken), median(floor)
    print(f"2 GiB: {ours:.2f} s = {ours / cp:.2f}x cp (target 1.5x), on the disk when it is done")


def ignored_files(place: Path) -> None:
    """A snapshot beside 30,000 ignored files."""
    code = place / "code"
    (code / "data").mkdir(parents=True)
    (code / ".gitignore").write_text("data/\n")
    (code / "train.py").write_text("pass\n")
    for number in range(30_000):
        (code / "data" / str(number)).touch()
    # The scan of files for secrets remembers what was clean below AMLKIT_HOME.
    os.environ["AMLKIT_HOME"] = str(place / "home")
    taken = seconds(lambda: snapshot.take(ContentStore(place / "store"), code))
    print(f"snapshot beside 30,000 ignored files: {taken * 1000:.1f} ms (target 50 ms)")


def scanned_files(place: Path) -> None:
    """2,000 files of source code, searched for secrets: the first time, and again unchanged."""
    code = place / "sources"
    code.mkdir()
    text = b"def train(epochs: int, password: str) -> float:\n    return epochs / 2\n" * 100
    for number in range(2000):
        (code / f"{number}.py").write_bytes(text)
    time.sleep(0.2)

    def scan() -> None:
        files.check(code, files.of_code(code), None, allow_secrets=False)

    first = seconds(scan)
    print(f"search 14 MB of code for secrets: {first:.2f} s, again {seconds(scan):.3f} s")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as folder:
        for each in (small_files, ignored_files, scanned_files, large_file):
            each(Path(folder))
