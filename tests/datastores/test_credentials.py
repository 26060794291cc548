"""Where the secrets of datastores are kept, and that they are nowhere else."""

from __future__ import annotations

import json

import pytest

SECRET = "c2VjcmV0LXRoYXQtbXVzdC1ub3QtYmUtc2Vlbg=="
BLOB = ("--type", "azure_blob", "--account-name", "acme", "--container-name", "images")
YAML = """\
$schema: https://azuremlschemas.azureedge.net/latest/azureBlob.schema.json
name: images
type: azure_blob
account_name: acme
container_name: images
credentials:
  account_key: c2VjcmV0LXRoYXQtbXVzdC1ub3QtYmUtc2Vlbg==
"""


def assert_secret_is_nowhere(folder, *results):
    for result in results:
        assert SECRET not in result.stdout + result.stderr
    for path in folder.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("how", ["stdin", "file", "flags-with-file"])
def test_a_secret_goes_to_the_keyring_and_nowhere_else(amlkit, tmp_path, keyring_env, how):
    if how == "stdin":
        made = amlkit(
            "datastore", "create", "--name", "images", *BLOB, "--account-key-stdin",
            stdin=SECRET + "\n", env=keyring_env,
        )  # fmt: skip
    else:
        text = YAML if how == "file" else YAML[: YAML.index("credentials")]
        (tmp_path / "d.yml").write_text(text)
        more = ("--account-key-stdin",) if how != "file" else ()
        made = amlkit("datastore", "create", "-f", "d.yml", *more, stdin=SECRET, env=keyring_env)
        (tmp_path / "d.yml").unlink()
    assert made.returncode == 0, made.stderr
    shown = amlkit("datastore", "show", "images", env=keyring_env)
    assert json.loads(shown.stdout)["authentication"] == {
        "kind": "account_key",
        "kept_in": "keyring",
        "entry": "datastore/images",
    }
    listed = amlkit("-v", "datastore", "list", env=keyring_env)
    assert SECRET in (tmp_path / "outside-the-workspace.json").read_text()
    assert_secret_is_nowhere(tmp_path / "home", made, shown, listed)
    gone = amlkit("datastore", "delete", "images", "--yes", env=keyring_env)
    assert gone.returncode == 0
    assert SECRET not in (tmp_path / "outside-the-workspace.json").read_text()


def test_the_same_place_again_replaces_how_it_logs_in(amlkit, tmp_path, keyring_env):
    create = ("datastore", "create", "--name", "images")
    kept = tmp_path / "outside-the-workspace.json"
    amlkit(*create, *BLOB, "--account-key-stdin", stdin=SECRET, env=keyring_env)
    amlkit(*create, *BLOB, "--sas-token-stdin", stdin="sv=1&sig=new", env=keyring_env)
    assert "sv=1&sig=new" in kept.read_text()
    assert SECRET not in kept.read_text()
    again = amlkit(*create, *BLOB, "--account-key-env", "ACME", env=keyring_env)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["authentication"] == {
        "kind": "account_key",
        "kept_in": "environment",
        "variable": "ACME",
    }
    assert kept.read_text() == "{}"
    other = amlkit(*create, *BLOB[:-1], "other", "--account-key-env", "ACME", env=keyring_env)
    assert other.returncode == 6
    failed = amlkit(
        *create, *BLOB, "--account-key-stdin",
        stdin=SECRET, env={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
    )  # fmt: skip
    assert failed.returncode == 1
    shown = json.loads(amlkit("datastore", "show", "images").stdout)
    assert shown["authentication"]["variable"] == "ACME"


def test_without_a_keyring_a_secret_is_refused_and_nothing_is_defined(amlkit, tmp_path):
    made = amlkit(
        "datastore", "create", "--name", "images", *BLOB, "--account-key-stdin",
        stdin=SECRET, env={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
    )  # fmt: skip
    assert made.returncode == 1
    assert "--account-key-env NAME" in made.stderr
    assert amlkit("datastore", "show", "images").returncode == 3
    assert_secret_is_nowhere(tmp_path / "home", made)


def test_a_datastore_whose_keyring_is_gone_is_deleted_with_a_warning(amlkit, tmp_path, keyring_env):
    create = ("datastore", "create", "--name", "images", *BLOB, "--account-key-stdin")
    assert amlkit(*create, stdin=SECRET, env=keyring_env).returncode == 0
    gone = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    deleted = amlkit("datastore", "delete", "images", "--yes", env=gone)
    assert deleted.returncode == 0, deleted.stderr
    assert "warning: the secret of datastore `images` stays in the keyring" in deleted.stderr
    assert amlkit("datastore", "show", "images").returncode == 3
    assert_secret_is_nowhere(tmp_path / "home", deleted)


def test_a_variable_is_named_and_its_value_never_stored(amlkit, tmp_path):
    env = {"ACME_KEY": SECRET}
    flags = ("--name", "images", *BLOB, "--account-key-env", "ACME_KEY")
    made = amlkit("datastore", "create", *flags, env=env)
    assert json.loads(made.stdout)["authentication"]["variable"] == "ACME_KEY"
    assert amlkit("datastore", "create", *flags, env=env).returncode == 0
    assert_secret_is_nowhere(tmp_path / "home", made)


@pytest.mark.parametrize(
    "command", ["ls images", "upload images --path here", "download images a -p out"]
)
def test_without_the_extra_every_command_says_what_to_install(amlkit, tmp_path, command):
    (tmp_path / "here").write_text("1")
    # A finder before all others finds everything but the package, as where it is not installed.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'obstore':\n"
        "            raise ModuleNotFoundError(f'No module named {name}', name=name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    amlkit("datastore", "create", "--name", "images", *BLOB, "--account-key-env", "K")
    env = {"K": SECRET, "PYTHONPATH": str(tmp_path)}
    failed = amlkit("datastore", *command.split(), env=env)
    assert failed.returncode == 1
    assert "pip install 'amlkit[blob]'" in failed.stderr


def test_a_secret_that_is_no_text_is_refused_and_not_shown(amlkit):
    create = ("-v", "datastore", "create", "--name", "images", *BLOB, "--account-key-stdin")
    done = amlkit(*create, stdin="abc\udce9", env={"PYTHONIOENCODING": "utf-8:surrogateescape"})
    assert done.returncode == 2
    assert "the account_key on stdin is no text" in done.stderr
    assert "abc" not in done.stderr


def test_a_dry_run_shows_that_there_is_a_secret_but_not_which(amlkit, tmp_path):
    (tmp_path / "d.yml").write_text(YAML)
    planned = amlkit("datastore", "create", "-f", "d.yml", "--dry-run")
    assert json.loads(planned.stdout)["spec"]["credentials"] == {"account_key": "(a secret)"}
    assert amlkit("datastore", "show", "images").returncode == 3
    assert_secret_is_nowhere(tmp_path / "home", planned)


def test_the_address_of_every_kind(amlkit):
    def path(*flags):
        made = amlkit("datastore", "create", "--name", "x", *flags, "--account-key-env", "K")
        assert made.returncode == 0, made.stderr
        amlkit("datastore", "delete", "x", "--yes")
        return json.loads(made.stdout)["path"]

    assert path(*BLOB) == "https://acme.blob.core.windows.net/images"
    lake = ("--type", "azure_data_lake_gen2", "--account-name", "acme", "--filesystem", "fs")
    assert path(*lake) == "https://acme.blob.core.windows.net/fs"
    share = ("--type", "azure_file", "--account-name", "acme", "--file-share-name", "s")
    assert path(*share) == "https://acme.file.core.windows.net/s"
    house = (
        "--type", "one_lake", "--one-lake-workspace-name", "w", "--artifact-name", "h",
        "--endpoint", "onelake.dfs.fabric.microsoft.com",
    )  # fmt: skip
    assert path(*house) == "https://onelake.blob.fabric.microsoft.com/w/h"


def test_what_is_missing_or_too_much_is_said(amlkit):
    lacking = amlkit("datastore", "create", "--name", "x", "--type", "azure_blob")
    assert lacking.returncode == 2
    assert "--container-name" in lacking.stderr
    twice = amlkit(
        "datastore",
        "create",
        "--name",
        "x",
        *BLOB,
        "--account-key-env",
        "A",
        "--sas-token-env",
        "B",
    )
    assert twice.returncode == 2
    unknown = amlkit("datastore", "create", "--name", "x", "--type", "s3")
    assert unknown.returncode == 1
    share = ("--type", "azure_file", "--account-name", "acme")
    lacking = amlkit("datastore", "create", "--name", "s", *share, "--account-key-env", "K")
    assert lacking.returncode == 2
    assert "--file-share-name" in lacking.stderr
