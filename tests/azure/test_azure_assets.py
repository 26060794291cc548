"""Data, models, environments, components and code on Azure, through the unmodified SDK."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("azure.ai.ml")

from loopback_azure import WORKSPACE
from loopback_store import CONTAINER

from amlkit.azure import uploads
from amlkit.errors import AmlkitError, Conflict, NotFound, NotSupported, UsageError

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "digits"
    (place / "sub").mkdir(parents=True)
    (place / "a.csv").write_text("1,2\n")
    (place / "sub" / "b ä.csv").write_text("3,4\n")
    (place / ".gitignore").write_text("*.csv\n")
    return place


def sent(cloud):
    return {name for (container, name) in cloud.store.blobs if container == CONTAINER}


def test_a_folder_is_sent_whole_whatever_git_ignores(on_azure, cloud, folder):
    seen = []
    made = on_azure.data.create(name="digits", path=folder, progress=lambda n, size: seen.append(n))
    assert made.reference == "digits:1"
    assert {each.split("/", 2)[2] for each in sent(cloud)} == {
        "digits/.gitignore",
        "digits/a.csv",
        "digits/sub/b ä.csv",
    }
    assert (seen[-1], seen) == (3, sorted(seen))


def test_what_is_there_is_not_sent_again(on_azure, cloud, folder):
    on_azure.data.create(name="digits", path=folder)
    cloud.log.clear()
    again = on_azure.data.create(name="other", path=folder)
    assert again.version == "1"
    assert not [path for method, path in cloud.log if method == "PUT" and ".blob." in path]


def test_an_interrupted_upload_sends_only_what_is_missing(on_azure, cloud, folder):
    on_azure.data.create(name="digits", path=folder)
    lost = next(each for each in sent(cloud) if each.endswith("a.csv"))
    del cloud.store.blobs[CONTAINER, lost]
    cloud.log.clear()
    on_azure.data.create(name="digits", path=folder)
    put = [path for method, path in cloud.log if method == "PUT" and ".blob." in path]
    assert [each.rsplit("/", 1)[-1] for each in put] == ["a.csv"]


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_what_changes_after_it_was_hashed_does_not_go_where_that_hash_is(
    on_azure, cloud, folder, how
):
    place = folder / "a.csv"
    upload = uploads.upload_of(folder)
    if how == "removed":
        place.unlink()
    else:
        place.write_text("9,9\n")
        # However coarse the clock of the file system is.
        os.utime(place, (0, 0))
    with pytest.raises(AmlkitError, match=rf"a\.csv` was {how}|a\.csv` {how} while it was sent"):
        upload.send(on_azure.datastores._datastores, None)
    assert not [name for name in sent(cloud) if name.endswith("/a.csv")]


def test_versions_count_up_and_a_taken_one_is_a_conflict(on_azure, folder):
    first = on_azure.data.create(name="digits", path=folder)
    assert on_azure.data.create(name="digits", path=folder, if_changed=True).version == "1"
    assert on_azure.data.create(name="digits", path=folder, version="1").id == first.id
    (folder / "a.csv").write_text("other")
    with pytest.raises(Conflict, match="exists with other content"):
        on_azure.data.create(name="digits", path=folder, version="1")
    assert on_azure.data.create(name="digits", path=folder, if_changed=True).version == "2"
    assert [each.version for each in on_azure.data.list("digits")] == ["2", "1"]
    assert on_azure.data.show("digits@latest").version == "2"


def test_every_page_of_a_list_is_read(on_azure, cloud):
    cloud.store.page_size = 2
    for number in range(5):
        cloud.store.register("data", f"/data/d{number}", f"/data/d{number}/versions/1", {})
    assert {each.name for each in on_azure.data.list()} == {f"d{n}" for n in range(5)}


def test_what_comes_down_is_what_went_up(on_azure, folder, tmp_path):
    on_azure.data.create(name="digits", path=folder)
    place = on_azure.data.download("digits", tmp_path / "down")
    assert place == tmp_path / "down" / "digits"
    assert (place / "sub" / "b ä.csv").read_text() == "3,4\n"
    on_azure.data.create(name="one", path=folder / "a.csv")
    assert on_azure.data.download("one", tmp_path / "down").read_text() == "1,2\n"


def test_an_archived_version_is_hidden_and_comes_back(on_azure, folder):
    on_azure.data.create(name="digits", path=folder)
    on_azure.data.create(name="digits", path=folder)
    (hidden,) = on_azure.data.archive("digits:2")
    assert hidden.archived
    assert on_azure.data.show("digits").version == "1"
    on_azure.data.archive("digits:2", archived=False)
    assert on_azure.data.show("digits").version == "2"
    on_azure.data.archive("digits")
    assert on_azure.data.list() == []


def test_a_name_that_is_nearly_right_is_suggested(on_azure, folder):
    on_azure.data.create(name="digits", path=folder)
    with pytest.raises(NotFound) as caught:
        on_azure.data.show("digit")
    assert caught.value.hint == "did you mean `digits`?"
    with pytest.raises(NotFound, match="version `7`"):
        on_azure.data.show("digits:7")


def test_an_empty_folder_and_a_foreign_address_are_refused_plainly(on_azure, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="has no files"):
        on_azure.data.create(name="d", path=tmp_path / "empty")
    on_azure.data.create(name="web", path="https://example.com/a.csv", type="uri_file")
    with pytest.raises(NotSupported, match="in no datastore"):
        on_azure.data.download("web", tmp_path)


def test_an_environment_is_registered_once_for_one_content(on_azure):
    conda = {"channels": ["conda-forge"], "dependencies": ["python=3.11", {"pip": ["numpy"]}]}
    assert on_azure.environments.register("train", conda, image="ubuntu:22.04").version == "1"
    assert on_azure.environments.register("train", conda, image="ubuntu:22.04").version == "1"
    assert on_azure.environments.register("train", conda, image="ubuntu:24.04").version == "2"
    assert on_azure.environments.show("train:1").spec["conda_file"] == conda
    with pytest.raises(NotSupported, match="Azure ML builds"):
        on_azure.environments.build("train", log=print)


def test_a_model_comes_from_a_path_or_a_jobs_output(on_azure, cloud, folder):
    assert on_azure.models.register(name="m", path=folder).type == "custom_model"
    cloud.store.start("j", body := {"jobType": "Command", "outputs": {"model": {}}})
    cloud.store.put("/jobs/j", body)
    cloud.store.metrics["j"] = [{"key": "acc", "value": 0.95, "timestamp": 1, "step": 0}]
    made = on_azure.models.register(
        name="m", job="j", output="model", condition="metrics.acc > 0.9"
    )
    assert made.version == "2"
    assert made.spec["path"] == "azureml://jobs/j/outputs/model/paths/"
    assert made.properties["azureml.job_name"] == "j"


COMPONENT = """
type: command
name: train
command: python train.py --lr ${{inputs.lr}}
code: ./src
environment: azureml:e:1
inputs: {lr: {type: number, default: 0.1}}
"""


@pytest.fixture
def component(tmp_path):
    source = tmp_path / "src"
    source.mkdir()
    (source / "train.py").write_text("print(1)")
    (source / "junk.txt").write_text("junk")
    (source / ".gitignore").write_text("junk.txt\n")
    (source / ".amlignore").write_text("!train.py\n")
    (tmp_path / "train.yml").write_text(COMPONENT)
    return tmp_path / "train.yml"


def test_a_component_is_no_new_version_until_its_code_changes(on_azure, component):
    assert on_azure.components.register(component).reference == "train:1"
    assert on_azure.components.register(component).reference == "train:1"
    (component.parent / "src" / "train.py").write_text("print(2)")
    assert on_azure.components.register(component).reference == "train:2"
    shown = on_azure.components.show("train")
    assert shown.spec["code"] == "azureml:train:2"
    assert shown.spec["environment"] == "azureml:e:1"


def test_code_goes_up_under_amlkits_ignore_rules_not_the_sdks(on_azure, cloud, component):
    on_azure.components.register(component)
    code = {name for container, name in cloud.store.blobs if container.startswith("code-")}
    assert code == {"code/train.py", "code/.gitignore", "code/.amlignore"}


def test_the_content_hash_is_the_sdks_own(component):
    from azure.ai.ml._utils._asset_utils import get_content_hash

    from amlkit.azure.uploads import content_hash

    source = component.parent / "src"
    (source / "Sub").mkdir()
    (source / "Sub" / "B.py").write_text("x")
    files = {p.relative_to(source).as_posix(): p for p in source.rglob("*") if p.is_file()}
    assert content_hash(files) == get_content_hash(source)


def test_datastores_are_defined_once_and_hold_files(on_azure, cloud, tmp_path, folder):
    (tmp_path / "blob.yml").write_text(
        "name: raw\ntype: azure_blob\naccount_name: acct\ncontainer_name: c\n"
        "credentials: {account_key: c2VjcmV0}\n"
    )
    stores = on_azure.datastores
    made = stores.create_from(tmp_path / "blob.yml")
    assert (made.type, made.is_default) == ("azure_blob", False)
    assert "c2VjcmV0" not in str(made)
    assert stores.create_from(tmp_path / "blob.yml").name == "raw"
    with pytest.raises(Conflict):
        stores.create_from(tmp_path / "blob.yml", overrides=["container_name=other"])
    assert stores.list()[0].name == "workspaceblobstore"
    assert len(stores.upload("workspaceblobstore", folder, target="in").copied) == 3
    found = [each.path for each in stores.files("workspaceblobstore", "in")]
    assert found == ["in/.gitignore", "in/a.csv", "in/sub/b ä.csv"]
    assert stores.download("workspaceblobstore", "in/a.csv", tmp_path / "x").copied == ("a.csv",)
    assert (tmp_path / "x" / "a.csv").read_text() == "1,2\n"
    stores.delete("raw")
    with pytest.raises(Conflict, match="is the default"):
        stores.delete("workspaceblobstore")


def test_a_datastore_is_copied_only_where_it_differs_and_mirrored_on_wish(
    on_azure, cloud, tmp_path, folder
):
    stores = on_azure.datastores
    cloud.store.blobs[CONTAINER, "in/old.csv"] = (b"old", {})
    planned = stores.upload("workspaceblobstore", folder, target="in", delete=True, dry_run=True)
    assert (len(planned.copied), planned.deleted) == (3, ("in/old.csv",))
    assert sent(cloud) == {"in/old.csv"}
    stores.upload("workspaceblobstore", folder, target="in", delete=True)
    assert "in/old.csv" not in sent(cloud)
    again = stores.upload("workspaceblobstore", folder, target="in")
    assert (again.copied, again.skipped) == ((), 3)
    (folder / "a.csv").write_text("9,9\n")
    assert stores.upload("workspaceblobstore", folder, target="in").copied == ("in/a.csv",)
    assert [each.path for each in stores.files("workspaceblobstore", "in/**/*.csv")] == [
        "in/a.csv",
        "in/sub/b ä.csv",
    ]


def test_a_blob_cannot_be_written_outside_of_the_target(on_azure, cloud, tmp_path):
    cloud.store.blobs[CONTAINER, "in/../../evil"] = (b"x", {})
    from amlkit.errors import AmlkitError

    with pytest.raises(AmlkitError, match="not a name that can be written below"):
        on_azure.datastores.download("workspaceblobstore", "in", tmp_path / "deep" / "target")
    assert not (tmp_path / "evil").exists()


def test_computes_are_made_started_stopped_and_deleted(on_azure, cloud):
    made = on_azure.computes.create(
        {"type": "amlcompute", "name": "cpu", "size": "S", "max_instances": 3}
    )
    assert (made.type, made.slots, made.size) == ("amlcompute", 3, "S")
    on_azure.computes.create({"type": "computeinstance", "name": "box", "size": "S"})
    assert on_azure.computes.stop("box").state == "Stopped"
    assert on_azure.computes.start("box").state == "Running"
    with pytest.raises(UsageError, match="is a cluster"):
        on_azure.computes.stop("cpu")
    on_azure.computes.delete("box")
    assert [each.name for each in on_azure.computes.list()] == ["cpu"]
    assert f"{WORKSPACE}/computes/box" in {path for _, path in cloud.log}


def test_links_are_sent_as_what_they_lead_to(on_azure, cloud, folder):
    (folder / "file").symlink_to("a.csv")
    (folder / "again").symlink_to("sub")
    (folder / "sub" / "above").symlink_to("..")
    (folder / "circle").symlink_to("circle")
    (folder / "nowhere").symlink_to("missing")
    on_azure.data.create(name="digits", path=folder)
    assert {each.split("/", 3)[3] for each in sent(cloud)} == {
        ".gitignore",
        "a.csv",
        "file",
        "sub/b ä.csv",
        "again/b ä.csv",
    }


def test_files_in_another_workspace_are_not_looked_for_in_this_one(on_azure):
    """Its `workspaceblobstore` is not ours."""
    uri = (
        "azureml://subscriptions/s/resourcegroups/g/workspaces/other/datastores/"
        "workspaceblobstore/paths/x/"
    )
    on_azure.data.create(name="d", path=uri, type="uri_folder")
    for ask in (
        lambda: on_azure.data.diff("d", "d"),
        lambda: on_azure.data.split("d", ("a", "b")),
        lambda: on_azure.data.download("d", Path("down")),
    ):
        with pytest.raises(NotSupported, match="a datastore of another workspace"):
            ask()
