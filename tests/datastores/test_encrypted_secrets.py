"""Where a machine has no keyring: secrets in encrypted files, and how they change."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from amlkit.errors import AmlkitError, NotLoggedIn
from amlkit.local.catalogue import AssetTable, Database
from amlkit.local.datastores import LocalDatastores
from amlkit.local.folder import Folder
from amlkit.local.storage import sealed

SECRET = "c2VjcmV0LXRoYXQtbXVzdC1ub3QtYmUtc2Vlbg=="
PASSPHRASE = "correct horse battery staple"
BLOB = ("--type", "azure_blob", "--account-name", "acme", "--container-name", "images")
FROM_STDIN = ("datastore", "create", "--name", "images", *BLOB, "--account-key-stdin")
BOUND = {"datastore": "images", "kind": "account_key", "address": "https://acme"}
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
HEADLESS = {**NO_KEYRING, "AMLKIT_SECRETS_PASSPHRASE": PASSPHRASE}


@pytest.fixture
def root(tmp_path):
    return tmp_path / "home" / "workspaces" / "local"


@pytest.fixture
def cheap(monkeypatch):
    """Make keys that cost nothing."""
    monkeypatch.setattr(sealed, "_COST", {"n": 16, "r": 8, "p": 1})


def _files(root: Path) -> list[Path]:
    return sorted(path for path in (root / "secrets").glob("*") if path.name != ".lock")


def _login(amlkit, env=HEADLESS) -> dict:
    return json.loads(amlkit("datastore", "show", "images", env=env).stdout)["authentication"]


def test_without_a_keyring_a_passphrase_keeps_the_secret_in_an_encrypted_file(
    amlkit, root, tmp_path
):
    made = amlkit(*FROM_STDIN, stdin=SECRET, env=HEADLESS)
    assert made.returncode == 0, made.stderr
    [file] = _files(root)
    assert _login(amlkit) == {
        "kind": "account_key",
        "kept_in": "file",
        "entry": f"secrets/{file.name}",
    }
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "home").rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
            assert PASSPHRASE.encode() not in path.read_bytes(), path
    assert amlkit("datastore", "delete", "images", "--yes", env=HEADLESS).returncode == 0
    assert _files(root) == []


def test_a_file_of_a_real_container_opens_for_the_one_who_has_the_passphrase(
    amlkit, storage, tmp_path
):
    (tmp_path / "a.txt").write_text("one")
    name = ("--name", "images")
    made = amlkit(
        "datastore", "create", *name, *storage.flags, "--account-key-stdin",
        stdin=storage.env["STORAGE_KEY"], env=HEADLESS,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    sent = amlkit("datastore", "upload", "images", "--path", "a.txt", env=HEADLESS)
    assert sent.returncode == 0, sent.stderr
    assert storage.names() == ["a.txt"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"AMLKIT_SECRETS_PASSPHRASE": "another"}, "with another passphrase"),
        ({}, "AMLKIT_SECRETS_PASSPHRASE is not set"),
    ],
)
def test_without_its_passphrase_a_datastore_is_not_opened(amlkit, root, tmp_path, given, said):
    assert amlkit(*FROM_STDIN, stdin=SECRET, env=HEADLESS).returncode == 0
    # A passphrase is a secret: it is not read from a file in plain text.
    (tmp_path / "home" / "config.json").write_text(json.dumps({"secrets_passphrase": PASSPHRASE}))
    failed = amlkit("datastore", "ls", "images", env={**NO_KEYRING, **given})
    assert failed.returncode == 4
    assert said in failed.stderr
    assert "--account-key-stdin" in failed.stderr
    _files(root)[0].unlink()
    gone = amlkit("datastore", "ls", "images", env=HEADLESS)
    assert gone.returncode == 4
    assert "is not in the file" in gone.stderr


def test_a_damaged_file_is_said_and_is_mended_by_defining_it_again(amlkit, root):
    assert amlkit(*FROM_STDIN, stdin=SECRET, env=HEADLESS).returncode == 0
    file = _files(root)[0]
    file.write_bytes(file.read_bytes()[:-40])
    failed = amlkit("datastore", "ls", "images", env=HEADLESS)
    assert failed.returncode == 1
    assert f"{file.name}` is damaged" in failed.stderr
    assert "datastore create" in failed.stderr
    assert amlkit(*FROM_STDIN, stdin=SECRET, env=HEADLESS).returncode == 0
    assert len(_files(root)) == 1


def test_every_changed_byte_of_a_file_is_noticed(tmp_path, cheap):
    path = tmp_path / "s.json"
    sealed.write(path, SECRET, PASSPHRASE, BOUND)
    whole = path.read_bytes()
    assert sealed.read(path, PASSPHRASE, BOUND) == SECRET
    for at in range(len(whole)):
        for bit in (1, 32):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
            with pytest.raises(AmlkitError, match="is damaged"):
                sealed.read(path, PASSPHRASE, BOUND)


def test_two_files_have_nothing_in_common(tmp_path, cheap):
    for name in ("a", "b"):
        sealed.write(tmp_path / name, SECRET, PASSPHRASE, BOUND)
    one, other = (json.loads((tmp_path / name).read_text()) for name in ("a", "b"))
    assert all(one[key] != other[key] for key in ("salt", "nonce", "check", "sealed"))


@pytest.mark.parametrize("part", ["datastore", "kind", "address"])
def test_a_secret_opens_only_for_what_it_was_given_for(tmp_path, cheap, part):
    sealed.write(tmp_path / "s.json", SECRET, PASSPHRASE, BOUND)
    with pytest.raises(AmlkitError, match="not made for this"):
        sealed.read(tmp_path / "s.json", PASSPHRASE, {**BOUND, part: "other"})


def test_files_that_are_swapped_open_nothing(amlkit, root):
    assert amlkit(*FROM_STDIN, stdin=SECRET, env=HEADLESS).returncode == 0
    [images] = _files(root)
    other = ("datastore", "create", "--name", "other", *BLOB, "--account-key-stdin")
    assert amlkit(*other, stdin="other", env=HEADLESS).returncode == 0
    [theirs] = set(_files(root)) - {images}
    theirs.write_bytes(images.read_bytes())
    failed = amlkit("datastore", "ls", "other", env=HEADLESS)
    assert failed.returncode == 1
    assert "was not made for this, or was changed" in failed.stderr


def test_a_file_that_asks_for_all_memory_is_damaged(tmp_path, cheap, monkeypatch):
    monkeypatch.setattr(sealed, "_COST", {"n": 2**30, "r": 8, "p": 1})
    path = tmp_path / "s.json"
    monkeypatch.setattr(sealed, "_cipher", lambda *_: (_Nothing(), b""))
    sealed.write(path, SECRET, PASSPHRASE, BOUND)
    with pytest.raises(AmlkitError, match="is damaged"):
        sealed.read(path, PASSPHRASE, BOUND)


@pytest.mark.parametrize("changed", [{"n": 3}, {"r": -1, "p": -1}, {"nonce": "00"}])
def test_a_file_that_was_made_by_hand_is_told(tmp_path, cheap, changed):
    path = tmp_path / "s.json"
    sealed.write(path, SECRET, PASSPHRASE, BOUND)
    document = {**json.loads(path.read_text()), **changed}
    del document["sha256"]
    path.write_text(json.dumps({**document, "sha256": sealed._sum(document)}))
    with pytest.raises(AmlkitError, match=r"s\.json"):
        sealed.read(path, PASSPHRASE, BOUND)


class _Nothing:
    def encrypt(self, *_):
        return b""


def test_a_secret_that_moves_leaves_no_copy_where_it_was(amlkit, root, tmp_path, keyring_env):
    ring = tmp_path / "outside-the-workspace.json"
    ring.write_text("{}")
    desktop = {**HEADLESS, **keyring_env}
    create = FROM_STDIN[:-1]

    def kept(*flags, env, stdin=""):
        made = amlkit(*create, *flags, env=env, stdin=stdin)
        assert made.returncode == 0, made.stderr
        return _login(amlkit)["kept_in"], len(_files(root)), len(json.loads(ring.read_text()))

    assert kept("--account-key-stdin", env=HEADLESS, stdin=SECRET) == ("file", 1, 0)
    # Where there is a keyring, that is the place.
    assert kept("--account-key-stdin", env=desktop, stdin=SECRET) == ("keyring", 0, 1)
    assert kept("--sas-token-stdin", env=desktop, stdin="sig=1") == ("keyring", 0, 1)
    assert kept("--account-key-env", "ACME", env=desktop) == ("environment", 0, 0)
    assert kept("--account-key-stdin", env=HEADLESS, stdin=SECRET) == ("file", 1, 0)
    assert kept("--sas-token-stdin", env=HEADLESS, stdin="sig=2") == ("file", 1, 0)
    assert kept("--account-key-env", "ACME", env=HEADLESS) == ("environment", 0, 0)


@pytest.mark.parametrize(
    ("flags", "stdin"), [(("--account-key-env", "ACME"), ""), (("--sas-token-stdin",), "sig=2")]
)
def test_a_keyring_that_is_gone_leaves_the_definition_and_its_secret_as_they_were(
    amlkit, root, tmp_path, keyring_env, flags, stdin
):
    assert amlkit(*FROM_STDIN, stdin=SECRET, env=keyring_env).returncode == 0
    before = amlkit("datastore", "show", "images").stdout
    failed = amlkit(*FROM_STDIN[:-1], *flags, env=HEADLESS, stdin=stdin)
    assert failed.returncode == 1
    assert "cannot be removed from the keyring: " in failed.stderr
    assert "amlkit datastore delete images --yes" in failed.stderr
    assert amlkit("datastore", "show", "images").stdout == before
    assert SECRET in (tmp_path / "outside-the-workspace.json").read_text()
    assert _files(root) == []
    # The hint works.
    assert amlkit("datastore", "delete", "images", "--yes", env=HEADLESS).returncode == 0
    assert amlkit(*FROM_STDIN[:-1], *flags, env=HEADLESS, stdin=stdin).returncode == 0


def test_a_definition_that_is_refused_changes_no_secret(amlkit, root):
    assert amlkit(*FROM_STDIN, stdin=SECRET, env=HEADLESS).returncode == 0
    [file] = _files(root)
    content = file.read_bytes()
    elsewhere = (*FROM_STDIN[:-2], "other", "--account-key-stdin")
    assert amlkit(*elsewhere, stdin="other", env=HEADLESS).returncode == 6
    assert _files(root) == [file]
    assert file.read_bytes() == content


def _datastores(root: Path) -> LocalDatastores:
    folder = Folder(root)
    folder.ensure()
    return LocalDatastores(AssetTable(Database(folder.catalogue), user="me"), folder)


WRITER = """
import sys
from pathlib import Path
from test_encrypted_secrets import _datastores, sealed

sealed._COST = {"n": 16, "r": 8, "p": 1}
datastores = _datastores(Path(sys.argv[1]))
print("ready", flush=True)
for turn in range(10_000):
    kind = ("account_key", "sas_token")[turn % 2]
    spec = {"type": "azure_blob", "account_name": "acme", "container_name": "images"}
    name = sys.argv[2] if len(sys.argv) > 2 else "images"
    datastores.create(name, {**spec, "credentials": {kind: f"{kind}-{name}"}})
    print("stored", flush=True)
    if len(sys.argv) > 2 and turn == 4:
        break
"""


def _writer(root: Path, *arguments: str) -> subprocess.Popen:
    import os

    here = str(Path(__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(root), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **HEADLESS, "PYTHONPATH": here},
    )


def _secret_fits(root: Path, name: str) -> None:
    datastores = _datastores(root)
    found = datastores.get(name)
    login = found.spec["authentication"]
    read = datastores._keeper.read(name, found.path, login)
    assert read == f"{login['kind']}-{name}"


def test_a_killed_writer_leaves_a_definition_with_its_secret(root, monkeypatch):
    for key, value in HEADLESS.items():
        monkeypatch.setenv(key, value)
    chance = random.Random(1)
    for _ in range(10):
        process = _writer(root)
        for _ in range(chance.randrange(2, 5)):
            process.stdout.readline()
        time.sleep(chance.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        _secret_fits(root, "images")
        # One that counts, one of the turn before, one half written.
        assert len(_files(root)) <= 3
    _datastores(root).tidy(dry_run=False)
    assert len(_files(root)) == 1
    _secret_fits(root, "images")


def test_writers_at_once_lose_nothing(root, monkeypatch):
    for key, value in HEADLESS.items():
        monkeypatch.setenv(key, value)
    _datastores(root)
    names = ["one", "two", "images", "images", "Images"]
    for process in [_writer(root, name) for name in names]:
        process.communicate()
        assert process.returncode == 0
    for name in set(names):
        _secret_fits(root, name)
    assert len(_files(root)) == 4


def test_a_reader_beside_a_writer_finds_a_secret_at_any_moment(root, monkeypatch, cheap):
    monkeypatch.setenv("AMLKIT_SECRETS_PASSPHRASE", PASSPHRASE)
    process = _writer(root)
    process.stdout.readline()
    process.stdout.readline()
    try:
        for _ in range(100):
            datastores = _datastores(root)
            try:
                datastores.store("images")
            finally:
                datastores._table._database.close()
    finally:
        process.kill()
        process.communicate()


def test_jobs_do_not_have_the_passphrase(amlkit, tmp_path, root):
    (tmp_path / "job.yml").write_text(
        "command: env > ${{outputs.o}}/env\n"
        "environment: {image: mcr.microsoft.com/azureml/curated/sklearn-1.5}\n"
        "outputs: {o: {type: uri_folder}}\n"
    )
    done = amlkit(
        "job", "submit", "job.yml", "--current-python", "--wait", "--name", "j",
        env={**HEADLESS, "MINE": "passed on"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [seen] = root.rglob("env")
    assert "MINE=passed on" in seen.read_text()
    assert "AMLKIT_SECRETS_PASSPHRASE" not in seen.read_text()
    for path in root.rglob("*"):
        if path.is_file():
            assert PASSPHRASE.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("command", ["data list", "datastore list", "datastore show images"])
def test_what_opens_no_datastore_imports_neither_the_keyring_nor_cryptography(
    amlkit, keyring_env, command
):
    assert amlkit(*FROM_STDIN, stdin=SECRET, env=keyring_env).returncode == 0
    done = amlkit(*command.split(), env={**HEADLESS, "PYTHONPROFILEIMPORTTIME": "1"})
    assert done.returncode == 0
    imported = {
        line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()
    }
    assert "amlkit" in imported
    assert imported.isdisjoint({"keyring", "cryptography"})


def test_at_once_from_threads_is_as_safe(root, monkeypatch, cheap):
    for key, value in HEADLESS.items():
        monkeypatch.setenv(key, value)
    datastores = _datastores(root)
    spec = {"type": "azure_blob", "account_name": "acme", "container_name": "images"}

    def one(kind: str) -> None:
        for _ in range(10):
            datastores.create("images", {**spec, "credentials": {kind: f"{kind}-images"}})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, ["account_key", "sas_token"]))
    _secret_fits(root, "images")
    with pytest.raises(NotLoggedIn):
        monkeypatch.setenv("AMLKIT_SECRETS_PASSPHRASE", "other")
        _datastores(root).store("images")
