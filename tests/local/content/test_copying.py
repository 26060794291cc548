"""Copying a large file into the store: what is there afterwards is what was read, byte by byte."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys

import pytest

from amlkit.errors import AmlkitError
from amlkit.local.content import ContentStore, copying

MIB = copying.CHUNK


@pytest.fixture(params=["cached", "past the cache", "refused past the cache"])
def way(request, monkeypatch):
    if request.param != "cached":
        monkeypatch.setattr(copying, "PAST_THE_CACHE", 1)
    if request.param.startswith("refused"):

        def refusing(*arguments):
            raise OSError(errno.EINVAL, "Invalid argument")

        monkeypatch.setattr(copying.os, "pwrite", refusing)
    return request.param


@pytest.mark.parametrize(
    "size", [1, 4095, 4096, MIB - 1, MIB, MIB + 1, MIB + 4096, 9 * MIB, 9 * MIB + 5]
)
def test_what_is_copied_is_what_was_read(way, tmp_path, size):
    content = os.urandom(size)
    (tmp_path / "a").write_bytes(content)
    digest, copied = copying.copy_and_hash(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content
    assert (digest, copied) == (f"sha256:{hashlib.sha256(content).hexdigest()}", size)


def test_holes_stay_holes(way, tmp_path):
    with (tmp_path / "a").open("wb") as file:
        file.write(os.urandom(MIB))
        file.seek(20 * MIB)
        file.write(b"\0" * (MIB - 1) + b"1")
        file.truncate(40 * MIB + 7)
    copying.copy_and_hash(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()
    assert (tmp_path / "b").stat().st_blocks * 512 <= 4 * MIB


def test_a_pipe_that_gives_little_at_a_time_is_read_to_its_end(way, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    content = os.urandom(3 * MIB + 11)
    (tmp_path / "a").write_bytes(content)
    script = f"cat {tmp_path / 'a'} > {tmp_path / 'pipe'}"
    with subprocess.Popen(["sh", "-c", script]):
        digest, size = copying.copy_and_hash(tmp_path / "pipe", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content
    assert (digest, size) == (f"sha256:{hashlib.sha256(content).hexdigest()}", len(content))


def test_a_disk_that_fails_meanwhile_says_so(tmp_path, monkeypatch):
    synced = os.fsync
    calls = []

    def failing(descriptor):
        calls.append(descriptor)
        if len(calls) == 1:
            raise OSError(5, "Input/output error")
        synced(descriptor)

    monkeypatch.setattr(copying, "_FLUSHED", 1)
    monkeypatch.setattr(copying.os, "fsync", failing)
    (tmp_path / "a").write_bytes(os.urandom(3 * MIB))
    with pytest.raises((OSError, AmlkitError)):
        ContentStore(tmp_path / "store").add(tmp_path / "a")
    assert len(calls) >= 1


@pytest.mark.parametrize("past_the_cache", [1, 2**40])
def test_a_disk_that_fills_up_meanwhile_says_so_and_keeps_nothing(tmp_path, past_the_cache):
    (tmp_path / "a").write_bytes(os.urandom(6 * MIB))
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from amlkit.errors import AmlkitError\n"
        "from amlkit.local.content import ContentStore, copying\n"
        f"copying.PAST_THE_CACHE = {past_the_cache}\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({2 * MIB + 100}, resource.RLIM_INFINITY))\n"
        "try:\n"
        f"    ContentStore(Path({str(tmp_path / 'store')!r})).add(Path({str(tmp_path / 'a')!r}))\n"
        "except AmlkitError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "larger than is allowed" in done.stdout
    assert [each for each in (tmp_path / "store").rglob("*") if each.stat().st_size > MIB] == []
