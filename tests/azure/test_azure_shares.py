"""File shares of an Azure ML workspace: copied as those of the embedded one, with its key or login."""

from __future__ import annotations

import loopback_store
import pytest
import shares_server
from shares_tree import Share

from amlkit.errors import NotFound, NotSupported

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture
def shares(cloud):
    """A server over TLS that takes the cloud's tokens, and the key that its workspace tells."""
    with shares_server.running((cloud.ca, cloud.ca.with_suffix(".key"))) as service:
        service.key, service.tokens = loopback_store.KEY, cloud.tokens
        service.shares["images"] = Share()
        yield service


def define(cloud, shares, credentials):
    cloud.store.put(
        "/datastores/files",
        {
            "datastoreType": "AzureFile",
            # The account's host cannot be resolved; this one is its first part's path.
            "accountName": f"{shares.endpoint}/{shares_server.ACCOUNT}",
            "fileShareName": "images",
            "endpoint": "core.localhost",
            "protocol": "https",
            "credentials": {"credentialsType": credentials},
        },
    )


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub ü").mkdir(parents=True)
    for number in range(5):
        (folder / "sub ü" / f"{number} é.csv").write_text(f"{number}\n" * number)
    (folder / "big.bin").write_bytes(bytes(range(256)) * 20 * 1024)
    return folder


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


@pytest.mark.parametrize("credentials", ["AccountKey", "None"])
def test_a_folder_goes_up_and_comes_back_and_each_only_once(
    on_azure, cloud, shares, folder, tmp_path, credentials
):
    define(cloud, shares, credentials)
    stores = on_azure.datastores
    assert stores.show("files").type == "azure_file"
    assert shares.log == []
    shares.shares["images"].put("t/old.csv", b"old")
    planned = stores.upload("files", folder, target="t", delete=True, dry_run=True)
    assert (len(planned.copied), planned.deleted) == (6, ("t/old.csv",))
    stores.upload("files", folder, target="t", delete=True)
    assert len(shares.shares["images"].names()) == 6
    assert shares.shares["images"].folders.keys() == {"", "T", "T/SUB Ü"}
    again = stores.upload("files", folder, target="t")
    assert (again.copied, again.skipped) == ((), 6)
    assert [each.path for each in stores.files("files", "t/**/[01]*.csv")] == [
        "t/sub ü/0 é.csv",
        "t/sub ü/1 é.csv",
    ]
    stores.download("files", "t", tmp_path / "out")
    assert tree(tmp_path / "out") == tree(folder)
    assert stores.download("files", "t", tmp_path / "out").skipped == 6
    with pytest.raises(NotFound):
        stores.download("files", "nothing", tmp_path / "out")


def test_a_data_asset_on_a_share_is_fetched(on_azure, cloud, shares, tmp_path):
    define(cloud, shares, "AccountKey")
    shares.shares["images"].put("raw/a.csv", b"1\n")
    uri = "azureml://datastores/files/paths/raw/"
    on_azure.data.create(name="raw", path=uri, type="uri_folder")
    on_azure.data.download("raw:1", tmp_path / "out")
    assert tree(tmp_path / "out") == {"raw/a.csv": b"1\n"}


def test_versions_of_data_on_a_share_are_compared_and_sampled(
    on_azure, cloud, shares, folder, tmp_path
):
    define(cloud, shares, "AccountKey")
    on_azure.datastores.upload("files", folder, target="v1")
    share = shares.shares["images"]
    for name in [each for each in share.names() if "/4" not in each]:
        share.put(name.replace("v1", "v2"), bytes(share.file(name).content))
    share.edit("v2/sub ü/3 é.csv", 0, b"9")
    for version in ("v1", "v2"):
        uri = f"azureml://datastores/files/paths/{version}/"
        on_azure.data.create(name="raw", path=uri, type="uri_folder")
    changes = on_azure.data.diff("raw:1", "raw:2")
    assert {each.path: each.change for each in changes} == {
        "sub ü/3 é.csv": "changed",
        "sub ü/4 é.csv": "removed",
    }
    on_azure.data.sample("raw:1", tmp_path / "some", take=6)
    assert tree(tmp_path / "some") == tree(folder)


def test_what_needs_blobs_says_so(on_azure, cloud, shares):
    define(cloud, shares, "AccountKey")
    with pytest.raises(NotSupported, match="is AzureFile, and this needs a container of blobs"):
        on_azure.backend.datastores.place("files")


def test_data_on_a_share_is_split_into_the_default_datastore_and_previewed(
    on_azure, cloud, shares, folder, tmp_path
):
    define(cloud, shares, "AccountKey")
    on_azure.datastores.upload("files", folder, target="raw")
    shares.shares["images"].put("raw/0.csv", b"n\n1\n")
    uri = "azureml://datastores/files/paths/raw/"
    on_azure.data.create(name="raw", path=uri, type="uri_folder")
    parts = on_azure.data.split("raw", ("fit", "val"), fraction=0.5)
    assert all("/workspaceblobstore/" in str(each.spec["path"]) for each in parts)
    both = {}
    for name in ("fit", "val"):
        both |= tree(on_azure.data.download(name, tmp_path / name))
    assert both == tree(on_azure.data.download("raw", tmp_path / "whole"))
    assert on_azure.data.preview("raw", take=1).rows[0]["n"] == 1
    lines = b"n\n" + b"2\n" * 1_000_000
    shares.shares["images"].put("raw/0.csv", lines)
    assert on_azure.data.preview("raw", take=1).rows[0]["n"] == 2
