"""Snapshots: ignore rules as git reads them, the size guard, the secret scan."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from amlkit.errors import AmlkitError
from amlkit.local import snapshot
from amlkit.local.content import ContentStore
from amlkit.snapshots import files, secrets
from amlkit.snapshots.plan import plan
from amlkit.snapshots.statcache import RACY_NS

PATTERNS = """
*.log
!keep.log
/only_top.txt
build/
docs/*.md
**/deep
a/**/z
tail/**
\\#hash
[ab]?.bin
x[!0-9]y
"""
PATHS = (
    *("one.log", "keep.log", "sub/one.log", "sub/keep.log", "only_top.txt", "sub/only_top.txt"),
    *("build/x", "sub/build/x", "docs/a.md", "docs/sub/a.md", "deep", "p/q/deep", "a/z", "a/b/z"),
    *("a/b/c/z", "tail/x", "tail/y/z", "#hash", "a1.bin", "c1.bin", "x1y", "xqy", "plain.py"),
    "buildx/y",
)


def _fill(code: Path) -> None:
    for name in PATHS:
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text("x")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("AMLKIT_HOME", str(tmp_path.parent / f"{tmp_path.name}-home"))


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there to compare with")
def test_the_rules_are_those_of_git(tmp_path):
    _fill(tmp_path)
    (tmp_path / ".gitignore").write_text(PATTERNS)
    (tmp_path / "sub" / ".gitignore").write_text("!one.log\n/only_top.txt\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = ["git", "-c", "core.quotepath=off", "ls-files", "-co", "--exclude-standard"]
    wanted = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    included = {path for path, _ in plan(tmp_path).included}
    assert included == set(wanted.stdout.split())


def test_amlignore_adds_rules_and_takes_some_back(tmp_path):
    (tmp_path / ".gitignore").write_text("*.csv\n")
    (tmp_path / ".amlignore").write_text("!small.csv\nnotes\n")
    for name in ("small.csv", "large.csv", "notes"):
        (tmp_path / name).write_text("x")
    planned = plan(tmp_path)
    assert {path for path, _ in planned.included} == {".amlignore", ".gitignore", "small.csv"}
    assert {path: str(rule) for path, rule in planned.excluded} == {
        "large.csv": ".gitignore:1: *.csv",
        "notes": ".amlignore:2: notes",
    }


def test_a_byte_order_mark_does_not_spoil_the_first_rule(tmp_path):
    (tmp_path / ".amlignore").write_text("*.csv\n", encoding="utf-8-sig")
    (tmp_path / "large.csv").write_text("x")
    assert [path for path, _ in plan(tmp_path).excluded] == ["large.csv"]


def test_some_folders_are_always_out(tmp_path):
    (tmp_path / ".amlignore").write_text("!.venv\n")
    for name in (".git", ".venv", "p/__pycache__"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x").write_text("x")
    assert [path for path, _ in plan(tmp_path).included] == [".amlignore"]


def test_a_folder_that_is_too_large_names_its_largest_file(tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    (code / "model.bin").write_bytes(b"0" * 2000)
    store = ContentStore(tmp_path / "store")
    with pytest.raises(AmlkitError, match=r"model\.bin"):
        snapshot.take(store, code, size_limit_bytes=1000)
    assert snapshot.take(store, code, size_limit_bytes=None).size == 2000


KEY = "aB3+" * 21 + "aA=="


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=" + KEY, "storage account key"),
        (f"account_key: {KEY}", "secret"),
        (f"account_key: '{KEY}'", "secret"),
        (f"AZURE_STORAGE_KEY={KEY}", "secret"),
        (f'os.environ["AZURE_STORAGE_KEY"] = "{KEY}"', "secret"),
        (f"os.environ['AZURE_STORAGE_KEY']='{KEY}'", "secret"),
        (f'account_key: str = "{KEY}"', "secret"),
        (f"account_key: str | None = '{KEY}'", "secret"),
        (f'account_key=b"{KEY}"', "secret"),
        (f'{{"account_key": "{KEY}"}}', "secret"),
        (f'  client_secret = "{KEY[:44]}",', "secret"),
        ("Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=" + KEY[:44], "shared access key"),
        (
            "https://x.blob.core.windows.net/c?sv=1&sig=" + "b" * 43 + "%3D",
            "shared access signature",
        ),
        ("secret = 'abc8Q~" + "c" * 34 + "'", "service principal secret"),
        ("-----BEGIN RSA PRIVATE " + "KEY-----", "private key"),
        ("-----BEGIN PRIVATE " + "KEY-----", "private key"),
        (
            "Server=tcp:x.database.windows.net,1433;Database=d;User ID=u;Password"
            + "=hunter2hunter2;",
            "connection string with a password",
        ),
        (
            "postgresql+psycopg://ann:" + "hunter2hunter2@db.corp/d",
            "database address with a password",
        ),
        ("redis://:" + "hunter2hunter2@cache.corp", "database address with a password"),
    ],
)
def test_a_secret_is_refused_with_its_line_and_can_be_allowed(tmp_path, line, kind):
    code = tmp_path / "code"
    code.mkdir()
    (code / "train.py").write_text(f"import os\n{line}\n")
    store = ContentStore(tmp_path / "store")
    with pytest.raises(AmlkitError, match=rf"[/\\]train\.py:2: {kind} ") as raised:
        snapshot.take(store, code)
    assert line not in raised.value.message
    assert "--allow-secrets" in str(raised.value.hint)
    assert list(store.trees.iterdir()) == [], "nothing was stored"
    assert snapshot.take(store, code, allow_secrets=True).files == 1


@pytest.mark.parametrize(
    "line",
    [
        f'account_key = "{KEY}"',
        f'client_secret="{KEY[:44]}"',
        f"client = Client(account_key='{KEY}')",
        f'os.environ["AZURE_STORAGE_KEY"] = "{KEY}"',
        f'account_key: str = "{KEY}"',
        f'config = {{"account_key": "{KEY}"}}',
        f"%env AZURE_STORAGE_KEY={KEY}",
    ],
)
def test_a_secret_in_a_notebook_is_refused(tmp_path, line):
    code = tmp_path / "code"
    code.mkdir()
    cell = {"cell_type": "code", "source": ["import os\n", f"{line}\n"], "outputs": []}
    (code / "explore.ipynb").write_text(json.dumps({"cells": [cell]}, indent=1))
    with pytest.raises(AmlkitError, match=r"[/\\]explore\.ipynb:7: secret "):
        snapshot.take(ContentStore(tmp_path / "store"), code)


@pytest.mark.parametrize(
    "line",
    [
        'os.environ["AZURE_STORAGE_KEY"] = os.environ["THE_STORAGE_KEY_OF_2024"]',
        'account_key:\n  env: "storage-key-of-2024-in-the-vault"',
        'account_key: str = "set_by_the_environment_2024"',
        'account_key: str = Field(alias="storage2024keyalias2024")',
        'storage_key, name = "", "run-2024-with-a-long-name"',
        "client_secret = os.environ['AZURE_CLIENT_SECRET']",
        "client_secret=settings.azure_client_secret_of_2024",
        "export AZURE_CLIENT_SECRET=${{ secrets.CLIENT_SECRET_2024_OF_THE_TEAM }}",
        "ACCOUNT_KEY = load_account_key_from_vault_number_2()",
        "parser.add_argument('--account_key', help='64 bytes in base64')",
        "url = f'postgresql://{user}:{password}@{host}/db'",
        "postgresql://user:password@localhost:5432/db",
        "if text == b'-----BEGIN PRIVATE " + "KEY-----':",
        "AccountKey=<your key>",
        "assig=1 or design=2",
    ],
)
def test_code_that_only_speaks_of_secrets_is_taken(tmp_path, line):
    code = tmp_path / "code"
    code.mkdir()
    (code / "train.py").write_text(f"{line}\n")
    assert snapshot.take(ContentStore(tmp_path / "store"), code).files == 1


def test_every_place_is_told_and_text_of_powershell_is_read(tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    (code / "a.env").write_text(f"\n\nAccountKey={KEY}\n", encoding="utf-16")
    for name in "bcde":
        (code / name).write_text(f"x\nAccountKey={KEY}\n")
    with pytest.raises(AmlkitError) as raised:
        snapshot.take(ContentStore(tmp_path / "store"), code)
    told = raised.value.message
    assert told.count(":2") + told.count("a.env:3") == 3
    assert told.endswith(" and 2 more")


def test_a_file_full_of_secrets_names_its_first_places(tmp_path):
    lines = [f"AccountKey={KEY}" if number % 2 else "" for number in range(1000)]
    (tmp_path / "dump.txt").write_text("\n".join(lines))
    found = secrets.scan(tmp_path / "dump.txt", "dump.txt", 1)
    assert [each.line for each in found] == list(range(2, 202, 2))


def test_what_other_rules_found_clean_is_looked_at_again():
    kinds = secrets._KINDS
    versions = {
        secrets.RULES,
        secrets.version(secrets.LARGEST, kinds),
        secrets.version(secrets.LARGEST // 16, kinds),
        secrets.version(secrets.LARGEST, kinds[1:]),
    }
    assert len(versions) == 3


def test_a_notebook_full_of_pictures_is_read_to_its_end_and_a_binary_file_is_not(tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    picture = "iVBORw0KGgo" * 400_000
    (code / "explore.ipynb").write_text(f'{{"image/png": "{picture}"}}\n"AccountKey={KEY}"\n')
    (code / "model.bin").write_bytes(b"\0" + f"AccountKey={KEY}".encode())
    with pytest.raises(AmlkitError, match=r"[/\\]explore\.ipynb:2: ") as raised:
        snapshot.take(ContentStore(tmp_path / "store"), code)
    assert "model.bin" not in raised.value.message


def test_what_was_clean_and_has_not_changed_is_not_read_again(tmp_path, monkeypatch):
    code = tmp_path / "code"
    code.mkdir()
    for name in ("old.py", "new.py"):
        (code / name).write_text("pass\n")
        os.utime(code / name, (1, 1))
    # The change time of a file cannot be set: wait until it counts as settled.
    settled = (code / "new.py").stat().st_ctime_ns + RACY_NS
    while time.time_ns() <= settled:
        os.sched_yield()
    read = []
    monkeypatch.setattr(files, "scan", lambda path, name, size: read.append(name) or [])
    for _ in range(2):
        files.check(code, files.of_code(code), None, allow_secrets=False)
    assert sorted(read) == ["new.py", "old.py"]
    monkeypatch.undo()
    (code / "new.py").write_text(f"AccountKey={KEY}\n")
    with pytest.raises(AmlkitError, match=r"[/\\]new\.py:1: storage account key"):
        files.check(code, files.of_code(code), None, allow_secrets=False)
    with pytest.raises(AmlkitError, match=r"[/\\]new\.py:1: storage account key"):
        files.check(code, files.of_code(code), None, allow_secrets=False)


def test_includes_lie_beside_the_code_under_their_own_names(tmp_path):
    for name in ("code/train.py", "shared/lib.py", "one.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    store = ContentStore(tmp_path / "store")
    includes = [tmp_path / "shared", tmp_path / "one.py"]
    tree = snapshot.take(store, tmp_path / "code", includes=includes)
    assert [each.path for each in store.entries(tree.digest)] == [
        "one.py",
        "shared/lib.py",
        "train.py",
    ]
