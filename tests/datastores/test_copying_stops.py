"""What ends a copy ends it at once, however large the files are that are on their way."""

from __future__ import annotations

import os
import threading

import pytest

from amlkit import block_upload, copying
from amlkit.azure.blobs import Place
from amlkit.errors import AmlkitError
from amlkit.local.storage.folder_store import FolderStore
from amlkit.transfers import Transfer

PIECES = 10_000_000


@pytest.mark.parametrize("cause", [AmlkitError("no more room"), KeyboardInterrupt()])
def test_the_first_error_stops_what_is_on_its_way(tmp_path, cause):
    (tmp_path / "in").mkdir()
    (tmp_path / "store").mkdir()
    for name in ("fails", "large"):
        (tmp_path / "in" / name).write_text(name)
    begun, moved = threading.Event(), []

    class Slow(FolderStore):
        def put(self, path, source, moved_):
            if path == "fails":
                assert begun.wait(30)
                raise cause
            begun.set()
            for piece in range(PIECES):
                moved_(1)
                moved.append(piece)

    with pytest.raises(type(cause)):
        copying.upload(Slow("here", tmp_path / "store"), tmp_path / "in", "", Transfer())
    assert begun.is_set()
    assert len(moved) < PIECES


class Blob:
    """A blob that takes blocks. staged_one: set when the first has come."""

    def __init__(self):
        self.staged_one = threading.Event()
        self.committed = []

    def staged(self):
        return {}

    def stage(self, name, content):
        self.staged_one.set()

    def commit(self, names, md5):
        self.committed.append(names)

    # As azure-storage-blob calls them.

    def get_block_list(self, kind):
        return [], []

    def stage_block(self, name, content, length):
        self.stage(name, content)

    def commit_block_list(self, blocks, **more):
        self.commit(blocks, None)


@pytest.mark.parametrize("cause", [RuntimeError("no more room"), KeyboardInterrupt()])
def test_the_first_error_stops_the_files_of_an_asset_that_are_on_their_way(tmp_path, cause):
    blob = Blob()

    class Container:
        def get_blob_client(self, path):
            return blob

        def upload_blob(self, path, content, **more):
            assert blob.staged_one.wait(30)
            raise cause

    (tmp_path / "fails").write_text("small")
    with (tmp_path / "large").open("wb") as large:
        large.truncate(40 * block_upload.BLOCK)
    place = Place("blobs", "https://a.blob.test", "c", None)
    vars(place)["client"] = Container()
    with pytest.raises(type(cause)):
        place.send({"fails": tmp_path / "fails", "large": tmp_path / "large"}, None)
    assert blob.committed == []


def test_a_large_file_that_changed_since_it_was_hashed_is_told_and_not_there(tmp_path):
    source, blob = tmp_path / "large", Blob()
    source.write_bytes(b"1")
    facts = source.stat()
    os.utime(source, (0, 0))
    with pytest.raises(AmlkitError, match="changed while it was sent"):
        block_upload.put(blob, source, lambda size: None, facts)
    assert blob.committed == []


@pytest.mark.parametrize("how", ["grows", "goes"])
def test_a_large_file_that_changes_while_it_is_sent_is_told_and_not_there(tmp_path, how):
    source, blob = tmp_path / "large", Blob()
    with source.open("wb") as large:
        large.truncate(3 * block_upload.BLOCK)

    def moved(size):
        if how == "goes":
            source.unlink(missing_ok=True)
        else:
            with source.open("ab") as more:
                more.write(b"more")

    with pytest.raises(AmlkitError, match="changed while it was sent"):
        block_upload.put(blob, source, moved)
    assert blob.committed == []
