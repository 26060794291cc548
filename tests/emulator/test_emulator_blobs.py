"""The blob endpoint: what Azure's "Blob service REST API" says, and nothing outside its folders."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from amlkit.emulator.state import replacing

HOST = "/amlkit.blob.core.localhost"
STORE = f"{HOST}/azureml-blobstore-local"
BLOCK = {"x-ms-blob-type": "BlockBlob"}


@pytest.fixture
def put(emulator):
    def send(name, content=b"abc", query="", kind=BLOCK, **headers):
        path = f"{STORE}/{name}{query}"
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return emulator.ask("PUT", path, raw=content, headers={**kind, **named})

    return send


def test_a_blob_comes_back_as_it_was_put_with_its_metadata(emulator, put):
    assert put("in/a b.txt".replace(" ", "%20"), b"hello", x_ms_meta_name="n")[0] == 201

    status, body, headers = emulator.ask("GET", f"{STORE}/in/a%20b.txt")
    assert (status, body, headers["x-ms-meta-name"]) == (200, b"hello", "n")
    part = {"x-ms-range": "bytes=1-3"}
    status, body, headers = emulator.ask("GET", f"{STORE}/in/a%20b.txt", headers=part)
    assert (status, body, headers["Content-Range"]) == (206, b"ell", "bytes 1-3/5")
    put("in/a%20b.txt", b"", "?comp=metadata", x_ms_meta_name="m")
    status, body, headers = emulator.ask("HEAD", f"{STORE}/in/a%20b.txt")
    assert (status, headers["Content-Length"], headers["x-ms-meta-name"]) == (200, "5", "m")


def test_a_blob_of_blocks_is_put_together_in_the_order_of_its_list(emulator, put):
    for name, content in (("b", b"world"), ("a", b"hello ")):
        assert put("big", content, f"?comp=block&blockid={name}")[0] == 201
    listed = b"<BlockList><Latest>a</Latest><Latest>b</Latest></BlockList>"
    assert emulator.ask("HEAD", f"{STORE}/big")[0] == 404

    assert put("big", listed, "?comp=blocklist")[0] == 201

    assert emulator.ask("GET", f"{STORE}/big")[1] == b"hello world"
    status, body, _ = put("big", listed.replace(b">a<", b">z<"), "?comp=blocklist")
    assert (status, b"InvalidBlockList" in body) == (400, True)
    assert emulator.ask("GET", f"{STORE}/big")[1] == b"hello world"


def test_what_is_not_there_or_there_already_is_refused_in_xml(emulator, put):
    status, body, headers = emulator.ask("GET", f"{STORE}/absent")
    assert (status, headers["x-ms-error-code"]) == (404, "BlobNotFound")
    assert b"<Code>BlobNotFound</Code>" in body
    put("empty", b"")
    first = {"Range": "bytes=0-9"}
    assert emulator.ask("GET", f"{STORE}/empty", headers=first)[0] == 416
    assert put("empty", b"x", if_none_match="*")[0] == 409
    assert put("empty/below", b"x")[0] == 409
    assert put("other", b"x", content_md5="AAAAAAAAAAAAAAAAAAAAAA==")[0] == 400
    assert emulator.ask("HEAD", f"{STORE}/other")[0] == 404


def test_blobs_are_listed_by_prefix_and_by_folder(emulator, put):
    for name in ("d/a", "d/e/b", "d/e/c", "x"):
        put(name)
    listing = f"{STORE}?restype=container&comp=list&prefix=d/"

    assert emulator.ask("GET", listing)[1].count(b"<Blob>") == 3
    flat = emulator.ask("GET", listing + "&delimiter=/")[1]
    assert flat.count(b"<Blob>") == 1
    assert b"<BlobPrefix><Name>d/e/</Name></BlobPrefix>" in flat


def test_a_range_that_ends_before_it_begins_is_refused(emulator, put):
    put("a", b"0123456789")

    status, _, headers = emulator.ask("GET", f"{STORE}/a", headers={"Range": "bytes=5-2"})

    assert (status, headers["x-ms-error-code"]) == (416, "InvalidRange")
    assert emulator.ask("GET", f"{STORE}/a", headers={"Range": "bytes=5-99"})[1] == b"56789"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak")
def test_a_file_larger_than_memory_goes_through_in_pieces(emulator, put, tmp_path):
    (area,) = (path.parent for path in tmp_path.rglob("emulator/state.json"))
    status = Path("/proc", str(json.loads((area / "state.json").read_text())["pid"]), "status")

    def peak():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    size = 200_000_000
    put("large", b"first", "?comp=block&blockid=a")
    (block,) = (path for path in area.glob("blocks/*/*") if path.is_file())
    os.truncate(block, size)
    before = peak()

    assert put("large", b"<BlockList><Latest>a</Latest></BlockList>", "?comp=blocklist")[0] == 201

    assert emulator.length(f"{STORE}/large") == size
    assert peak() - before < size / 4


def test_what_could_not_be_written_is_neither_left_nor_listed(emulator, put, tmp_path):
    put("d/a")
    folder = next(path.parent for path in tmp_path.rglob("d/a"))
    (folder / ".amlkit-1-0123abcd").write_bytes(b"half")
    full = RuntimeError("no space left")

    with pytest.raises(RuntimeError), replacing(folder / "b") as handle:
        handle.write(b"half")
        raise full

    assert sorted(each.name for each in folder.iterdir()) == [".amlkit-1-0123abcd", "a"]
    listed = emulator.ask("GET", f"{STORE}?restype=container&comp=list&prefix=d/")[1]
    assert re.findall(b"<Name>(.*?)</Name>", listed) == [b"d/a"]


OUTSIDE = ("../x", "a/../../x", "%2e%2e/x", "a/%2e%2e/%2e%2e/x", "a%00b", "a%5c..%5cx", ".")


def test_a_name_that_leads_out_of_its_container_is_refused(emulator, put, tmp_path):
    before = sorted(tmp_path.rglob("x"))

    assert {name: put(name)[0] for name in OUTSIDE} == dict.fromkeys(OUTSIDE, 400)

    assert sorted(tmp_path.rglob("x")) == before


def test_a_link_does_not_lead_a_write_out_of_its_container(emulator, put, amlkit, tmp_path):
    put("inside/a")
    folder = next(path.parent for path in tmp_path.rglob("inside/a"))
    (folder / "link").symlink_to(tmp_path)

    assert put("inside/link/x")[0] == 400
    assert not (tmp_path / "x").exists()


def test_a_signature_is_good_for_one_container_and_until_it_ends(emulator, put):
    put("a")
    body = {"pendingUploadType": "TemporaryBlobReference"}
    path = "/codes/c/versions/1/startPendingUpload"
    pending = emulator.arm("POST", path, body)[1]["blobReferenceForConsumption"]
    query = pending["credential"]["sasUri"].partition("?")[2]
    container = pending["blobUri"].rsplit("/", 1)[1]
    anonymous = {"Authorization": ""}

    def write(where, signed):
        target = f"{HOST}/{where}/f?{signed}"
        return emulator.ask("PUT", target, raw=b"x", headers={**BLOCK, **anonymous})[0]

    assert write(container, query) == 201
    assert write("azureml-blobstore-local", query) == 403
    assert write(container, query.replace("se=2", "se=3")) == 403
    assert write(container, query.replace("sig=", "sig=A")) == 403
    assert write(container, "") == 403
    assert emulator.ask("GET", f"{STORE}/a", headers=anonymous)[0] == 403


@pytest.mark.slow
def test_a_large_file_goes_up_in_blocks_and_comes_down_unchanged(emulator, amlkit, tmp_path):
    pytest.importorskip("azure.ai.ml")
    content = b"".join(bytes([number]) * 1_000_000 for number in range(70))
    (tmp_path / "large.bin").write_bytes(content)

    done = emulator.sdk(
        "from azure.ai.ml.entities import Data\n"
        "made = client.data.create_or_update(\n"
        "    Data(name='large', path='large.bin', type='uri_file'))\n"
        "from azure.ai.ml.entities import Model\n"
        "client.models.create_or_update(Model(name='large', path='large.bin'))\n"
        "client.models.download('large', '1', download_path='down')",
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert any(each["query"].get("comp") == "blocklist" for each in emulator.requests())
    (down,) = (each for each in (tmp_path / "down").rglob("large.bin") if each.is_file())
    assert hashlib.sha256(down.read_bytes()).digest() == hashlib.sha256(content).digest()
    amlkit("data", "download", "large", "--download-path", tmp_path / "own")
    (own,) = (tmp_path / "own").rglob("large.bin")
    assert own.read_bytes() == content


def test_blocks_that_are_in_no_blob_are_listed_with_their_sizes(emulator, put):
    listing = f"{STORE}/big?comp=blocklist&blocklisttype=uncommitted"
    status, body, _ = emulator.ask("GET", listing)
    assert (status, b"BlobNotFound" in body) == (404, True)
    for name, content in (("YQ==", b"hello "), ("Yi8=", b"world")):
        put("big", content, f"?comp=block&blockid={name.replace('=', '%3D').replace('/', '%2F')}")
    status, body, _ = emulator.ask("GET", listing)
    found = re.findall(r"<Name>([^<]+)</Name><Size>(\d+)</Size>", body.decode())
    assert (status, found) == (200, [("YQ==", "6"), ("Yi8=", "5")])
    assert put("big", b"x", "?comp=block&blockid=longer-than-they-are")[0] == 400
    put("big", b"<BlockList><Latest>YQ==</Latest></BlockList>", "?comp=blocklist")
    assert b"<Block>" not in emulator.ask("GET", listing)[1]
    assert emulator.ask("GET", f"{STORE}/big")[1] == b"hello "


def test_a_blob_has_the_md5_that_storage_made_or_was_told(emulator, put, tmp_path):
    put("in/one", b"hello")
    put("in/blocks", b"hello", "?comp=block&blockid=YQ==")
    put("in/blocks", b"<BlockList><Latest>YQ==</Latest></BlockList>", "?comp=blocklist")
    put("in/told", b"hello", "?comp=block&blockid=YQ==")
    put(
        "in/told",
        b"<BlockList><Latest>YQ==</Latest></BlockList>",
        "?comp=blocklist",
        x_ms_blob_content_md5="XUFAKrxLKna5cZ2REBfFkg==",
    )
    listing = f"{STORE}?restype=container&comp=list&prefix=in/"

    def known():
        body = emulator.ask("GET", listing)[1].decode()
        return re.findall(r"<Name>in/(\w+)</Name>.*?(?:<Content-MD5>([^<]+)<|</Blob>)", body)

    md5 = "XUFAKrxLKna5cZ2REBfFkg=="
    assert known() == [("blocks", ""), ("one", md5), ("told", md5)]
    assert emulator.ask("HEAD", f"{STORE}/in/one")[2]["Content-MD5"] == md5
    # What writes the file without storage knowing of it makes the MD5 unknown.
    (file,) = (tmp_path / "home").rglob("in/one")
    file.write_text("other")
    assert known() == [("blocks", ""), ("one", ""), ("told", md5)]


def test_a_blob_is_copied_by_its_address_only_with_a_permission_for_it(emulator, put):
    put("in/a", b"hello", x_ms_meta_name="n")
    source = f"{emulator.url}{STORE}/in/a"
    token = {"x_ms_copy_source_authorization": f"Bearer {emulator.token}"}
    elsewhere = "https://example.org/a"

    for address, permission in ((source, {}), (f"{source}?sig=x", {}), (elsewhere, token)):
        status, _, headers = put("in/b", b"", x_ms_copy_source=address, **permission)
        assert (status, headers["x-ms-error-code"]) == (403, "CannotVerifyCopySource")
    assert put("in/b", b"", x_ms_copy_source=f"{source}-gone", **token)[0] == 404
    assert emulator.ask("GET", f"{STORE}/in/b")[0] == 404

    status, _, headers = put("in/b", b"", kind={}, x_ms_copy_source=source, **token)
    assert (status, headers["x-ms-copy-status"]) == (202, "success")
    status, body, headers = emulator.ask("GET", f"{STORE}/in/b")
    assert (body, headers["x-ms-meta-name"]) == (b"hello", "n")
    assert headers["Content-MD5"] == "XUFAKrxLKna5cZ2REBfFkg=="
    assert put("in/d", b"", x_ms_copy_source=source, **token)[0] == 201
    status, body, headers = emulator.ask("GET", f"{STORE}/in/d")
    assert (body, "x-ms-meta-name" in headers) == (b"hello", False)
    part = {"x_ms_source_range": "bytes=1-2", **token}
    put("in/c", b"", "?comp=block&blockid=YQ==", x_ms_copy_source=source, **part)
    put("in/c", b"<BlockList><Latest>YQ==</Latest></BlockList>", "?comp=blocklist")
    assert emulator.ask("GET", f"{STORE}/in/c")[1] == b"el"
