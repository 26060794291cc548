"""`kill -9` while files are written to a place of the user's: the next run simply succeeds."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from amlkit import placing
from amlkit.errors import AmlkitError, Conflict

KILLED = """\
import os, pathlib, shutil, signal
left = {count}
def counted(one):
    def call(*arguments, **more):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return one(*arguments, **more)
    return call
{what} = counted({what})
"""


@pytest.fixture
def digits(tmp_path, amlkit):
    for name in ("a.txt", "b.txt", "c/d.txt", "c/e.txt"):
        place = tmp_path / "digits" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"the content of {name}")
    for name, more in (("digits", ()), ("pinned", ("--reference",))):
        done = amlkit("data", "create", "--name", name, "--path", "digits", *more)
        assert done.returncode == 0, done.stderr
    return tmp_path / "digits"


@pytest.fixture
def killed(amlkit, tmp_path):
    """Run amlkit, and kill it at the call of one function after `count` calls."""

    def run(*arguments, what, count):
        folder = tmp_path / "killer"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(KILLED.format(what=what, count=count))
        done = amlkit(*arguments, env={"PYTHONPATH": str(folder)})
        assert done.returncode == -signal.SIGKILL, done.stderr

    return run


def _same(one: Path, other: Path) -> bool:
    return subprocess.run(["diff", "-r", one, other], check=False).returncode == 0


def _hidden(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if placing.is_part(path.name)]


WAYS = {
    "data": (("data", "download", "digits:1", "-p", "out"), "out/digits", "pathlib.Path.write_bytes"),
    "by reference": (("data", "download", "pinned", "-p", "out"), "out/digits", "shutil.copyfile"),
    "sample": (("data", "sample", "digits", "--take", "4", "--output-dir", "out"), "out", "pathlib.Path.write_bytes"),
    "sample by reference": (("data", "sample", "pinned", "--take", "4", "--output-dir", "out"), "out", "shutil.copyfile"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("there", ["absent", "empty"])
def test_a_killed_download_is_not_seen_and_the_next_succeeds(
    amlkit, digits, killed, tmp_path, way, there
):
    command, place, what = WAYS[way]
    if there == "empty":
        (tmp_path / place).mkdir(parents=True)
    killed(*command, what=what, count=2)
    assert _hidden(tmp_path / "out") or _hidden(tmp_path)
    seen = [path for path in (tmp_path / place).rglob("*") if path.is_file()]
    assert all(any(placing.is_part(part) for part in path.parts) for path in seen)
    done = amlkit(*command)
    assert done.returncode == 0, done.stderr
    assert _same(digits, tmp_path / place)
    assert not _hidden(tmp_path)
    # What is there is still not written over.
    assert amlkit(*command).returncode == 6
    assert _same(digits, tmp_path / place)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_one_that_is_killed_while_it_moves_into_a_folder_that_is_there_is_undone(
    amlkit, digits, killed, tmp_path, count
):
    command = ("data", "sample", "digits", "--take", "4", "--output-dir", "out")
    (tmp_path / "out").mkdir()
    inode = (tmp_path / "out").stat().st_ino
    killed(*command, what="pathlib.Path.rename", count=count)
    assert (tmp_path / "out").stat().st_ino == inode, "it may be a mount"
    done = amlkit(*command)
    assert done.returncode == 0, done.stderr
    assert _same(digits, tmp_path / "out")
    assert not _hidden(tmp_path)


def test_a_failed_download_leaves_nothing(amlkit, digits, tmp_path):
    place = next((tmp_path / "home").rglob("*.pack"))
    place.unlink()
    failed = amlkit("data", "download", "digits:1", "-p", "out")
    assert failed.returncode == 1
    assert "missing from the store" in failed.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_downloads_to_one_place_at_once_are_one_whole(amlkit, digits, tmp_path):
    command = ("data", "download", "digits:1", "-p", "out")
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: amlkit(*command).returncode, range(4)))
    assert sorted(codes) == [0, 6, 6, 6]
    assert _same(digits, tmp_path / "out" / "digits")
    assert not _hidden(tmp_path)


def test_a_place_that_cannot_be_written_is_one_message(amlkit, digits):
    failed = amlkit("data", "download", "digits:1", "-p", "/proc/here")
    assert failed.returncode == 1
    assert "`/proc/here` cannot be written: " in failed.stderr
    assert "bug" not in failed.stderr


def test_a_folder_somebody_works_in_is_not_taken_for_abandoned(tmp_path):
    with placing.scratch(tmp_path) as mine:
        (mine / "made").write_text("1")
        with placing.placed(tmp_path / "other") as other:
            other.write_text("2")
        assert (mine / "made").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_what_appeared_meanwhile_is_not_written_over(tmp_path):
    target = tmp_path / "target"
    with pytest.raises(Conflict), placing.placed(target) as made:
        made.write_text("new")
        target.write_text("old")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="folders have no modes there")
def test_read_only_folders_are_moved_and_stay_read_only(tmp_path):
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "a").write_text("1")
    for folder in (source / "inner", source):
        folder.chmod(0o555)
    for name in ("one", "two"):
        with placing.placed(tmp_path / name) as made:
            shutil.copytree(source, made)
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o555
    with pytest.raises(AmlkitError), placing.placed(tmp_path / "three") as made:
        shutil.copytree(source, made)
        raise AmlkitError("given up")
    assert not _hidden(tmp_path)
    for folder in tmp_path.rglob("*"):
        folder.chmod(0o755)


def test_a_long_name_has_room_for_its_hidden_one(tmp_path, amlkit):
    (tmp_path / "in").mkdir()
    name = "データ" * 28 + "a"
    (tmp_path / "in" / name).write_text("1")
    (tmp_path / "store").mkdir()
    amlkit("datastore", "create", "--name", "s", "--path", "store")
    up = amlkit("datastore", "upload", "s", "--path", "in", "--target", "t")
    assert up.returncode == 0, up.stderr
    down = amlkit("datastore", "download", "s", "t", "-p", "out")
    assert down.returncode == 0, down.stderr
    assert (tmp_path / "out" / name).read_text() == "1"


def test_a_killed_job_download_goes_on_and_has_whole_files_only(amlkit, killed, tmp_path):
    (tmp_path / "job.yml").write_text(
        "command: for n in 1 2 3; do echo $n > ${{outputs.o}}/$n; done\n"
        "environment: {image: mcr.microsoft.com/azureml/curated/sklearn-1.5}\n"
        "outputs: {o: {type: uri_folder}}\n"
    )
    done = amlkit("job", "submit", "job.yml", "--current-python", "--wait", "--name", "j")
    assert done.returncode == 0, done.stderr
    command = ("job", "download", "j", "--output-name", "o", "-p", "out")
    killed(*command, what="shutil.copy2", count=1)
    assert not (tmp_path / "out" / "named-outputs").exists()
    again = amlkit(*command)
    assert again.returncode == 0, again.stderr
    found = sorted(path.name for path in (tmp_path / "out" / "named-outputs" / "o").iterdir())
    assert found == ["1", "2", "3"]
    assert not _hidden(tmp_path)
    absent = amlkit("job", "download", "j", "--output-name", "x", "-p", "nothing")
    assert absent.returncode == 3
    assert not (tmp_path / "nothing").exists()


def test_what_is_not_whole_is_in_no_asset_no_upload_and_no_listing(amlkit, tmp_path):
    """A killed upload or download may have left it in the folder only just now."""
    store = tmp_path / "store"
    (store / "deep").mkdir(parents=True)
    (store / "deep" / "a.txt").write_text("1")
    for folder in (store, store / "deep"):
        (folder / placing.part_name("x")).write_text("half")
    left = store / placing.part_name("y")
    left.mkdir()
    (left / "made").write_text("half")
    assert amlkit("datastore", "create", "--name", "here", "--path", "store").returncode == 0
    assert amlkit("datastore", "ls", "here", "-o", "name").stdout.split() == ["deep/a.txt"]
    for number, path in enumerate(("store", "azureml://datastores/here/paths/", "store")):
        more = ("--reference",) if number == 2 else ()
        kind = ("--type", "uri_folder")
        made = amlkit("data", "create", "--name", f"d{number}", *kind, "--path", path, *more)
        assert made.returncode == 0, made.stderr
        got = amlkit("data", "download", f"d{number}", "-p", f"got{number}")
        assert got.returncode == 0, got.stderr
        files = [path.name for path in (tmp_path / f"got{number}").rglob("*") if path.is_file()]
        assert files == ["a.txt"]
    (tmp_path / "other").mkdir()
    amlkit("datastore", "create", "--name", "there", "--path", "other")
    sent = amlkit("datastore", "upload", "there", "--path", "store", "--target", "t", "-o", "json")
    assert sent.returncode == 0, sent.stderr
    assert amlkit("datastore", "ls", "there", "-o", "name").stdout.split() == ["t/deep/a.txt"]
    assert sys.platform == "win32" or (left / "made").exists()


def test_a_killed_download_from_a_folder_leaves_nothing_after_the_next(amlkit, killed, tmp_path):
    for name in ("a", "b"):
        place = tmp_path / "store" / "deep" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(name)
    amlkit("datastore", "create", "--name", "s", "--path", "store")
    command = ("datastore", "download", "s", "deep", "-p", "out")
    killed(*command, what="pathlib.Path.replace", count=1)
    assert _hidden(tmp_path / "out")
    assert amlkit(*command).returncode == 0
    assert _same(tmp_path / "store" / "deep", tmp_path / "out")
    assert not _hidden(tmp_path)


def test_one_file_that_is_written_by_several_at_once_is_whole(tmp_path):
    part, target = tmp_path / placing.part_name("x"), tmp_path / "target"
    seen = []

    def write(letter: str) -> None:
        for _ in range(30):
            with placing.alone(part):
                part.write_text(letter * 5000)
                seen.append(set(part.read_text()))
                part.replace(target)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    assert all(len(letters) == 1 for letters in seen)
    assert len(seen) == 120
    assert list(tmp_path.iterdir()) == [target]


def test_what_has_no_content_does_not_keep_a_job_s_files_from_being_downloaded(amlkit, tmp_path):
    (tmp_path / "job.yml").write_text(
        "command: >-\n"
        "  cd outputs; mkfifo pipe; ln -s nowhere broken; ln -s . round; ln -s a b; ln -s b a; echo hi > ok;"
        " ln -s ok linked; mkdir closed; echo x > closed/f; chmod 555 closed\n"
        "environment: {image: mcr.microsoft.com/azureml/curated/sklearn-1.5}\n"
    )
    done = amlkit("job", "submit", "job.yml", "--current-python", "--wait", "--name", "j")
    assert done.returncode == 0, done.stderr
    for _ in range(2):
        done = amlkit("job", "download", "j", "-p", "out", timeout=30)
        assert done.returncode == 0, done.stderr
    outputs = tmp_path / "out" / "artifacts" / "outputs"
    found = sorted(str(path.relative_to(outputs)) for path in outputs.rglob("*"))
    assert found == ["closed", "closed/f", "linked", "ok"]
    assert not _hidden(tmp_path)


@pytest.mark.parametrize("note", ["", '["a', '["a"]'])
def test_whatever_a_killed_process_noted_is_no_obstacle(tmp_path, note):
    left = tmp_path / f".x{placing.PART}"
    (left / "made").mkdir(parents=True)
    (left / "made" / "a").write_text("half")
    (left / "moving").write_text(note)
    with placing.placed(tmp_path) as made:
        made.mkdir()
        (made / "a").write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "whole"
