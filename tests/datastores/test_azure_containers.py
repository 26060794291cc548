"""Containers of Azure ML workspaces are copied as those of the embedded one: on a real Azurite."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys

import azurite
import pytest

from amlkit import copying
from amlkit.azure import server_copies
from amlkit.azure.blobs import Place
from amlkit.azure.container import ContainerStore
from amlkit.errors import AmlkitError, NotFound, NotLoggedIn
from amlkit.transfers import Transfer

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
HOW = Transfer()


@pytest.fixture
def place(storage):
    def opened(credential=azurite.KEY):
        url = f"http://{storage.endpoint}/{azurite.ACCOUNT}"
        return Place("images", url, storage.container, credential)

    return opened


@pytest.fixture
def store(place):
    return lambda credential=azurite.KEY: ContainerStore(place(credential))


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "in"
    for number in range(20):
        path = place / f"c{number % 3}" / f"{number} ü.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(bytes([number])).digest() * 9)
    return place


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.bin")}


def test_a_folder_goes_up_and_comes_back_and_each_only_once(store, folder, tmp_path):
    assert len(copying.upload(store(), folder, "t", HOW).copied) == 20
    again = copying.upload(store(), folder, "t", HOW)
    assert (again.copied, again.skipped) == ((), 20)
    assert len(copying.download(store(), "t", tmp_path / "out", HOW).copied) == 20
    assert tree(tmp_path / "out") == tree(folder)
    assert copying.download(store(), "t", tmp_path / "out", HOW).skipped == 20


def test_a_mirror_removes_what_the_source_has_not(store, storage, folder):
    storage.put("t/old.bin", b"old")
    storage.put("t2/beside.bin", b"stays")
    done = copying.upload(store(), folder, "t", Transfer(delete=True))
    assert done.deleted == ("t/old.bin",)
    assert len(storage.names()) == 21


def test_what_others_sent_is_verified_by_the_checksum_that_storage_has(store, storage, tmp_path):
    storage.put("a.bin", b"12345")
    (stored,) = store().files("a.bin")
    assert stored.md5 == hashlib.md5(b"12345").hexdigest()
    kept = store().md5("a.bin")
    assert kept == stored.md5
    other = copying.Stored(**{**vars(stored), "md5": hashlib.md5(b"other").hexdigest()})
    with pytest.raises(AmlkitError, match="checksum differs"):
        store().fetch(other, tmp_path / "a.bin", lambda size: None)
    assert list(tmp_path.iterdir()) == []


def test_a_download_goes_on_where_it_stopped(store, storage, tmp_path):
    content = b"".join(bytes([n]) * 1_000_000 for n in range(9))
    storage.put("big.bin", content)
    (stored,) = store().files("big.bin")
    with copying.begun(tmp_path / "big.bin", stored) as (part, _):
        part.write_bytes(content[:5_000_000])
    moved = []
    store().fetch(stored, tmp_path / "big.bin", moved.append)
    assert (tmp_path / "big.bin").read_bytes() == content
    assert moved[0] == 5_000_000
    assert sum(moved) == 9_000_000
    assert [each.name for each in tmp_path.iterdir()] == ["big.bin"]


def test_a_mirror_goes_on_where_it_stopped_and_leaves_only_what_is_stored(store, storage, tmp_path):
    storage.put("t/a.bin", b"0123456789")
    out = tmp_path / "out"
    out.mkdir()
    (stored,) = store().files("t/a.bin")
    with copying.begun(out / "a.bin", stored) as (part, _):
        part.write_bytes(b"01234")
    (out / ".0123456789ab.amlkit-part").write_bytes(b"of a file that is not stored any more")
    (out / "old.bin").write_bytes(b"old")
    done = copying.download(store(), "t", out, Transfer(delete=True))
    assert done.deleted == (".0123456789ab.amlkit-part", "old.bin")
    assert {each.name: each.read_bytes() for each in out.iterdir()} == {"a.bin": b"0123456789"}


def test_empty_files_go_up_and_come_back(store, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "empty.bin").touch()
    copying.upload(store(), tmp_path / "in", "t", HOW)
    copying.download(store(), "t", tmp_path / "out", HOW)
    assert tree(tmp_path / "out") == {"empty.bin": b""}


def test_refusals_are_told(store, tmp_path):
    with pytest.raises(NotLoggedIn, match="datastore `images`"):
        list(store("d3JvbmcgYnV0IHZhbGlkIGJhc2U2NA==").files(""))
    with pytest.raises(NotFound):
        copying.download(store(), "nothing", tmp_path, HOW)


def test_folders_of_data_lake_storage_are_no_files(store, storage):
    storage.put("t/empty", b"", metadata={"hdi_isfolder": "true"})
    storage.put("t/a.bin", b"1")
    storage.put("t/none.bin", b"")
    assert [each.path for each in store().files("t")] == ["t/a.bin", "t/none.bin"]


UPLOAD = """
import sys
from pathlib import Path
from amlkit import copying
from amlkit.azure.blobs import Place
from amlkit.azure.container import ContainerStore
from amlkit.transfers import Transfer
place = Place("images", *sys.argv[1:4])
copying.upload(ContainerStore(place), Path(sys.argv[4]), "t", Transfer())
"""


def test_a_large_upload_that_was_killed_goes_on_inside_the_file(storage, store, tmp_path):
    content = b"".join(number.to_bytes(4) * (256 * 1024) for number in range(120))
    big = tmp_path / "big ü.bin"
    big.write_bytes(content)
    url = f"http://{storage.endpoint}/{azurite.ACCOUNT}"
    where = (url, storage.container, azurite.KEY, str(big))
    process = subprocess.Popen([sys.executable, "-c", UPLOAD, *where])
    while storage.uncommitted("t/big ü.bin") < 6 and process.poll() is None:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = storage.uncommitted("t/big ü.bin")
    copying.upload(store(), big, "t", HOW)
    # 120 MiB are 15 blocks of 8 MiB, and 4 were on their way when it was killed.
    if there:
        assert 15 <= len(storage.requests("comp=block&")) <= 15 + 4
    (stored,) = store().files("t")
    assert stored.md5 == hashlib.md5(content).hexdigest()
    assert copying.upload(store(), big, "t", HOW).skipped == 1
    store().fetch(stored, tmp_path / "down.bin", lambda size: None)
    assert (tmp_path / "down.bin").read_bytes() == content


def test_a_large_upload_that_broke_off_sends_only_the_other_blocks(storage, store, tmp_path):
    big = tmp_path / "big.bin"
    big.write_bytes(b"".join(bytes([number]) * (8 << 20) for number in range(5)))

    def unplugged(size):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store().put("big.bin", big, unplugged)
    there = storage.uncommitted("big.bin")
    assert there
    assert storage.names() == []
    before = len(storage.requests("comp=block&"))
    store().put("big.bin", big, lambda size: None)
    assert len(storage.requests("comp=block&")) - before == 5 - there
    assert storage.names() == ["big.bin"]


@pytest.mark.parametrize("login", ["key", "sas"])
def test_storage_copies_a_blob_with_its_checksum_by_itself(storage, store, place, tmp_path, login):
    storage.put("in/a ü.bin", b"12345", metadata={"kept": "yes"})
    source = place(azurite.KEY if login == "key" else storage.sas(hours=1))
    md5 = hashlib.md5(b"12345").hexdigest()
    copier = server_copies.Copier(source, place())
    (blob,) = store().files("in/a ü.bin")
    copier.copy(blob, "out/b ü.bin")
    (stored,) = store().files("out")
    assert (stored.path, stored.size, stored.md5) == ("out/b ü.bin", 5, md5)
    with storage.client as client:
        assert client.get_blob_client("out/b ü.bin").get_blob_properties().metadata == {
            "kept": "yes"
        }
    assert not storage.requests("GET", "/in/a")


@pytest.mark.parametrize("most", [4, 999])
def test_a_blob_that_changed_since_it_was_listed_is_not_copied(
    store, storage, place, monkeypatch, most
):
    from azure.core.exceptions import HttpResponseError

    monkeypatch.setattr(server_copies, "_AT_ONCE", most)
    storage.put("in/a.bin", b"12345")
    (blob,) = store().files("in")
    storage.put("in/a.bin", b"54321")
    with pytest.raises(HttpResponseError) as caught:
        server_copies.Copier(place(), place()).copy(blob, "out/a.bin")
    assert caught.value.status_code == 412
    assert storage.names() == ["in/a.bin"]


def test_what_storage_does_not_copy_goes_through_here(storage, store, place, monkeypatch):
    """Azurite knows no "Put Block From URL"."""
    monkeypatch.setattr(server_copies, "_AT_ONCE", 4)
    storage.put("in/a.bin", b"12345")
    storage.put("in/b.bin", b"123")
    copier = server_copies.Copier(place(), place())
    for each in store().files("in"):
        copier.copy(each, each.path.replace("in/", "out/"))
    with storage.client as client:
        assert client.download_blob("out/a.bin").readall() == b"12345"
        assert client.download_blob("out/b.bin").readall() == b"123"


def test_a_copy_of_what_is_gone_is_told(store, storage, place):
    from azure.core.exceptions import HttpResponseError

    storage.put("in/x", b"1")
    (blob,) = store().files("in/x")
    store().delete("in/x")
    with pytest.raises(HttpResponseError) as caught:
        server_copies.Copier(place(), place()).copy(blob, "out/x")
    # It is not there, or not as it was.
    assert caught.value.status_code in {404, 412}
