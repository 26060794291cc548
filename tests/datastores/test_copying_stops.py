"""What ends a copy ends it at once, however large the files are that are on their way."""

from __future__ import annotations

import threading

import pytest

from amlkit import copying
from amlkit.errors import AmlkitError
from amlkit.local.storage.folder_store import FolderStore
from amlkit.transfers import Transfer

PIECES = 10_000_000


@pytest.mark.parametrize("cause", [AmlkitError("no more room"), KeyboardInterrupt()])
def test_the_first_error_stops_what_is_on_its_way(tmp_path, cause):
    (tmp_path / "in").mkdir()
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
    assert len(moved) < PIECES
