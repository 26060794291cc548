"""Datastores in Azure storage, from the embedded workspace, against a real Azurite."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys

import pytest


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def make_files(folder, count, size=512):
    for number in range(count):
        path = folder / f"class{number % 3}" / f"{number:04}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(str(number).encode()).digest() * (size // 32))


def done(result):
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_folder_goes_up_and_comes_back_and_goes_up_only_once(blob, storage, tmp_path):
    make_files(tmp_path / "in", 40)
    up = ("datastore", "upload", "images", "--path", "in", "--target", "raw", "-o", "json")
    assert done(blob(*up))["skipped"] == 0
    assert len(storage.names()) == 40
    again = done(blob(*up))
    assert (again["copied"], again["skipped"]) == ([], 40)
    (tmp_path / "in" / "class0" / "0000.bin").write_bytes(b"x" * 512)
    assert done(blob(*up))["copied"] == ["raw/class0/0000.bin"]
    down = ("datastore", "download", "images", "raw", "-p", "out", "-o", "json")
    assert len(done(blob(*down))["copied"]) == 40
    assert tree(tmp_path / "out") == tree(tmp_path / "in")
    assert done(blob(*down))["skipped"] == 40


def test_globs_choose_what_is_listed_sent_and_fetched(blob, storage, tmp_path):
    make_files(tmp_path / "in", 6)
    (tmp_path / "in" / "note.txt").write_text("hello")
    blob("datastore", "upload", "images", "--path", "in/**/*.bin", "--target", "t")
    assert len(storage.names()) == 6
    blob("datastore", "upload", "images", "--path", "in/*.txt", "--target", "t")
    listed = blob("datastore", "ls", "images", "t/*.txt", "-o", "name")
    assert listed.stdout.split() == ["t/note.txt"]
    assert len(done(blob("datastore", "ls", "images", "**/class1/*"))) == 2
    done(blob("datastore", "download", "images", "t/class[01]/*", "-p", "o", "-o", "json"))
    assert {each.split("/")[0] for each in tree(tmp_path / "o")} == {"class0", "class1"}


def test_a_name_with_brackets_is_that_name_when_it_is_there(blob, storage, tmp_path):
    storage.put("photos [24]/a?.txt", b"a")
    storage.put("photos 2/b.txt", b"b")
    assert blob("datastore", "ls", "images", "photos [24]", "-o", "name").stdout == (
        "photos [24]/a?.txt\n"
    )
    assert (
        blob("datastore", "download", "images", "photos [24]/a?.txt", "-p", "out").returncode == 0
    )
    assert (tmp_path / "out" / "a?.txt").read_bytes() == b"a"
    glob = blob("datastore", "ls", "images", "photos [23]/*", "-o", "name")
    assert glob.stdout == "photos 2/b.txt\n"
    for path, there in (("photos [24]", "a?.txt"), ("photos [23]/*.txt", "photos 2")):
        (tmp_path / "job.yml").write_text(
            "command: ls ${{inputs.data}}\nenvironment: azureml:any@latest\ninputs:\n  data:\n"
            f"    type: uri_folder\n    path: azureml://datastores/images/paths/{path}\n"
        )
        submit = ("job", "submit", "job.yml", "--current-python")
        assert blob(*submit, "--dry-run").returncode == 0
        assert blob(*submit, "--stream").stdout.strip() == there


def test_a_mirror_needs_a_yes_and_a_dry_run_changes_nothing(blob, storage, tmp_path):
    make_files(tmp_path / "in", 3)
    storage.put("t/old.bin", b"old")
    storage.put("elsewhere.bin", b"stays")
    up = ("datastore", "upload", "images", "--path", "in", "--target", "t", "--delete")
    assert blob(*up).returncode == 2
    planned = done(blob(*up, "--dry-run"))
    assert (planned["deleted"], len(planned["copied"])) == (["t/old.bin"], 3)
    assert storage.names() == ["elsewhere.bin", "t/old.bin"]
    assert blob(*up, "--yes").returncode == 0
    assert "t/old.bin" not in storage.names()
    assert "elsewhere.bin" in storage.names()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    down = ("datastore", "download", "images", "t", "--delete")
    assert blob(*down, "--yes").returncode == 2
    assert blob(*down, "-p", "out", "--yes").returncode == 0
    assert tree(tmp_path / "out") == tree(tmp_path / "in")


def test_a_dot_is_the_root_and_a_doubled_slash_one(blob, storage, tmp_path):
    (tmp_path / "a.txt").write_text("content")
    for target in (".", "./deep//er"):
        done = blob("datastore", "upload", "images", "--path", "a.txt", "--target", target)
        assert done.returncode == 0, done.stderr
    assert blob("datastore", "ls", "images", ".", "-o", "name").stdout == "a.txt\ndeep/er/a.txt\n"


def test_one_file_goes_up_and_down_by_its_name(blob, storage, tmp_path):
    (tmp_path / "a.csv").write_text("1,2\n")
    assert blob("datastore", "upload", "images", "--path", "a.csv").returncode == 0
    assert storage.names() == ["a.csv"]
    assert blob("datastore", "download", "images", "a.csv", "-p", "o").returncode == 0
    assert (tmp_path / "o" / "a.csv").read_text() == "1,2\n"


def test_a_damaged_file_is_told_and_not_left(blob, storage, tmp_path):
    (tmp_path / "a.csv").write_text("1,2\n")
    blob("datastore", "upload", "images", "--path", "a.csv")
    with storage.client as client:
        kept = client.get_blob_client("a.csv").get_blob_properties().metadata
    storage.put("a.csv", b"1,3\n", metadata=kept)
    failed = blob("datastore", "download", "images", "a.csv", "-p", "o")
    assert failed.returncode == 1
    assert "checksum differs" in failed.stderr
    assert not tree(tmp_path / "o")


def test_the_empty_blobs_that_stand_for_folders_are_not_files(blob, storage, tmp_path):
    storage.put("d", b"")
    storage.put("d/a.txt", b"a")
    assert blob("datastore", "ls", "images", "-o", "name").stdout.split() == ["d/a.txt"]
    assert blob("datastore", "download", "images", "d", "-p", "o").returncode == 0
    assert tree(tmp_path / "o") == {"a.txt": b"a"}


@pytest.mark.parametrize("name", ["a/b//c", "a//b"])
def test_names_that_would_lead_out_of_the_folder_are_refused(blob, storage, tmp_path, name):
    storage.put(name, b"x")
    failed = blob("datastore", "download", "images", "*", "-p", "o")
    assert failed.returncode == 1, failed.stderr
    assert "hint: rename" in failed.stderr
    assert not (tmp_path / "o").exists() or not tree(tmp_path / "o")


def test_a_blob_that_is_also_a_folder_is_refused(blob, storage):
    storage.put("a", b"x")
    storage.put("a/b", b"x")
    assert blob("datastore", "download", "images", "*", "-p", "o").returncode == 0
    failed = blob("datastore", "download", "images", "**", "-p", "o2")
    assert failed.returncode == 6
    assert "`a` is a file, and the folder of `a/b`" in failed.stderr


# Refusals.


def test_a_wrong_key_is_a_login_error(blob, storage):
    wrong = {"STORAGE_KEY": "d3JvbmcgYnV0IHZhbGlkIGJhc2U2NA=="}
    failed = blob("datastore", "ls", "images", env=wrong)
    assert failed.returncode == 4
    assert "Azure refuses the credentials" in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 2


def test_a_key_that_is_not_in_its_variable_names_the_variable(blob):
    failed = blob("datastore", "ls", "images", env={"STORAGE_KEY": ""})
    assert failed.returncode == 4
    assert "`STORAGE_KEY`" in failed.stderr


def test_a_missing_container_is_not_found(amlkit, storage):
    flags = [*storage.flags[:-1], "nothere"]
    amlkit("datastore", "create", "--name", "x", *flags, "--account-key-env", "STORAGE_KEY")
    failed = amlkit("datastore", "ls", "x", env=storage.env)
    assert failed.returncode == 3
    assert "there is no container `nothere`" in failed.stderr


def test_a_container_that_cannot_be_is_refused_for_good(amlkit, storage):
    flags = ["x" if each == storage.container else each for each in storage.flags]
    create = ("datastore", "create", "--name", "x", *flags, "--account-key-env", "STORAGE_KEY")
    assert amlkit(*create).returncode == 0
    done = amlkit("datastore", "ls", "x", env=storage.env)
    assert done.returncode == 1
    assert "Azure refuses a request (OutOfRangeInput)" in done.stderr
    assert "try again" not in done.stderr


def test_a_sas_works_until_it_expires(amlkit, storage, tmp_path):
    (tmp_path / "a.csv").write_text("1")
    amlkit("datastore", "create", "--name", "x", *storage.flags, "--sas-token-env", "SAS")
    good = {"SAS": storage.sas(hours=1)}
    assert amlkit("datastore", "upload", "x", "--path", "a.csv", env=good).returncode == 0
    failed = amlkit("datastore", "ls", "x", env={"SAS": storage.sas(hours=-1)})
    assert failed.returncode == 4
    assert "expired on" in failed.stderr


def test_storage_that_cannot_be_reached_fails_with_one_message(amlkit):
    amlkit(
        "datastore", "create", "--name", "x", "--type", "azure_blob", "--protocol", "http",
        "--endpoint", "127.0.0.1:1", "--account-name", "a", "--container-name", "c",
        "--account-key-env", "STORAGE_KEY",
    )  # fmt: skip
    failed = amlkit("datastore", "ls", "x", env={"STORAGE_KEY": "a2V5"})
    assert failed.returncode == 1
    assert "cannot be reached" in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 2


# Interruptions.


def start(tmp_path, storage, *arguments, env=None):
    env = {**os.environ, **(env or storage.env), "AMLKIT_HOME": str(tmp_path / "home")}
    return subprocess.Popen([sys.executable, "-m", "amlkit", *arguments], cwd=tmp_path, env=env)


def test_an_upload_that_was_killed_goes_on_with_what_is_missing(blob, storage, tmp_path):
    make_files(tmp_path / "in", 1000)
    command = ("datastore", "upload", "images", "--path", "in", "--target", "t")
    process = start(tmp_path, storage, *command)
    while len(storage.names()) < 200 and process.poll() is None:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    sent = len(storage.names())
    again = done(blob(*command, "-o", "json"))
    assert again["skipped"] >= min(sent, 200)
    assert again["skipped"] + len(again["copied"]) == 1000
    blob("datastore", "download", "images", "t", "-p", "out")
    assert tree(tmp_path / "out") == tree(tmp_path / "in")


@pytest.mark.parametrize("login", ["key", pytest.param("sas", marks=pytest.mark.slow)])
def test_a_large_upload_that_was_killed_goes_on_inside_the_file(amlkit, storage, tmp_path, login):
    content = b"".join(number.to_bytes(4) * (256 * 1024) for number in range(120))
    (tmp_path / "big ü.bin").write_bytes(content)
    flag, env = ("--account-key-env", storage.env)
    if login == "sas":
        flag, env = "--sas-token-env", {"STORAGE_KEY": storage.sas(hours=1)}
    amlkit("datastore", "create", "--name", "images", *storage.flags, flag, "STORAGE_KEY")
    command = ("datastore", "upload", "images", "--path", "big ü.bin", "--target", "t")
    process = start(tmp_path, storage, *command, env=env)
    while storage.uncommitted("t/big ü.bin") < 6 and process.poll() is None:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = storage.uncommitted("t/big ü.bin")
    done_again = amlkit(*command, env=env)
    assert done_again.returncode == 0, done_again.stderr
    # 120 MiB are 15 blocks of 8 MiB, and 4 were on their way when it was killed.
    if there:
        assert 15 <= len(storage.requests("comp=block&")) <= 15 + 4
    down = amlkit("datastore", "download", "images", "t/big ü.bin", "-p", "out", env=env)
    assert down.returncode == 0, down.stderr
    assert (tmp_path / "out" / "big ü.bin").read_bytes() == content


def test_a_large_file_that_changed_after_the_kill_is_the_new_one(blob, storage, tmp_path):
    (tmp_path / "big.bin").write_bytes(b"a" * (40 << 20))
    command = ("datastore", "upload", "images", "--path", "big.bin")
    process = start(tmp_path, storage, *command)
    while storage.uncommitted("big.bin") < 1 and process.poll() is None:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    new = b"b" * (30 << 20) + b"a" * (9 << 20)
    (tmp_path / "big.bin").write_bytes(new)
    assert blob(*command).returncode == 0
    assert blob("datastore", "download", "images", "big.bin", "-p", "out").returncode == 0
    assert (tmp_path / "out" / "big.bin").read_bytes() == new


def test_a_large_file_that_another_command_writes_meanwhile_is_told(storage, tmp_path):
    from amlkit.errors import AmlkitError
    from amlkit.local.storage import places
    from amlkit.local.storage.blob_store import BlobStore, login_with

    fields = dict(zip(storage.flags[::2], storage.flags[1::2], strict=True))
    spec = {key.removeprefix("--").replace("-", "_"): each for key, each in fields.items()}
    login = login_with("account_key", storage.env["STORAGE_KEY"], {})
    with (tmp_path / "big.bin").open("wb") as large:
        large.truncate(3 * 8 * 1024 * 1024)

    def moved(size):
        with storage.client as client:
            other = client.get_blob_client("big.bin")
            other.stage_block("0" * 48, b"other")
            other.commit_block_list(["0" * 48])

    store = BlobStore("images", places.place_of(spec), login)
    with pytest.raises(AmlkitError, match="another command was sending the same file"):
        store.put("big.bin", tmp_path / "big.bin", moved)


def test_a_large_upload_that_is_refused_is_one_message_and_leaves_nothing(blob, storage, tmp_path):
    (tmp_path / "big.bin").write_bytes(b"a" * (20 << 20))
    command = ("datastore", "upload", "images", "--path", "big.bin")
    failed = blob(*command, env={"STORAGE_KEY": "d3JvbmcgYnV0IHZhbGlkIGJhc2U2NA=="})
    assert failed.returncode == 4
    assert len(failed.stderr.strip().splitlines()) == 2
    assert storage.names() == []


def test_a_download_that_was_killed_goes_on_where_it_stopped(blob, storage, tmp_path):
    content = os.urandom(1024 * 1024) * 64
    (tmp_path / "big.bin").write_bytes(content)
    assert blob("datastore", "upload", "images", "--path", "big.bin").returncode == 0
    command = ("datastore", "download", "images", "big.bin", "-p", "out")
    process = start(tmp_path, storage, *command)
    found = []
    while process.poll() is None:
        found = list((tmp_path / "out").glob(".*.amlkit-part"))
        if found and found[0].exists() and found[0].stat().st_size:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = list((tmp_path / "out").glob(".*.amlkit-part"))
    inodes = {each.stat().st_ino for each in left}
    assert blob(*command).returncode == 0
    final = tmp_path / "out" / "big.bin"
    assert final.read_bytes() == content
    assert not inodes or final.stat().st_ino in inodes
    assert not list((tmp_path / "out").glob(".*.amlkit-part"))


@pytest.mark.slow
def test_a_thousand_files_and_a_big_one_go_up_and_come_back_through_interruptions(
    blob, storage, tmp_path
):
    make_files(tmp_path / "in", 1000, size=4096)
    block = os.urandom(1_000_000)
    with (tmp_path / "in" / "big.bin").open("wb") as big:
        for number in range(500):
            big.write(number.to_bytes(4) + block[4:])
    up = ("datastore", "upload", "images", "--path", "in", "--target", "t")
    down = ("datastore", "download", "images", "t", "-p", "out")

    def killed(command, far_enough):
        process = start(tmp_path, storage, *command)
        while not far_enough() and process.poll() is None:
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()

    killed(up, lambda: len(storage.names()) > 100)
    killed(up, lambda: storage.uncommitted("t/big.bin") > 5 or "t/big.bin" in storage.names())
    again = done(blob(*up, "-o", "json", timeout=300))
    assert again["skipped"] >= 100
    assert len(storage.names()) == 1001
    out = tmp_path / "out"
    killed(down, lambda: sum(1 for _ in out.rglob("[0-9]*.bin")) > 100)
    killed(down, lambda: any(out.glob(".*.amlkit-part")) or (out / "big.bin").exists())
    again = done(blob(*down, "-o", "json", timeout=300))
    assert again["skipped"] >= 100
    compared = subprocess.run(["diff", "-r", tmp_path / "in", out], check=False)
    assert compared.returncode == 0
