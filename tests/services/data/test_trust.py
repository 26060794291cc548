"""Data that people trust: verify, gc, diff, lineage, references, all or nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from amlkit.errors import Conflict
from amlkit.services import Workspace


@pytest.fixture
def digits(tmp_path, amlkit):
    for name, text in {"a.txt": "one", "b.txt": "two", "c/d.txt": "three"}.items():
        place = tmp_path / "digits" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    done = amlkit("data", "create", "--name", "digits", "--path", "digits", "-o", "name")
    assert done.stdout == "digits:1\n", done.stderr
    return tmp_path / "digits"


@pytest.fixture
def job(tmp_path):
    def write(command: str) -> Path:
        place = tmp_path / "job.yml"
        place.write_text(
            f"command: {command}\n"
            "environment: {image: mcr.microsoft.com/azureml/curated/sklearn-1.5}\n"
            "inputs:\n  data: {type: uri_folder, path: 'azureml:digits@latest'}\n"
            "outputs:\n  made: {type: uri_folder, name: made}\n"
        )
        return place

    return write


def _content(tmp_path: Path) -> Path:
    return next((tmp_path / "home").rglob("catalogue.db")).parent / "content"


def test_diff_lists_what_was_added_removed_and_changed(amlkit, digits):
    (digits / "a.txt").write_text("other")
    (digits / "b.txt").unlink()
    (digits / "e.txt").write_text("new")
    assert amlkit("data", "create", "--name", "digits", "--path", "digits").returncode == 0
    done = amlkit("data", "diff", "digits:1", "digits:2", "-o", "tsv")
    assert done.stdout.splitlines()[-3:] == [
        "changed\ta.txt\t3\t5",
        "removed\tb.txt\t3\t",
        "added\te.txt\t\t3",
    ]
    assert json.loads(amlkit("data", "diff", "digits:2", "digits:2", "-o", "json").stdout) == []
    assert amlkit("data", "diff", "digits:1", "digits:9").returncode == 3


def test_show_lists_the_jobs_that_read_and_wrote_it(amlkit, digits, job):
    file = job("cp ${{inputs.data}}/a.txt ${{outputs.made}}/")
    done = amlkit("job", "submit", file, "--current-python", "--wait", "--name", "copier")
    assert done.returncode == 0, done.stderr
    read = json.loads(amlkit("data", "show", "digits").stdout)["lineage"]
    assert read == [{"job": "copier", "direction": "input", "port": "data"}]
    written = json.loads(amlkit("data", "show", "made:1").stdout)["lineage"]
    assert written == [{"job": "copier", "direction": "output", "port": "made"}]


def test_data_by_reference_is_not_copied_and_a_changed_file_fails_the_job_before_it_starts(
    amlkit, digits, job, tmp_path
):
    big = digits / "big.bin"
    big.write_bytes(os.urandom(300_000))
    done = amlkit("data", "create", "--name", "digits", "--path", "digits", "--reference")
    asset = json.loads(done.stdout)
    assert (asset["version"], asset["path"]) == ("2", digits.as_uri())
    assert not list((_content(tmp_path) / "objects").rglob("*/*")), "nothing was copied"
    file = job("touch " + str(tmp_path / "ran") + "; cp ${{inputs.data}}/a.txt ${{outputs.made}}/")
    run = ("job", "submit", file, "--current-python", "--wait", "-o", "json")
    done = amlkit(*run)
    assert done.returncode == 0, done.stderr
    (tmp_path / "ran").unlink()
    big.write_bytes(os.urandom(300_000))
    done = amlkit(*run)
    assert done.returncode == 1
    assert f"`{big}` was changed since it was registered by reference" in done.stdout + done.stderr
    assert not (tmp_path / "ran").exists()
    assert "big.bin" in amlkit("data", "download", "digits:2", "-p", "out").stderr
    assert amlkit("workspace", "verify").returncode == 0


def test_verify_names_the_asset_and_file_that_is_damaged(amlkit, digits, tmp_path):
    done = amlkit("workspace", "verify", "-o", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    pack = next((_content(tmp_path) / "packs").glob("*.pack"))
    whole = pack.read_bytes()
    pack.write_bytes(whole.replace(b"two", b"tow"))
    done = amlkit("workspace", "verify", "-o", "json")
    assert done.returncode == 1
    (damaged,) = json.loads(done.stdout)
    assert (damaged["users"], damaged["path"]) == (["data asset digits:1"], "b.txt")
    assert "hint:" in done.stderr
    pack.write_bytes(whole)
    for tree in (_content(tmp_path) / "trees").iterdir():
        tree.unlink()
    (lost,) = json.loads(amlkit("workspace", "verify", "-o", "json").stdout)
    assert lost["problem"] == "the list of files is missing"


def test_verify_notices_a_changed_shared_copy(amlkit, digits, tmp_path, monkeypatch):
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    workspace = Workspace.open()
    workspace.backend.assets.local_path(workspace.data.show("digits"))
    workspace.close()
    copy = next((_content(tmp_path) / "views").rglob("b.txt"))
    copy.chmod(0o644)
    copy.write_text("else")
    done = amlkit("workspace", "verify", "-o", "json")
    assert done.returncode == 1
    assert "shared copy" in json.loads(done.stdout)[0]["problem"]
    assert amlkit("workspace", "verify", "--repair").returncode == 0, "it is made again"
    assert not copy.exists()


@pytest.mark.parametrize("size", [10, 300_000])
def test_what_is_damaged_is_set_aside_and_whole_again_when_it_is_registered_again(
    amlkit, digits, tmp_path, size
):
    (digits / "big.bin").write_bytes(b"1" * size)
    amlkit("data", "create", "--name", "digits", "--version", "9", "--path", "digits")
    content = _content(tmp_path)
    objects = content / "objects"
    place = next((each for each in objects.rglob("*") if each.is_file()), None)
    place = place or max((content / "packs").glob("*.pack"), key=lambda each: each.stat().st_mtime)
    place.chmod(0o644)
    place.write_bytes(place.read_bytes().replace(b"1111", b"1911"))
    assert amlkit("workspace", "verify").returncode == 1
    done = amlkit("workspace", "verify", "--repair", "-o", "json")
    (lost,) = json.loads(done.stdout)
    assert (lost["users"], lost["path"]) == (["data asset digits:9"], "big.bin")
    assert "register the same files again" in done.stderr
    assert amlkit("workspace", "gc").returncode == 0
    assert amlkit("workspace", "verify").returncode == 1, "it is still known what is lost"
    assert "big.bin" in amlkit("data", "download", "digits:9", "-p", "out").stderr
    assert amlkit("data", "download", "digits:1", "-p", "first").returncode == 0
    again = ("data", "create", "--name", "digits", "--version", "9", "--path", "digits")
    assert amlkit(*again, "-o", "name").stdout == "digits:9\n"
    assert amlkit("workspace", "verify").returncode == 0
    assert amlkit("data", "download", "digits:9", "-p", "whole").returncode == 0
    assert (tmp_path / "whole" / "digits" / "big.bin").read_bytes() == b"1" * size


def test_gc_frees_what_nothing_refers_to_and_keeps_all_else(amlkit, digits, job, tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    (code / "run.py").write_text("print(1)\n")
    file = job("python run.py")
    file.write_text(file.read_text() + "code: ./code\n")
    done = amlkit("job", "submit", file, "--current-python", "--wait", "--name", "first")
    assert done.returncode == 0, done.stderr
    stray = tmp_path / "stray"
    stray.mkdir()
    (stray / "big").write_bytes(b"1" * 200_000)
    amlkit("data", "create", "--name", "digits", "--version", "1", "--path", "stray")
    trees = _content(tmp_path) / "trees"
    assert json.loads(amlkit("workspace", "gc").stdout)["trees"] == 0, "it was stored just now"
    for tree in trees.iterdir():
        os.utime(tree, (0, 0))
    would = json.loads(amlkit("workspace", "gc", "--dry-run").stdout)
    assert would == {"trees": 1, "objects": 1, "size": 200_000, "dry_run": True}
    assert json.loads(amlkit("workspace", "gc").stdout) == {**would, "dry_run": False}
    assert json.loads(amlkit("workspace", "gc").stdout)["size"] == 0
    assert amlkit("workspace", "verify").returncode == 0
    again = amlkit("job", "submit", file, "--current-python", "--wait")
    assert again.returncode == 0, again.stderr


def test_gc_forgets_what_was_known_of_folders_that_are_gone(amlkit, digits, job, tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    (code / "run.py").write_text("print(1)\n")
    file = job("python run.py")
    file.write_text(file.read_text() + "code: ./code\n")
    for _ in range(2):
        # The first time, the files are too new for what is known of them to be kept.
        done = amlkit("job", "submit", file, "--current-python", "--wait")
        assert done.returncode == 0, done.stderr
    known = [_content(tmp_path) / "stats", tmp_path / "home" / "scans"]
    assert amlkit("workspace", "gc").returncode == 0
    before = [len(list(each.glob("*.json"))) for each in known]
    shutil.rmtree(code)
    assert amlkit("workspace", "gc").returncode == 0
    after = [len(list(each.glob("*.json"))) for each in known]
    assert [was - now for was, now in zip(before, after, strict=True)] == [1, 1]


def test_a_split_registers_both_parts_or_none(tmp_path, monkeypatch, digits):
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path / "home"))
    workspace = Workspace.open()
    add = workspace.backend.asset_table._add
    seen = []

    def fails_on_the_second(connection, draft):
        seen.append(draft.name)
        if draft.name == "val":
            raise Conflict("taken")
        return add(connection, draft)

    monkeypatch.setattr(workspace.backend.asset_table, "_add", fails_on_the_second)
    with pytest.raises(Conflict):
        workspace.data.split("digits", ("train", "val"))
    assert seen == ["train", "val"]
    assert [each.name for each in workspace.data.list()] == ["digits"]
    workspace.close()


def test_a_split_copies_nothing_and_keeps_links_and_executables(amlkit, digits, tmp_path):
    (digits / "c" / "run.sh").write_text("true")
    (digits / "c" / "run.sh").chmod(0o755)
    (digits / "link").symlink_to("c")
    (digits / "c" / "same.txt").symlink_to("../a.txt")
    (digits / "empty").mkdir()
    amlkit("data", "create", "--name", "digits", "--path", "digits")
    stored = sorted((_content(tmp_path) / "packs").iterdir())
    done = amlkit("data", "split", "digits", "--fraction", "0.5", "--into", "one", "two")
    assert done.returncode == 0, done.stderr
    assert sorted((_content(tmp_path) / "packs").iterdir()) == stored
    found = {}
    for name in ("one", "two"):
        place = Path(amlkit("data", "download", name, "-p", "out").stdout.strip())
        found |= {
            each.relative_to(tmp_path / place): each for each in (tmp_path / place).rglob("*")
        }
    files = {str(path): each.read_text() for path, each in found.items() if each.is_file()}
    assert files == {
        "a.txt": "one",
        "b.txt": "two",
        "c/d.txt": "three",
        "c/run.sh": "true",
        "c/same.txt": "one",
    }
    assert os.access(found[Path("c/run.sh")], os.X_OK)
    assert not any(each.is_symlink() for each in found.values())


def test_a_sample_of_data_by_reference_stores_nothing(amlkit, digits, tmp_path):
    amlkit("data", "create", "--name", "kept", "--path", "digits", "--reference")
    stored = sorted((_content(tmp_path) / "trees").iterdir())
    done = amlkit("data", "sample", "kept", "--take", "2", "--output-dir", "s", "-o", "name")
    names = done.stdout.split()
    assert len(names) == 2, done.stderr
    assert all((tmp_path / "s" / name).read_text() for name in names)
    assert sorted((_content(tmp_path) / "trees").iterdir()) == stored
    (digits / "a.txt").write_text("changed")
    done = amlkit("data", "sample", "kept", "--take", "2", "--output-dir", "t")
    assert (done.returncode, "a.txt` was changed" in done.stderr) == (1, True)


def test_sixteen_processes_make_consecutive_versions_and_lose_none(tmp_path):
    script = (
        "import sys; from pathlib import Path; from amlkit.services import Workspace\n"
        "w = Workspace.open(); Path(sys.argv[1]).write_text(sys.argv[1])\n"
        "print(w.data.create(name='many', path=sys.argv[1]).version)"
    )
    env = {**os.environ, "AMLKIT_HOME": str(tmp_path / "home")}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / f"{n}.txt")],
            stdout=subprocess.PIPE,
            env=env,
            text=True,
        )
        for n in range(16)
    ]
    versions = sorted(int(each.communicate()[0]) for each in running)
    assert versions == list(range(1, 17))


def test_a_type_that_the_path_is_not_is_refused(amlkit, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.csv").write_text("1")
    for path, kind, right in (
        ("folder", "uri_file", "uri_folder"),
        ("file.csv", "uri_folder", "uri_file"),
    ):
        done = amlkit("data", "create", "--name", "d", "--path", path, "--type", kind)
        assert done.returncode == 2
        assert f"--type {right}" in done.stderr
