"""Datastores that are file shares, from the embedded workspace: the command line, a real server."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading

import pytest
import shares_server

MIB = 1024 * 1024
BIG = b"".join(number.to_bytes(4) * (MIB // 4) for number in range(40)) + b"tail"


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def make_files(folder, count):
    for number in range(count):
        path = folder / f"class {number % 3}" / f"{number:04} ü.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(str(number).encode()).digest() * (number % 7))


def done(result):
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def start(tmp_path, *arguments):
    env = {**os.environ, "SHARE_KEY": shares_server.KEY, "AMLKIT_HOME": str(tmp_path / "home")}
    return subprocess.Popen([sys.executable, "-m", "amlkit", *arguments], cwd=tmp_path, env=env)


def killed(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


UP = ("datastore", "upload", "images", "--path", "in", "--target", "raw/t")
DOWN = ("datastore", "download", "images", "raw/t", "-p", "out")


def test_a_folder_goes_up_through_a_kill_and_comes_back_and_goes_up_only_once(
    share, shares, tmp_path
):
    make_files(tmp_path / "in", 300)
    shares.page_size = 40
    shares.hold("PUT rename", after=100)
    process = start(tmp_path, *UP)
    shares.wait_until_held()
    killed(process)
    whole = tree(tmp_path / "in")
    for name in shares.shares["images"].names():
        assert shares.shares["images"].file(name).content == whole[name.removeprefix("raw/t/")]
    shares.go_on()
    first = done(share(*UP, "-o", "json"))
    assert first["skipped"] >= 100
    assert len(first["copied"]) + first["skipped"] == 300
    assert len(shares.shares["images"].names()) == 300
    again = done(share(*UP, "-o", "json"))
    assert (again["copied"], again["skipped"]) == ([], 300)
    (tmp_path / "in" / "class 0" / "0003 ü.bin").write_bytes(b"x" * 96)
    assert done(share(*UP, "-o", "json"))["copied"] == ["raw/t/class 0/0003 ü.bin"]
    assert len(done(share(*DOWN, "-o", "json"))["copied"]) == 300
    assert tree(tmp_path / "out") == tree(tmp_path / "in")
    assert done(share(*DOWN, "-o", "json"))["skipped"] == 300


def test_globs_choose_what_is_listed_sent_and_fetched(share, shares, tmp_path):
    make_files(tmp_path / "in", 6)
    (tmp_path / "in" / "note.txt").write_text("hello")
    share("datastore", "upload", "images", "--path", "in/**/*.bin", "--target", "t")
    assert len(shares.shares["images"].names()) == 6
    share("datastore", "upload", "images", "--path", "in/note.txt", "--target", "t")
    listed = share("datastore", "ls", "images", "t/*.txt")
    assert [(each["path"], each["size"]) for each in done(listed)] == [("t/note.txt", 5)]
    done(share("datastore", "download", "images", "t/class [01]/*", "-p", "o", "-o", "json"))
    assert {each.split("/")[0] for each in tree(tmp_path / "o")} == {"class 0", "class 1"}


def test_a_mirror_needs_a_yes_and_a_dry_run_changes_nothing(share, shares, tmp_path):
    make_files(tmp_path / "in", 3)
    shares.shares["images"].put("raw/t/old.bin", b"old")
    shares.shares["images"].put("elsewhere.bin", b"stays")
    planned = done(share(*UP, "--delete", "--dry-run"))
    assert (planned["deleted"], len(planned["copied"])) == (["raw/t/old.bin"], 3)
    assert shares.requests("PUT") == shares.requests("DELETE") == []
    assert share(*UP, "--delete").returncode == 2
    assert share(*UP, "--delete", "--yes").returncode == 0
    names = shares.shares["images"].names()
    assert len(names) == 4
    assert names[0] == "elsewhere.bin"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    assert share(*DOWN, "--delete", "--yes").returncode == 0
    assert tree(tmp_path / "out") == tree(tmp_path / "in")


# Interruptions.


def test_an_upload_that_was_killed_shows_no_half_file_and_goes_on_inside_it(
    share, shares, tmp_path
):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "big ü.bin").write_bytes(BIG)
    shares.hold("PUT range", after=5)
    process = start(tmp_path, *UP)
    shares.wait_until_held()
    listed = share("datastore", "ls", "images", "-o", "name")
    assert (listed.returncode, listed.stdout) == (0, "")
    assert share(*DOWN).returncode == 3
    killed(process)
    assert shares.shares["images"].names() == []
    (left,) = shares.shares["images"].parts()
    shares.go_on()
    sent = len(left.ranges)
    assert sent >= 1
    shares.log.clear()
    assert share(*UP).returncode == 0
    # 40 MiB and 4 bytes are 11 ranges; those whose answer was held may have been stored.
    assert len(shares.requests("PUT range")) <= 11 - sent
    assert shares.shares["images"].names() == ["raw/t/big ü.bin"]
    assert shares.shares["images"].parts() == []
    assert share(*DOWN).returncode == 0
    assert (tmp_path / "out" / "big ü.bin").read_bytes() == BIG


def test_a_large_file_that_changed_after_the_kill_is_the_new_one(share, shares, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "big.bin").write_bytes(BIG[: 9 * MIB])
    shares.hold("PUT range", after=1)
    process = start(tmp_path, *UP)
    shares.wait_until_held()
    killed(process)
    shares.go_on()
    (tmp_path / "in" / "big.bin").write_bytes(BIG[-9 * MIB :])
    assert share(*UP).returncode == 0
    assert bytes(shares.shares["images"].file("raw/t/big.bin").content) == BIG[-9 * MIB :]


def test_a_download_that_was_killed_goes_on_where_it_stopped(share, shares, tmp_path):
    shares.shares["images"].put("raw/t/big.bin", BIG)
    shares.hold("GET file", after=4)
    process = start(tmp_path, *DOWN)
    shares.wait_until_held()
    a_moment = threading.Event()
    left = []
    while not any(each.stat().st_size >= 16 * MIB for each in left) and process.poll() is None:
        a_moment.wait(0.01)
        left = list((tmp_path / "out").glob(".*.amlkit-part"))
    killed(process)
    (part,) = left
    inode = part.stat().st_ino
    shares.go_on()
    shares.log.clear()
    assert share(*DOWN).returncode == 0
    assert len(shares.requests("GET file")) == 11 - 4
    final = tmp_path / "out" / "big.bin"
    assert final.read_bytes() == BIG
    assert (final.stat().st_ino, list(tree(tmp_path / "out"))) == (inode, ["big.bin"])


# Refusals.


def refused(result, code, *words):
    assert result.returncode == code, result.stderr
    assert len(result.stderr.strip().splitlines()) == 2, result.stderr
    for word in words:
        assert word in result.stderr


def test_a_wrong_key_is_a_login_error(share, tmp_path):
    (tmp_path / "a.csv").write_text("1")
    up = ("datastore", "upload", "images", "--path", "a.csv")
    refused(share(*up, env={"SHARE_KEY": "d3Jvbmc="}), 4, "Azure refuses the credentials")
    refused(share(*up, env={"SHARE_KEY": "not base64"}), 4, "it is not base64")
    refused(share(*up, env={"SHARE_KEY": ""}), 4, "`SHARE_KEY`")


def test_a_missing_share_is_not_found(share, shares):
    del shares.shares["images"]
    refused(share("datastore", "ls", "images"), 3, "there is no share `images`")


def test_storage_that_cannot_be_reached_fails_with_one_message(amlkit):
    amlkit(
        "datastore", "create", "--name", "x", "--type", "azure_file", "--protocol", "http",
        "--endpoint", "127.0.0.1:1", "--account-name", "a", "--file-share-name", "s",
        "--account-key-env", "SHARE_KEY",
    )  # fmt: skip
    failed = amlkit("datastore", "ls", "x", env={"SHARE_KEY": "a2V5"})
    refused(failed, 1, "cannot be reached")


def test_names_that_a_share_does_not_take_are_told(share, shares, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a:b.csv").write_text("1")
    refused(share(*UP), 1, "`raw/t/a:b.csv` cannot be in a file share", "hint: rename it")


# Data.


def job(tmp_path, uri, command):
    (tmp_path / "job.yml").write_text(
        f"command: {command}\nenvironment: azureml:any@latest\n"
        f"inputs: {{data: {{type: uri_folder, path: '{uri}'}}}}\n"
    )
    return ("job", "submit", "job.yml", "--current-python", "--stream")


def test_a_share_is_an_input_and_an_asset_as_it_is_now(share, shares, tmp_path):
    for number in range(3):
        shares.shares["images"].put(f"raw/é {number}.txt", f"line {number}\n".encode())
    uri = "azureml://datastores/images/paths/raw"
    submit = job(tmp_path, uri, "cat ${{inputs.data}}/*.txt")
    assert "line 0\nline 1\nline 2\n" in share(*submit).stdout
    shares.shares["images"].put("raw/é 1.txt", b"line X\n")
    shares.log.clear()
    assert "line 0\nline X\nline 2\n" in share(*submit).stdout
    assert shares.requests("GET file") == ["GET file images/raw/é 1.txt"]
    shares.log.clear()
    made = share("data", "create", "--name", "raw", "--path", uri, "--type", "uri_folder")
    assert done(made)["path"] == uri
    assert share("data", "download", "raw", "-p", "o").returncode == 0
    assert sorted(tree(tmp_path / "o").values()) == [b"line 0\n", b"line 2\n", b"line X\n"]
    assert shares.requests("GET file") == []
    missing = job(tmp_path, uri + "/nothing", "echo")
    refused(share(*missing[:4]), 3, "amlkit datastore ls images")


def test_an_output_on_a_share_is_there_when_the_job_is_completed(share, shares, tmp_path):
    (tmp_path / "job.yml").write_text(
        "command: mkdir -p ${{outputs.out}}/ü && echo one > ${{outputs.out}}/ü/a.txt\n"
        "environment: azureml:any@latest\noutputs:\n  out:\n    type: uri_folder\n"
        "    path: azureml://datastores/images/paths/runs/${{name}}/\n"
    )
    submit = ("job", "submit", "job.yml", "--current-python", "--name", "j1", "--wait")
    done(share(*submit))
    assert shares.shares["images"].file("runs/j1/ü/a.txt").content == b"one\n"
    assert shares.shares["images"].names() == ["runs/j1/ü/a.txt"]
    assert ".AMLKIT-UPLOADS" not in shares.shares["images"].folders


def test_the_key_is_nowhere_and_commands_that_only_define_reach_no_server(share, shares, tmp_path):
    shown = share("-v", "datastore", "show", "images")
    assert done(shown)["path"] == f"http://{shares.endpoint}/acme/images"
    listed = share("-v", "datastore", "list")
    assert shares.log == []
    failed = share("-v", "datastore", "ls", "images", env={"SHARE_KEY": "d3JvbmcgYW5kIGxvbmc="})
    said = "".join(each.stdout + each.stderr for each in (shown, listed, failed))
    assert failed.returncode == 4
    for secret in (shares_server.KEY, "d3JvbmcgYW5kIGxvbmc="):
        assert secret not in said
        for path in (tmp_path / "home").rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("command", ["ls images", "upload images --path a", "download images a"])
def test_without_the_extra_every_command_says_what_to_install(share, tmp_path, command):
    (tmp_path / "a").write_text("1")
    # A finder before all others finds everything but the package, as where it is not installed.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'azure':\n"
        "            raise ModuleNotFoundError(f'No module named {name}', name=name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    without = {"PYTHONPATH": str(tmp_path)}
    refused(share("datastore", *command.split(), env=without), 1, "pip install 'amlkit[share]'")
    assert share("datastore", "show", "images", env=without).returncode == 0
