"""`kill -9` at any moment of creating and collecting: no half asset, no damage, nothing lost."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest

from amlkit.services import Workspace, upkeep

WRITER = """
import os, random, sys, time
from pathlib import Path
from amlkit.services import Workspace, upkeep

folder, seed = Path(sys.argv[1]), int(sys.argv[2])
chance = random.Random(seed)
workspace = Workspace.open()
content = workspace.backend.content
print("ready", flush=True)
for turn in range(1000):
    data = folder / f"{seed}-{turn}"
    data.mkdir()
    for number in range(chance.randrange(1, 16)):
        size = chance.choice((0, 10, 3_000, 3_000, 140_000))
        (data / str(number)).write_bytes(chance.randbytes(size))
    # What a refused version left an hour ago shares a pack with what is kept.
    (data / "refused").write_bytes(chance.randbytes(300))
    print("storing", flush=True)
    dead = content.add(data).digest
    os.utime(content.tree_path(dead), (0, 0))
    (data / "refused").unlink()
    print("registering", flush=True)
    made = workspace.data.create(name="kept", path=data)
    content.view(made.digest)
    print("collecting", flush=True)
    upkeep.collect(workspace.backend)
"""


def _kill_at_random(tmp_path, monkeypatch, kills: int) -> None:
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    chance = random.Random(kills)
    for seed in range(kills):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(seed)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 8)):
            process.stdout.readline()
        time.sleep(chance.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        _is_whole()


def _is_whole() -> None:
    workspace = Workspace.open()
    try:
        assert list(upkeep.verify(workspace.backend)) == []
        for asset in workspace.data.list("kept"):
            entries = list(workspace.backend.content.entries(str(asset.digest)))
            assert entries, asset.reference
            assert all(workspace.backend.content.objects.find(each.digest) for each in entries)
        versions = [int(each.version) for each in workspace.data.list("kept")]
        assert sorted(versions) == list(range(1, len(versions) + 1))
    finally:
        workspace.close()


def _restore_everything(tmp_path) -> int:
    """Download every version, collect once more; return how many versions there are."""
    workspace = Workspace.open()
    versions = workspace.data.list("kept")
    for asset in versions:
        workspace.data.download(asset.reference, tmp_path / "again" / asset.version)
        assert workspace.backend.assets.local_path(asset).is_dir()
    upkeep.collect(workspace.backend)
    assert list(upkeep.verify(workspace.backend)) == []
    content = workspace.backend.content
    assert list(content.tmp.iterdir()) == []
    packs = {each.stem for each in content.objects.packs.glob("*.pack")}
    assert packs == {each.stem for each in content.objects.packs.glob("*.idx")}
    workspace.close()
    return len(versions)


def test_a_writer_that_is_killed_leaves_no_half_asset(tmp_path, monkeypatch):
    _kill_at_random(tmp_path, monkeypatch, 15)
    assert _restore_everything(tmp_path) >= 5


@pytest.mark.slow
def test_a_hundred_killed_writers_leave_no_half_asset(tmp_path, monkeypatch):
    _kill_at_random(tmp_path, monkeypatch, 100)
    assert _restore_everything(tmp_path) >= 50
