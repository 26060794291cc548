"""Inputs that are elsewhere: fetched once, verified, resumed, refused with a reason."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import azurite
import pytest
import web_server
from filelock import FileLock


@pytest.fixture
def site():
    with web_server.serving() as found:
        yield found


def job(tmp_path, uri, kind="uri_file", command="cat ${{inputs.data}}", **more):
    lines = "".join(f"    {key}: {value}\n" for key, value in more.items())
    (tmp_path / "job.yml").write_text(
        f"command: {command}\nenvironment: azureml:any@latest\ninputs:\n  data:\n"
        f"    type: {kind}\n    path: {uri}\n{lines}"
    )
    return ("job", "submit", "job.yml", "--current-python", "--stream")


LIST = "cd ${{inputs.data}} && find . -type f | sort | xargs cat"


def test_a_web_file_is_fetched_once_and_again_when_it_changed(amlkit, site, tmp_path):
    site.files["/data/a.csv"] = b"one\n"
    submit = job(tmp_path, f"{site.url}/data/a.csv")
    assert "one" in amlkit(*submit).stdout
    assert "one" in amlkit(*submit).stdout
    assert len(site.gets()) == 1
    site.files["/data/a.csv"] = b"two\n"
    assert "two" in amlkit(*submit).stdout
    assert len(site.gets()) == 2
    assert not list((tmp_path / "home").rglob("staged/*/files"))


def test_a_server_that_says_nothing_of_versions_is_asked_every_time(amlkit, site, tmp_path):
    site.files["/a.csv"] = b"one\n"
    site.etags = False
    site.refuses_head = True
    submit = job(tmp_path, f"{site.url}/a.csv")
    assert "one" in amlkit(*submit).stdout
    site.files["/a.csv"] = b"two\n"
    assert "two" in amlkit(*submit).stdout


def test_a_download_that_broke_off_goes_on_where_it_was(amlkit, site, tmp_path):
    site.files["/big.txt"] = b"0123456789" * 100_000
    site.breaks_off_after = 400_000
    submit = job(tmp_path, f"{site.url}/big.txt", command="wc -c < ${{inputs.data}}")
    broken = amlkit(*submit)
    assert broken.returncode == 1
    assert "broke off after 400000 of 1000000 bytes" in broken.stderr
    site.breaks_off_after = None
    assert "1000000" in amlkit(*submit).stdout
    assert site.gets()[-1][2] == "bytes=400000-"


def test_a_download_that_nobody_went_on_with_for_a_week_is_removed(amlkit, site, tmp_path):
    site.files = {"/big.txt": b"0123456789" * 100, "/other.txt": b"1"}
    site.breaks_off_after = 400
    assert amlkit(*job(tmp_path, f"{site.url}/big.txt")).returncode == 1
    (left,) = (tmp_path / "home").rglob("staged/*/files")
    site.breaks_off_after = None
    assert amlkit(*job(tmp_path, f"{site.url}/other.txt")).returncode == 0
    assert left.exists()
    for each in (left, *left.iterdir()):
        os.utime(each, (0, 0))
    assert amlkit(*job(tmp_path, f"{site.url}/other.txt")).returncode == 0
    assert not left.exists()


def test_gc_frees_a_download_that_nobody_went_on_with_for_a_day(amlkit, site, tmp_path):
    site.files = {"/big.txt": b"0123456789" * 100}
    site.breaks_off_after = 400
    assert amlkit(*job(tmp_path, f"{site.url}/big.txt")).returncode == 1
    (left,) = (tmp_path / "home").rglob("staged/*/files")
    assert json.loads(amlkit("workspace", "gc").stdout)["size"] == 0
    assert left.exists()
    now = time.time()
    for each, hours in ((left, 48), (next(left.iterdir()), 25)):
        os.utime(each, (now - hours * 3600,) * 2)
    with FileLock(str(left.parent / ".lock")):
        assert json.loads(amlkit("workspace", "gc").stdout)["size"] == 0, "somebody goes on with it"
    assert json.loads(amlkit("workspace", "gc", "--dry-run").stdout)["size"] == 400
    assert left.exists()
    assert json.loads(amlkit("workspace", "gc").stdout)["size"] == 400
    assert not left.exists()


def test_an_upload_into_a_folder_that_was_killed_is_in_no_list_and_no_asset(amlkit, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a.bin").write_bytes(b"a")
    create = ("datastore", "create", "--name", "here", "--type", "local", "--path", "store")
    assert amlkit(*create).returncode == 0
    killed = (
        "import os, shutil, signal\n"
        "def copyfile(source, target):\n"
        "    open(target, 'wb').write(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "shutil.copyfile = copyfile\n"
    )
    (tmp_path / "sitecustomize.py").write_text(killed)
    upload = ("datastore", "upload", "here", "--path", "in", "--target", "raw")
    assert amlkit(*upload, env={"PYTHONPATH": str(tmp_path)}).returncode == -signal.SIGKILL
    (left,) = [each for each in (tmp_path / "store").rglob("*") if each.is_file()]
    assert left.read_bytes() == b"half"
    assert amlkit("datastore", "ls", "here", "-o", "name").stdout == ""
    assert amlkit(*upload).returncode == 0
    assert amlkit("datastore", "ls", "here", "-o", "name").stdout.split() == ["raw/deep/a.bin"]
    assert not left.exists()
    # As of an upload that nobody repeats.
    left.write_bytes(b"half")
    create = ("data", "create", "--name", "raw", "--type", "uri_folder", "--path")
    assert amlkit(*create, "azureml://datastores/here/paths/raw").returncode == 0
    assert amlkit("data", "download", "raw:1", "-p", "got").returncode == 0
    got = [each.name for each in (tmp_path / "got").rglob("*") if each.is_file()]
    assert got == ["a.bin"]
    assert json.loads(amlkit("workspace", "gc").stdout)["size"] == 0, "it may be written just now"
    os.utime(left, (0, 0))
    assert json.loads(amlkit("workspace", "gc").stdout)["size"] == 4
    assert not left.exists()


def test_what_is_not_what_the_server_says_is_refused_and_not_left(amlkit, site, tmp_path):
    site.files["/a.csv"] = b"damaged"
    site.claims_md5_of = b"sound"
    submit = job(tmp_path, f"{site.url}/a.csv")
    failed = amlkit(*submit)
    assert failed.returncode == 1
    assert "input `data`" in failed.stderr
    assert "checksum differs" in failed.stderr
    assert not list((tmp_path / "home").rglob("staged/*/files/*"))
    site.claims_md5_of = None
    assert "damaged" in amlkit(*submit).stdout


@pytest.mark.parametrize(
    ("path", "kind", "code", "said"),
    [
        ("/nothing.csv", "uri_file", 3, "does not exist"),
        ("/private", "uri_file", 4, "is refused (403"),
        ("/a.csv", "uri_folder", 2, "write `type: uri_file`"),
        ("/a.csv?sv=1&sig=c2VjcmV0", "uri_file", 2, "--sas-token-stdin"),
        ("@/a.csv", "uri_file", 2, "has a password in it"),
    ],
)
@pytest.mark.parametrize("dry", [True, False])
def test_a_web_address_that_cannot_be_used_fails_before_the_job_is_made(
    amlkit, site, tmp_path, path, kind, code, said, dry
):
    site.files["/a.csv"] = b"1"
    url = f"{site.url}{path}"
    if path.startswith("@"):
        url = url.replace("@", "").replace("http://", "http://user:c2VjcmV0@")
    submit = job(tmp_path, f"'{url}'", kind)
    failed = amlkit(*submit[:4], *(["--dry-run"] if dry else []))
    assert (failed.returncode, len(failed.stderr.strip().splitlines())) == (code, 2), failed.stderr
    assert "input `data`" in failed.stderr
    assert said in failed.stderr
    assert "c2VjcmV0" not in failed.stderr
    assert json.loads(amlkit("job", "list").stdout) == []


def test_a_server_that_is_gone_is_one_message(amlkit, tmp_path):
    failed = amlkit(*job(tmp_path, "http://127.0.0.1:9/a.csv"))
    assert failed.returncode == 1
    assert "cannot be fetched" in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 2


def test_a_damaged_store_is_told_with_the_input_that_needs_it(amlkit, site, tmp_path):
    site.files["/a.csv"] = b"one\n"
    submit = job(tmp_path, f"{site.url}/a.csv")
    assert amlkit(*submit).returncode == 0
    index = next((tmp_path / "home").rglob("packs/*.idx"))
    index.chmod(0o600)
    index.write_bytes(b"other" + index.read_bytes()[5:])
    site.files["/a.csv"] = b"two\n"
    failed = amlkit(*submit)
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"error: input `data`: `{index}` has other bytes")
    assert "amlkit workspace verify" in failed.stderr


def test_direct_passes_the_address_and_fetches_nothing(amlkit, site, tmp_path):
    submit = job(tmp_path, f"{site.url}/a.csv", command="echo ${{inputs.data}}", mode="direct")
    assert f"{site.url}/a.csv" in amlkit(*submit).stdout
    assert site.asked == []


def test_an_asset_of_the_web_is_sampled_and_downloaded_like_any_other(amlkit, site, tmp_path):
    site.files["/x/iris.csv"] = b"1,2\n"
    made = amlkit("data", "create", "--name", "iris", "--path", f"{site.url}/x/iris.csv")
    assert json.loads(made.stdout)["path"] == f"{site.url}/x/iris.csv"
    assert amlkit("data", "download", "iris", "-p", "out").returncode == 0
    assert (tmp_path / "out" / "iris.csv").read_text() == "1,2\n"
    assert "1,2" in amlkit(*job(tmp_path, "azureml:iris@latest")).stdout
    assert len(site.gets()) == 1
    signed = amlkit("data", "create", "--name", "x", "--path", f"{site.url}/x/iris.csv?sig=abc")
    assert signed.returncode == 2


@pytest.mark.parametrize("form", ["azureml://datastores/images/paths/t/", "wasbs", "abfss"])
def test_a_container_is_an_input_as_it_is_now(blob, storage, tmp_path, form):
    for number in range(5):
        storage.put(f"t/sub/{number}.txt", f"line {number}\n".encode())
    uri = form
    if not form.startswith("azureml"):
        host = "blob" if form == "wasbs" else "dfs"
        uri = f"{form}://{storage.container}@{azurite.ACCOUNT}.{host}.core.windows.net/t"
    submit = job(tmp_path, uri, "uri_folder", LIST)
    first = blob(*submit)
    assert "line 0\nline 1\nline 2\nline 3\nline 4\n" in first.stdout, first.stderr
    storage.put("t/sub/3.txt", b"changed\n")
    storage.put("elsewhere.txt", b"not seen\n")
    with storage.client as client:
        client.delete_blob("t/sub/4.txt")
    assert "line 0\nline 1\nline 2\nchanged\n" in blob(*submit).stdout
    # The key is not needed for what is still kept only where storage can say that it is the same.
    assert blob(*submit, env={"STORAGE_KEY": ""}).returncode == 4


def test_only_what_changed_is_fetched_again(blob, storage, tmp_path, monkeypatch):
    from amlkit import Workspace

    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STORAGE_KEY", azurite.KEY)
    for number in range(5):
        storage.put(f"t/{number}.txt", b"12345678")
    workspace = Workspace.open()

    def fetched():
        moved = [(0, 0)]
        uri = "azureml://datastores/images/paths/t"
        workspace.backend.remote.fetch(uri, "uri_folder", lambda *now: moved.append(now))
        return moved[-1]

    assert fetched() == (5, 40)
    assert fetched() == (0, 0)
    storage.put("t/3.txt", b"changed")
    assert fetched() == (1, 7)
    workspace.backend.content.collect(set, dry_run=False, grace_seconds=-1)
    assert fetched() == (5, 39)
    workspace.close()


def test_one_blob_is_an_input_and_an_asset(blob, storage, tmp_path):
    storage.put("t/a.csv", b"1,2\n")
    uri = "azureml://datastores/images/paths/t/a.csv"
    blob("data", "create", "--name", "one", "--path", uri, "--type", "uri_file")
    done = blob(*job(tmp_path, "azureml:one:1"))
    assert "1,2" in done.stdout, done.stderr
    assert blob("data", "download", "one", "-p", "o").returncode == 0
    assert (tmp_path / "o" / "a.csv").read_text() == "1,2\n"


@pytest.mark.parametrize("dry", [True, False])
def test_what_is_not_in_the_container_is_told_before_the_job(blob, tmp_path, dry):
    submit = job(tmp_path, "azureml://datastores/images/paths/nothing")
    failed = blob(*submit, *(["--dry-run"] if dry else []))
    assert failed.returncode == 3
    assert "amlkit datastore ls images" in failed.stderr


def test_on_a_terminal_a_download_is_seen_and_a_submission_without_one_is_quiet(site, tmp_path):
    pty = pytest.importorskip("pty", reason="a terminal is a Unix thing")
    site.files["/big.bin"] = b"x" * 3_000_000

    def said():
        reader, writer = pty.openpty()
        env = {**os.environ, "AMLKIT_HOME": str(tmp_path / "home"), "TERM": "xterm"}
        submit = job(tmp_path, f"{site.url}/big.bin", command="echo done")[:4]
        process = subprocess.Popen(
            [sys.executable, "-m", "amlkit", *submit, "-o", "none"],
            cwd=tmp_path, env=env, stdin=writer, stdout=writer, stderr=writer,
        )  # fmt: skip
        os.close(writer)
        text = b""
        try:
            while chunk := os.read(reader, 65536):
                text += chunk
        except OSError:
            pass
        os.close(reader)
        assert process.wait() == 0, text
        return text.decode()

    assert "fetching inputs" in said()
    assert "fetching inputs" not in said()


@pytest.mark.parametrize("dry", [True, False])
def test_a_table_in_a_container_has_to_have_its_mltable_file(blob, storage, tmp_path, dry):
    storage.put("t/a.csv", b"a\n1\n")
    submit = job(tmp_path, "azureml://datastores/images/paths/t", "mltable", LIST)
    how = ("--dry-run",) if dry else ()
    refused = blob(*submit[:4], *how)
    assert (refused.returncode, "has no MLTable file" in refused.stderr) == (2, True)
    assert json.loads(blob("job", "list").stdout) == []
    storage.put("t/MLTable", b"paths: [{file: ./a.csv}]\ntransformations: [read_delimited]\n")
    assert blob(*submit[:4], *how).returncode == 0
    missing = job(tmp_path, "azureml://datastores/images/paths/x", "mltable", LIST)
    assert blob(*missing[:4], *how).returncode == 3


def test_an_address_gets_a_new_version_only_when_what_is_there_has_changed(blob, storage):
    storage.put("t/a.csv", b"one")

    def create():
        at = "azureml://datastores/images/paths/t"
        made = blob("data", "create", "--name", "d", "--path", at, "--if-changed", "-o", "name")
        return made.stdout.strip() or made.returncode

    assert [create(), create()] == ["d:1", "d:1"]
    storage.put("t/a.csv", b"two")
    assert [create(), create()] == ["d:2", "d:2"]
    storage.put("t/b.csv", b"three")
    storage.put("other.csv", b"four")
    assert [create(), create()] == ["d:3", "d:3"]
    with storage.client as client:
        client.delete_blob("t/b.csv")
    assert create() == "d:4"
    with storage.client as client:
        client.delete_blob("t/a.csv")
    assert create() == 3


def test_an_address_of_the_web_or_of_a_folder_gets_one_by_its_content(amlkit, site, tmp_path):
    def create(path):
        made = amlkit("data", "create", "--name", "d", "--path", path, "--if-changed", "-o", "name")
        return made.stdout.strip()

    site.files["/a.csv"] = b"one"
    assert [create(f"{site.url}/a.csv") for _ in range(2)] == ["d:1", "d:1"]
    site.files["/a.csv"] = b"two"
    assert create(f"{site.url}/a.csv") == "d:2"
    site.etags = False
    assert [create(f"{site.url}/a.csv") for _ in range(2)] == ["d:3", "d:4"]
    upload = ("datastore", "upload", "workspaceblobstore", "--path", "a.txt", "--target", "raw")
    folder = "azureml://datastores/workspaceblobstore/paths/raw"
    (tmp_path / "a.txt").write_text("one")
    assert amlkit(*upload).returncode == 0
    assert create(folder) == "d:5"
    os.utime(next((tmp_path / "home").rglob("raw/a.txt")), (0, 0))
    assert create(folder) == "d:5"
    (tmp_path / "a.txt").write_text("two")
    assert amlkit(*upload).returncode == 0
    assert create(folder) == "d:6"
