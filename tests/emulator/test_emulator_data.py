"""Data on an Azure ML workspace, file by file: compared, split, sampled, through the real SDK."""

from __future__ import annotations

import pytest

pytest.importorskip("azure.ai.ml")
pytest.importorskip("cryptography")

from amlkit.azure import server_copies
from amlkit.azure.blobs import Place
from amlkit.azure.container import ContainerStore
from amlkit.errors import AmlkitError, NotFound, NotSupported, UsageError
from amlkit.records import AssetKind

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
STORE = "azureml://datastores/workspaceblobstore/paths"


@pytest.fixture
def numbers(tmp_path):
    folder = tmp_path / "numbers"
    folder.mkdir()
    for number in range(10):
        (folder / f"{number}.txt").write_text(str(number) * 50)
    return folder


@pytest.fixture
def raw(on_emulator, tmp_path):
    """Write files where the default datastore's folder is, as jobs do: storage has no MD5."""

    def write(name, files):
        folder = tmp_path / "w" / "datastores" / "workspaceblobstore" / "raw" / name
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        create = on_emulator.data.create
        return create(name="raw", path=f"{STORE}/raw/{name}/", type="uri_folder")

    return write


def blob_requests(served, method, since=0):
    """Return the paths in the default container that were asked for by a method."""
    return [
        each["path"].partition("azureml-blobstore-local/")[2]
        for each in served.requests()[since:]
        if each["method"] == method and "azureml-blobstore-local/" in each["path"]
    ]


def content(workspace, reference, tmp_path):
    place = workspace.data.download(reference, tmp_path / reference.replace(":", "-"))
    return {each.name: each.read_text() for each in place.iterdir()}


def test_a_diff_reads_nothing_that_storage_tells(on_emulator, served, numbers):
    on_emulator.data.create(name="n", path=numbers)
    (numbers / "3.txt").write_text("x" * 50)
    on_emulator.data.create(name="n", path=numbers)
    (change,) = on_emulator.data.diff("n:1", "n:2")
    assert (change.change, change.path) == ("changed", "3.txt")
    assert blob_requests(served, "GET") == []


def test_a_diff_reads_only_files_of_one_size_whose_checksum_is_not_known(on_emulator, served, raw):
    before = {f"{number}.txt": f"number {number}" for number in range(4)}
    raw("a", before)
    raw("b", {**before, "1.txt": "NUMBER 1", "2.txt": "is longer now"})
    found = on_emulator.data.diff("raw:1", "raw:2")
    assert [each.path for each in found] == ["1.txt", "2.txt"]
    assert sorted(blob_requests(served, "GET")) == sorted(
        f"raw/{name}/{number}.txt" for name in "ab" for number in (0, 1, 3)
    )


def test_files_that_are_elsewhere_are_refused_by_name(on_emulator):
    places = ("https://example.org/a.csv", "azureml://registries/azureml/data/d/versions/1")
    for number, uri in enumerate(places, start=1):
        on_emulator.data.create(name="d", path=uri, type="uri_folder")
        for ask in (
            lambda one: on_emulator.data.diff(one, one),
            lambda one: on_emulator.data.split(one, ("a", "b")),
        ):
            with pytest.raises(NotSupported, match="in no datastore of the workspace"):
                ask(f"d:{number}")
    on_emulator.data.create(name="gone", path=f"{STORE}/gone/", type="uri_folder")
    with pytest.raises(NotFound, match="where nothing is"):
        on_emulator.data.diff("gone", "gone")


def test_the_long_address_of_this_workspace_is_its_datastore(on_emulator, raw):
    raw("a", {"1.txt": "1"})
    long = "azureml://subscriptions/s/resourcegroups/rg/workspaces/ws/datastores/workspaceblobstore"
    on_emulator.data.create(name="long", path=f"{long}/paths/raw/a/", type="uri_folder")
    assert list(on_emulator.data.diff("raw:1", "long:1")) == []


def test_a_split_is_copied_by_the_storage_and_not_through_here(
    on_emulator, served, numbers, tmp_path
):
    on_emulator.data.create(name="n", path=numbers)
    before = len(served.requests())
    on_emulator.data.split("n", ("fit", "val"), fraction=0.6)
    assert blob_requests(served, "GET", before) == []
    assert len(blob_requests(served, "PUT", before)) == 10
    both = {
        **content(on_emulator, "fit:1", tmp_path),
        **content(on_emulator, "val:1", tmp_path),
    }
    assert both == {each.name: each.read_text() for each in numbers.iterdir()}
    # The same again copies nothing: its folders are named after what is in them.
    before = len(served.requests())
    assert on_emulator.data.split("n", ("fit", "val"), fraction=0.6)[0].reference == "fit:2"
    assert blob_requests(served, "PUT", before) == []


def test_a_large_file_of_a_split_is_copied_in_parts(
    on_emulator, served, raw, tmp_path, monkeypatch
):
    monkeypatch.setattr(server_copies, "_AT_ONCE", 10)
    monkeypatch.setattr(server_copies, "_PART", 8)
    raw("a", {"large.txt": "0123456789abcdefghi", "small.txt": "12345"})
    before = len(served.requests())
    on_emulator.data.split("raw", ("fit", "val"), fraction=0.5)
    copied = content(on_emulator, "fit:1", tmp_path) | content(on_emulator, "val:1", tmp_path)
    assert copied == {"large.txt": "0123456789abcdefghi", "small.txt": "12345"}
    parts = [each for each in served.requests()[before:] if each["query"].get("comp") == "block"]
    assert len(parts) == 3


def test_a_split_goes_through_here_where_the_storage_does_not_copy(
    on_emulator, served, numbers, tmp_path, monkeypatch
):
    on_emulator.data.create(name="n", path=numbers)
    address = server_copies.Copier._address
    monkeypatch.setattr(
        server_copies.Copier,
        "_address",
        lambda copier, path: address(copier, path).partition("?")[0] + "?sig=wrong",
    )
    before = len(served.requests())
    on_emulator.data.split("n", ("fit", "val"), fraction=0.6)
    assert len(blob_requests(served, "GET", before)) == 10
    fit, val = (content(on_emulator, name, tmp_path) for name in ("fit", "val"))
    assert (len(fit), len(val)) == (6, 4)
    assert {**fit, **val} == {each.name: each.read_text() for each in numbers.iterdir()}
    assert list(on_emulator.data.diff("fit", "fit:1")) == []


def test_a_split_that_breaks_off_registers_nothing_and_goes_on(on_emulator, served, numbers):
    on_emulator.data.create(name="n", path=numbers)
    served.fault("403:2:PUT .*/7.txt")
    with pytest.raises(AmlkitError):
        on_emulator.data.split("n", ("fit", "val"), fraction=0.6)
    assert [each.name for each in on_emulator.data.list()] == ["n"]
    served.lift_faults()
    before = len(served.requests())
    on_emulator.data.split("n", ("fit", "val"), fraction=0.6)
    done = blob_requests(served, "PUT", before)
    assert any(path.endswith("/7.txt") for path in done)
    assert len(done) < 10


def test_a_part_whose_other_part_cannot_be_registered_is_archived(on_emulator, served, numbers):
    on_emulator.data.create(name="n", path=numbers)
    served.fault("403:9:PUT .*/data/val/")
    with pytest.raises(AmlkitError):
        on_emulator.data.split("n", ("fit", "val"), fraction=0.6)
    assert [each.name for each in on_emulator.data.list()] == ["n"]
    (left,) = on_emulator.backend.assets.list(AssetKind.DATA, "fit", archived=True)
    assert left.archived


def test_a_part_without_files_is_refused_before_anything_is_copied(on_emulator, served, numbers):
    on_emulator.data.create(name="n", path=numbers)
    before = len(served.requests())
    with pytest.raises(UsageError, match="would have no files"):
        on_emulator.data.split("n", ("fit", "val"), fraction=1)
    assert blob_requests(served, "PUT", before) == []


def test_a_sample_fetches_only_the_files_it_chose(on_emulator, served, numbers, tmp_path):
    on_emulator.data.create(name="n", path=numbers)
    before = len(served.requests())
    chosen = on_emulator.data.sample("n", tmp_path / "some", take=3)
    read = [path.rpartition("/")[2] for path in blob_requests(served, "GET", before)]
    assert sorted(read) == sorted(each.path for each in chosen)
    assert len(served.requests()) - before == 5


def test_unchanged_data_is_not_sent_again(on_emulator, served, numbers):
    on_emulator.data.create(name="n", path=numbers)
    before = len(served.requests())
    assert on_emulator.data.create(name="n", path=numbers, if_changed=True).version == "1"
    assert len(served.requests()) - before == 1


@pytest.fixture
def by_identity(on_emulator, served):
    """The default container, entered with a token."""
    known = on_emulator.backend.datastores.place("workspaceblobstore")
    return Place(known.datastore, known.account_url, known.container, served.credential)


def test_a_large_upload_by_identity_goes_on_with_the_missing_blocks(by_identity, served, tmp_path):
    big = tmp_path / "big.bin"
    big.write_bytes(b"".join(bytes([number]) * (8 << 20) for number in range(4)))

    def blocks_sent():
        return sum(each["query"].get("comp") == "block" for each in served.requests())

    def unplugged(size):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        ContainerStore(by_identity).put("big.bin", big, unplugged)
    sent = blocks_sent()
    assert sent >= 1
    ContainerStore(by_identity).put("big.bin", big, lambda size: None)
    assert blocks_sent() == 4
    (stored,) = ContainerStore(by_identity).files("big.bin")
    ContainerStore(by_identity).fetch(stored, tmp_path / "down.bin", lambda size: None)
    assert (tmp_path / "down.bin").read_bytes() == big.read_bytes()


def test_storage_copies_by_identity_without_reading_here(by_identity, served, tmp_path):
    (tmp_path / "a.txt").write_text("12345")
    ContainerStore(by_identity).put("in/a.txt", tmp_path / "a.txt", lambda size: None)
    copier = server_copies.Copier(by_identity, by_identity)
    (blob,) = ContainerStore(by_identity).files("in")
    copier.copy(blob, "out/a.txt")
    (stored,) = ContainerStore(by_identity).files("out")
    assert (stored.path, stored.size, stored.md5 is not None) == ("out/a.txt", 5, True)
    assert blob_requests(served, "GET") == []


def test_a_large_asset_that_broke_off_goes_on_too(on_emulator, served, tmp_path):
    big = tmp_path / "big.bin"
    big.write_bytes(b"".join(bytes([number]) * (8 << 20) for number in range(3)))
    served.fault("403:1:PUT .*/big.bin")
    with pytest.raises(AmlkitError):
        on_emulator.data.create(name="big", path=big)
    assert list(on_emulator.data.list()) == []
    before = len(served.requests())
    on_emulator.data.create(name="big", path=big)
    again = [each for each in served.requests()[before:] if each["query"].get("comp") == "block"]
    assert len(again) < 3
    place = on_emulator.data.download("big", tmp_path / "down")
    assert place.read_bytes() == big.read_bytes()


def test_a_preview_fetches_the_beginning_of_a_large_table(on_emulator, served, raw):
    lines = "".join(f"{number},{'x' * 90}\n" for number in range(30_000))
    raw("a", {"0.csv": f"n,text\n{lines}", "1.csv": f"n,text\n{lines}", "2.txt": "other"})
    before = len(served.requests())
    found = on_emulator.data.preview("raw", take=3)
    assert ([row["n"] for row in found.rows], found.more) == ([0, 1, 2], True)
    assert blob_requests(served, "GET", before) == ["raw/a/0.csv"]


def test_a_preview_fetches_no_more_than_the_tables_it_shows(on_emulator, served, raw):
    raw("a", {f"{number}.csv": f"n\n{number}\n" for number in range(9)})
    before = len(served.requests())
    found = on_emulator.data.preview("raw", take=9)
    assert ([row["n"] for row in found.rows], found.more) == (list(range(9)), False)
    assert len(blob_requests(served, "GET", before)) == 9


def test_a_sheet_fetches_only_the_pictures_on_it(on_emulator, served, raw, tmp_path):
    pictures = pytest.importorskip("PIL.Image")
    raw("a", {"cat/0.png": ""})
    folder = tmp_path / "w" / "datastores" / "workspaceblobstore" / "raw" / "a" / "cat"
    for number in range(30):
        pictures.new("RGB", (8, 8)).save(folder / f"{number}.png")
    before = len(served.requests())
    found = on_emulator.data.preview("raw", sheet=tmp_path / "sheet.png", per_label=4)
    assert (found.pictures, found.unreadable) == (30, ())
    assert len(blob_requests(served, "GET", before)) == 4
    assert (tmp_path / "sheet.png").stat().st_size > 0
    before = len(served.requests())
    assert on_emulator.data.preview("raw").labels == {"cat": 30}
    assert blob_requests(served, "GET", before) == []


def test_a_look_that_would_fetch_too_much_is_refused(on_emulator, raw, monkeypatch):
    from amlkit.services.preview import fetching

    monkeypatch.setattr(fetching, "MOST", 100)
    raw("a", {"0.csv": "n\n" + "1\n" * 60})
    with pytest.raises(NotSupported, match="would fetch 122 bytes"):
        on_emulator.data.preview("raw")


def test_progress_moves_inside_a_large_file(on_emulator, tmp_path):
    big = tmp_path / "big.bin"
    big.write_bytes(bytes(24 << 20))
    seen = []
    on_emulator.data.create(name="big", path=big, progress=lambda *now: seen.append(now))
    assert seen == [(0, 8 << 20), (0, 16 << 20), (0, 24 << 20), (1, 24 << 20)]


@pytest.mark.parametrize("most", [4, 999])
def test_a_blob_that_changed_since_it_was_listed_is_not_copied(
    by_identity, tmp_path, monkeypatch, most
):
    from azure.core.exceptions import HttpResponseError

    monkeypatch.setattr(server_copies, "_AT_ONCE", most)
    store = ContainerStore(by_identity)
    (tmp_path / "a.txt").write_text("12345")
    store.put("in/a.txt", tmp_path / "a.txt", lambda size: None)
    (blob,) = store.files("in")
    (tmp_path / "a.txt").write_text("54321")
    store.put("in/a.txt", tmp_path / "a.txt", lambda size: None)
    with pytest.raises(HttpResponseError) as caught:
        server_copies.Copier(by_identity, by_identity).copy(blob, "out/a.txt")
    assert caught.value.status_code == 412
    assert list(store.files("out")) == []
