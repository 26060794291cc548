"""What disks hold besides plain files, and disks that refuse: one clear message, and nothing half."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from amlkit.services import Workspace

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the oddities are those of Unix")

NO_TEXT = os.fsdecode(b"no\xfftext")
ODD_NAMES = (
    "new\nline", "quo'te\"s", "tab\t", " lead", "-rf", "back\\slash", "%41", "a?b#c", NO_TEXT,
    "Case", "case", "\u00e9", "e\u0301", "데이터" * 28,
)  # fmt: skip


def _text(done: subprocess.CompletedProcess) -> str:
    assert "bug" not in done.stderr, done.stderr
    return done.stderr


@pytest.fixture
def raw(tmp_path, amlkit):
    """Run amlkit and return what it wrote as bytes decoded as file names are."""

    def run(*arguments, **more):
        env = {**os.environ, "AMLKIT_HOME": str(tmp_path / "home"), **more}
        return subprocess.run(
            [sys.executable, "-m", "amlkit", *map(str, arguments)],
            capture_output=True, cwd=tmp_path, env=env, check=False,
            encoding="utf-8", errors="surrogateescape", timeout=60,
        )  # fmt: skip

    return run


def _odd(folder: Path) -> Path:
    folder.mkdir()
    for name in ODD_NAMES:
        (folder / name).write_text(name, encoding="utf-8", errors="surrogateescape")
    (folder / "zero").touch()
    (folder / "empty").mkdir()
    for name, aim in {"self": ".", "a": "b", "b": "a", "dangling": "nothing"}.items():
        (folder / name).symlink_to(aim)
    return folder


def _listed(folder: Path) -> dict[str, str]:
    found = {}
    for inside, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(inside, name)
            told = str(path.readlink()) if path.is_symlink() else None
            content = path.read_bytes().decode("utf-8", "surrogateescape") if path.is_file() else ""
            found[str(path.relative_to(folder))] = told or content
    return found


@pytest.mark.parametrize("more", [(), ("--reference",)])
def test_names_of_all_kinds_come_back_as_they_were(raw, tmp_path, more):
    odd = _odd(tmp_path / os.fsdecode(b"the \xff folder?"))
    made = raw("data", "create", "--name", "odd", "--path", odd, *more, "-o", "name")
    assert made.stdout == "odd:1\n", made.stderr
    assert raw("data", "download", "odd", "-p", "out").returncode == 0
    assert _listed(tmp_path / "out" / odd.name) == _listed(odd)
    (odd / os.fsdecode(b"more\xfe")).write_text("1")
    raw("data", "create", "--name", "odd", "--path", odd, *more)
    for format in ("json", "jsonl", "yaml", "tsv", "csv", "table", "name"):
        told = raw("data", "diff", "odd:1", "odd:2", "-o", format)
        assert told.returncode == 0, told.stderr
        assert "more" in told.stdout
    assert raw("workspace", "verify").stdout == "[]\n"


@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
@pytest.mark.parametrize("where", ["alone", "inside"])
def test_what_is_no_file_is_refused_at_once(amlkit, tmp_path, monkeypatch, kind, where):
    folder = tmp_path / "in"
    folder.mkdir()
    place = folder / "odd"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "socket":
        monkeypatch.chdir(folder)
        with socket.socket(socket.AF_UNIX) as bound:
            # The name of a socket has no room for a long path.
            bound.bind("odd")
    else:
        place = Path("/dev/null")
        if where == "inside":
            folder = Path("/dev/pts")
            if not folder.is_dir() or not any(folder.iterdir()):
                pytest.skip("no device below a folder here")
    path = place if where == "alone" else folder
    failed = amlkit("data", "create", "--name", "x", "--path", path, timeout=30)
    assert failed.returncode == 1
    assert "is neither a file nor a folder" in failed.stderr
    assert ".amlignore" not in failed.stderr, "data has no such files"
    assert amlkit("data", "list", "-o", "name").stdout == ""


def test_a_limit_of_file_sizes_is_said_as_what_it_is(amlkit, tmp_path):
    (tmp_path / "big").write_bytes(os.urandom(3_000_000))
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20,) * 2)\n"
    (tmp_path / "limit").mkdir()
    (tmp_path / "limit" / "sitecustomize.py").write_text(limited)
    env = {"PYTHONPATH": str(tmp_path / "limit")}
    failed = amlkit("data", "create", "--name", "big", "--path", "big", env=env)
    assert failed.returncode == 1
    assert "larger than is allowed" in _text(failed)
    assert amlkit("data", "create", "--name", "big", "--path", "big").returncode == 0
    failed = amlkit("data", "download", "big", "-p", "out", env=env)
    assert failed.returncode == 1
    assert "ulimit -f" in _text(failed)
    assert list((tmp_path / "out").iterdir()) == []
    sent = ("datastore", "upload", "workspaceblobstore", "--path", "big")
    failed = amlkit(*sent, env=env)
    assert failed.returncode == 1
    assert "ulimit -f" in _text(failed)
    assert amlkit("datastore", "ls", "workspaceblobstore", "-o", "name").stdout == ""
    assert amlkit("workspace", "verify").stdout == "[]\n"


def test_a_copy_that_the_machine_refuses_is_no_bug(amlkit, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("1")
    (tmp_path / "store").mkdir()
    amlkit("datastore", "create", "--name", "s", "--path", "store")
    (tmp_path / "store" / "t").write_text("a file where a folder is needed")
    failed = amlkit("datastore", "upload", "s", "--path", "in", "--target", "t")
    assert failed.returncode == 1
    assert str(tmp_path / "store" / "t") in _text(failed)


def test_a_datastore_whose_disk_is_not_mounted_is_not_taken_for_empty(amlkit, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("1")
    amlkit("datastore", "create", "--name", "s", "--path", "store")
    (tmp_path / "store").rmdir()
    for command in (
        ("datastore", "ls", "s"),
        ("datastore", "download", "s", "", "-p", "out", "--delete", "--yes"),
        ("datastore", "upload", "s", "--path", "out", "--target", "t"),
    ):
        failed = amlkit(*command)
        assert failed.returncode == 3, failed.stdout
        assert "is gone" in failed.stderr
    assert (tmp_path / "out" / "mine").exists()
    assert not (tmp_path / "store").exists()


def _unprivileged(tmp_path) -> list[str]:
    """Return what runs a command as somebody who may not read everything."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may read everything, and setpriv is not here")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]


@pytest.fixture
def confined(tmp_path):
    """Run amlkit without the rights of root to read and write everything."""
    prefix = _unprivileged(tmp_path)

    def run(*arguments):
        env = {**os.environ, "AMLKIT_HOME": str(tmp_path / "home")}
        return subprocess.run(
            [*prefix, sys.executable, "-m", "amlkit", *map(str, arguments)],
            capture_output=True, text=True, cwd=tmp_path, env=env, check=False, timeout=60,
        )  # fmt: skip

    probe = tmp_path / "probe"
    probe.touch(0)
    if subprocess.run([*prefix, "cat", probe], capture_output=True, check=False).returncode == 0:
        pytest.skip("everything may be read here")
    return run


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_read_is_named_and_nothing_is_left_out_silently(confined, tmp_path, what):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a").write_text("1")
    (tmp_path / "in" / "b").write_text("2")
    closed = tmp_path / "in" / "deep" / ("a" if what == "file" else "")
    (tmp_path / "store").mkdir()
    assert confined("datastore", "create", "--name", "s", "--path", "store").returncode == 0
    assert confined("datastore", "create", "--name", "i", "--path", "in").returncode == 0
    closed.chmod(0)
    try:
        for command in (
            ("data", "create", "--name", "x", "--path", "in"),
            ("data", "create", "--name", "x", "--path", "in", "--reference"),
            ("datastore", "upload", "s", "--path", "in", "--target", "t"),
            ("datastore", "download", "i", "", "-p", "out"),
        ):
            failed = confined(*command)
            assert failed.returncode == 1, (command, failed.stdout)
            assert str(Path("in", "deep")) in _text(failed)
            assert "ermission denied" in failed.stderr
        assert confined("data", "list", "-o", "name").stdout == ""
    finally:
        closed.chmod(0o755)
    assert confined("data", "create", "--name", "x", "--path", "in", "-o", "name").stdout == "x:1\n"


def test_a_read_only_workspace_is_read_and_says_that_it_cannot_be_written(confined, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("x,y\n1,2\n")
    for name in ("one", "two"):
        (tmp_path / "in" / name).write_text(name)
        assert confined("data", "create", "--name", name, "--path", "in").returncode == 0
    folders = [tmp_path / "home", *(each for each in (tmp_path / "home").rglob("*"))]
    modes = {each: each.stat().st_mode for each in folders}
    for each in folders:
        each.chmod(modes[each] & ~0o222)
    try:
        for command in (
            "data list", "data show one", "data download one -p out", "data diff one two",
            "data sample one --take 1 --output-dir some", "workspace verify", "datastore list",
            "workspace gc --dry-run",
        ):  # fmt: skip
            done = confined(*command.split())
            assert done.returncode == 0, (command, done.stderr)
        assert _listed(tmp_path / "out" / "in") == {"a.csv": "x,y\n1,2\n", "one": "one"}
        for command in (
            "data create --name three --path in", "data archive one", "workspace gc",
            "data split one --into x y", "datastore create --name s --path in",
        ):  # fmt: skip
            failed = confined(*command.split())
            assert failed.returncode == 1, (command, failed.stdout)
            assert str(tmp_path / "home") in _text(failed), command
    finally:
        for each in folders:
            each.chmod(modes[each])


@pytest.mark.parametrize("size", [40_000, 400_000])
def test_files_that_change_while_they_are_stored_are_whole_in_every_version(
    tmp_path, monkeypatch, size
):
    """Each content is one letter over and over: a mixture of two is no version of the file."""
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    folder = tmp_path / "in"
    folder.mkdir()
    stop = threading.Event()

    def change() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            letter = bytes([97 + turn % 26])
            for name in ("replaced", "other"):
                new = tmp_path / "new"
                new.write_bytes(letter * (size + turn % 7))
                new.replace(folder / name)
            gone = folder / "sometimes"
            gone.write_bytes(letter) if turn % 2 else gone.unlink(missing_ok=True)

    writer = threading.Thread(target=change)
    writer.start()
    workspace = Workspace.open()
    made = []
    try:
        for _ in range(30):
            try:
                made.append(workspace.data.create(name="moving", path=folder))
            except Exception as cause:
                assert "while it" in str(cause), cause
    finally:
        stop.set()
        writer.join()
    for asset in made:
        place = workspace.data.download(asset.reference, tmp_path / "out" / asset.version)
        for file in place.iterdir():
            if file.name != "sometimes":
                assert len(set(file.read_bytes())) == 1, file
        listed = workspace.backend.assets.files(asset)
        assert {each.path: each.size for each in listed} == {
            each.name: each.stat().st_size for each in place.iterdir()
        }
    assert json.dumps([each.as_dict() for each in workspace.backend.verify()]) == "[]"
    workspace.close()


BUSY = """\
import os, sys
left = {times}
writing = False
def busy(event, arguments):
    global left, writing
    if event == "open" and left and str(arguments[0]).endswith("/log") and not writing:
        left -= 1
        writing = True
        with open(arguments[0], "ab") as log:
            log.write(b"x")
        writing = False
sys.addaudithook(busy)
"""


@pytest.mark.parametrize("size", [40_000, 4_000_000])
@pytest.mark.parametrize("times", [2, 1000])
def test_a_file_that_is_written_to_while_it_is_stored_is_never_stored_half(
    amlkit, tmp_path, size, times
):
    """Something writes to it as often as it is read: then it is refused."""
    (tmp_path / "in").mkdir()
    (tmp_path / "busy").mkdir()
    (tmp_path / "in" / "log").write_bytes(b"b" * size)
    (tmp_path / "busy" / "sitecustomize.py").write_text(BUSY.format(times=times))
    env = {"PYTHONPATH": str(tmp_path / "busy")}
    for more in ((), ("--reference",)):
        done = amlkit("data", "create", "--name", "log", "--path", "in", *more, env=env)
        if times == 2:
            assert done.returncode == 0, done.stderr
        else:
            assert done.returncode == 1
            assert "log` changes while it is stored" in _text(done)
    if times == 2:
        assert amlkit("data", "download", "log:1", "-p", "out").returncode == 0
        assert (tmp_path / "out" / "in" / "log").stat().st_size == size + 2
    else:
        assert amlkit("data", "list", "-o", "name").stdout == ""
    assert amlkit("workspace", "verify").stdout == "[]\n"


FULL = """
set -e
mount -t tmpfs -o size=4m tmpfs home
"$@" data create --name small --path small -o name
head -c 100000000 /dev/zero > home/fill 2> /dev/null || true
for command in "data create --name big --path big" "data archive small" \\
    "data download small -p home/out" "datastore upload workspaceblobstore --path big" \\
    "datastore create --name s --path ."; do
  "$@" $command && exit 7
done
rm home/fill
"$@" workspace verify -o name
"$@" data download small -p out
cmp small out/small
"$@" data create --name small --path small --if-changed -o name
"""


def test_a_disk_that_is_full_is_said_and_nothing_is_lost(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "small").write_bytes(os.urandom(200_000))
    (tmp_path / "big").write_bytes(os.urandom(6_000_000))
    space = ["unshare", "--mount"] if shutil.which("unshare") else ["false"]
    if subprocess.run([*space, "mount", "-t", "tmpfs", "tmpfs", tmp_path / "home"], capture_output=True, check=False).returncode:  # fmt: skip
        pytest.skip("nothing can be mounted here")
    done = subprocess.run(
        [*space, "bash", "-c", FULL, "bash", sys.executable, "-m", "amlkit"],
        capture_output=True, text=True, cwd=tmp_path, check=False, timeout=60,
        env={**os.environ, "AMLKIT_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["small:1", "out/small", "small:1"]
    errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert len(errors) == 5
    assert all("full" in line or "No space left" in line for line in errors), errors
    assert "bug" not in done.stderr
