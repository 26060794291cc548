"""Places that are taken, by a file, by a folder or by another command, and files that are gone."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from amlkit import copying, placing
from amlkit.copying import Stored
from amlkit.errors import AmlkitError, Conflict
from amlkit.local.storage.folder_store import FolderStore
from amlkit.transfers import Transfer

HOLDS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from amlkit import copying, placing
stored = copying.Stored("t/a.bin", 10, datetime.now(UTC), sys.argv[2])
with copying.begun(Path(sys.argv[1]), stored) as (part, _):
    part.write_bytes(b"01234")
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(target, stored):
    """Fetch a file in another process, half of it, until its stdin is closed."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(target), stored.etag],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout.readline() == "held\n"
    return holder


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")
def test_two_downloads_of_one_file_do_not_write_into_one_another(tmp_path):
    target = tmp_path / "a.bin"
    stored = Stored("t/a.bin", 10, None, "tag")
    with holding(target, stored) as holder:
        taken = "another command is downloading"
        with pytest.raises(AmlkitError, match=taken), copying.begun(target, stored):
            raise AssertionError
        holder.communicate()
    with copying.begun(target, stored) as (part, start):
        assert (start, part.read_bytes()) == (5, b"01234")


def test_a_download_that_could_not_begin_leaves_nothing(tmp_path):
    stored = Stored("t/a.bin", 10, None, "tag")
    with pytest.raises(AmlkitError), copying.begun(tmp_path / "a.bin", stored):
        raise AmlkitError("refused")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_removed_before_it_is_fetched_is_named(tmp_path):
    class Late(FolderStore):
        def fetch(self, stored, target, moved):
            (self.folder / stored.path).unlink()
            super().fetch(stored, target, moved)

    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a").write_text("a")
    with pytest.raises(AmlkitError, match=f"`{tmp_path}/store/a` was removed while it was copied"):
        copying.download(Late("here", tmp_path / "store"), "a", tmp_path / "out", Transfer())
    assert list((tmp_path / "out").iterdir()) == []


def test_a_disk_that_is_full_is_told_with_the_file(tmp_path):
    class Full(FolderStore):
        def fetch(self, stored, target, moved):
            raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a").write_text("a")
    with pytest.raises(OSError, match="No space left") as caught:
        copying.download(Full("raw", tmp_path / "store"), "a", tmp_path / "out", Transfer())
    assert caught.value.filename == str(tmp_path / "out" / "a")


def test_what_appears_at_the_last_moment_is_a_conflict_and_stays(tmp_path, monkeypatch):
    target, free = tmp_path / "out", placing.is_free

    def free_a_moment_ago(place):
        found = free(place)
        if not target.exists():
            target.mkdir()
            (target / "a").write_text("theirs")
        return found

    with pytest.raises(Conflict, match="exists already"), placing.placed(target) as made:
        made.mkdir()
        (made / "a").write_text("mine")
        monkeypatch.setattr(placing, "is_free", free_a_moment_ago)
    assert (target / "a").read_text() == "theirs"
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["file", "folder"])
def test_what_is_in_the_way_is_named(amlkit, tmp_path, name):
    (tmp_path / "raw" / "t").mkdir(parents=True)
    (tmp_path / "raw" / "t" / "a").write_text("a")
    (tmp_path / "folder" / "a").mkdir(parents=True)
    (tmp_path / "file").touch()
    assert amlkit("datastore", "create", "--name", "raw", "--path", "raw").returncode == 0
    done = amlkit("datastore", "download", "raw", "t", "-p", name)
    place = "file" if name == "file" else "folder/a"
    assert done.returncode == 1
    assert f"error: `{place}`: " in done.stderr
    assert "bug" not in done.stderr


def test_a_file_that_is_removed_before_it_is_sent_is_named(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("a")

    class Late(FolderStore):
        def files(self, prefix):
            (tmp_path / "in" / "a").unlink()
            return iter(())

    with pytest.raises(AmlkitError, match=f"`{tmp_path}/in/a` was removed while it was copied"):
        copying.upload(Late("here", tmp_path / "store"), tmp_path / "in", "", Transfer())
