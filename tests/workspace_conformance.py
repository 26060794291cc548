"""What every workspace does the same: imported by a test module that has a `workspace` fixture.

`workspace` is the services of an empty workspace; ids, authors and times are its own affair.
What a workspace does otherwise is written down in its test module, where it is made.
"""

from __future__ import annotations

import pytest

from amlkit.errors import AmlkitError, Conflict, NotFound, UsageError


@pytest.fixture
def digits(tmp_path):
    """A folder of data, with things in it that are easily lost."""
    folder = tmp_path / "digits"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.csv").write_text("1,2\n")
    (folder / "deep" / "er" / "ü b.csv").write_text("3,4\n")
    (folder / "empty.txt").write_text("")
    (folder / ".gitignore").write_text("*.csv\n")
    return folder


def files_below(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_data_goes_up_and_comes_down_unchanged(workspace, digits, tmp_path):
    made = workspace.data.create(
        name="digits", path=digits, description="hand-written", tags={"a": "b"}
    )
    assert (made.name, made.version, made.type) == ("digits", "1", "uri_folder")
    shown = workspace.data.show("digits")
    assert (shown.description, dict(shown.tags), shown.archived) == (
        "hand-written",
        {"a": "b"},
        False,
    )
    place = workspace.data.download("digits", tmp_path / "down")
    assert place.name == "digits"
    assert files_below(place) == files_below(digits)


def test_one_file_is_a_file(workspace, digits, tmp_path):
    assert workspace.data.create(name="one", path=digits / "a.csv").type == "uri_file"
    place = workspace.data.download("one", tmp_path / "down")
    assert (place.name, place.read_text()) == ("a.csv", "1,2\n")


def test_an_address_is_noted_and_not_fetched(workspace):
    uri = "azureml://datastores/workspaceblobstore/paths/in/"
    made = workspace.data.create(name="remote", path=uri, type="uri_folder")
    assert made.spec["path"] == uri


def test_versions_count_up_from_one(workspace, digits):
    versions = [workspace.data.create(name="digits", path=digits).version for _ in range(3)]
    assert versions == ["1", "2", "3"]
    assert [each.version for each in workspace.data.list("digits")] == ["3", "2", "1"]
    assert workspace.data.create(name="digits", path=digits, version="9").version == "9"
    assert workspace.data.create(name="digits", path=digits).version == "10"


def test_a_version_keeps_its_content(workspace, digits):
    workspace.data.create(name="digits", path=digits, version="1")
    assert workspace.data.create(name="digits", path=digits, version="1").version == "1"
    (digits / "a.csv").write_text("other")
    with pytest.raises(Conflict):
        workspace.data.create(name="digits", path=digits, version="1")
    assert len(workspace.data.list("digits")) == 1


def test_unchanged_data_is_no_new_version_when_asked(workspace, digits):
    create = workspace.data.create
    assert create(name="digits", path=digits, if_changed=True).version == "1"
    assert create(name="digits", path=digits, if_changed=True).version == "1"
    (digits / "a.csv").write_text("other")
    assert create(name="digits", path=digits, if_changed=True).version == "2"


def test_progress_counts_every_file(workspace, digits):
    seen = []
    workspace.data.create(
        name="digits", path=digits, progress=lambda count, size: seen.append((count, size))
    )
    assert seen[-1][0] == 4
    assert seen == sorted(seen)


@pytest.fixture
def labelled(tmp_path):
    """A folder of 20 files in two labels, and one that is in none."""
    folder = tmp_path / "labelled"
    for label, count in (("cat", 12), ("dog & ü", 8)):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            (folder / label / f"{number}.txt").write_text(f"{label} {number}")
    (folder / "README").write_text("labels")
    return folder


def paths_of(workspace, reference, place):
    return sorted(files_below(workspace.data.download(reference, place)))


def test_a_diff_names_what_was_added_removed_and_changed(workspace, digits):
    workspace.data.create(name="digits", path=digits)
    (digits / "a.csv").write_text("9,2\n")
    (digits / "empty.txt").write_text("not any more")
    (digits / "deep" / "er" / "ü b.csv").unlink()
    (digits / "new.csv").write_text("5")
    workspace.data.create(name="digits", path=digits)
    found = workspace.data.diff("digits:1", "digits:2")
    assert [(each.change, each.path, each.size_before, each.size_after) for each in found] == [
        ("changed", "a.csv", 4, 4),
        ("removed", "deep/er/ü b.csv", 4, None),
        ("changed", "empty.txt", 0, 12),
        ("added", "new.csv", None, 1),
    ]
    assert list(workspace.data.diff("digits:2", "digits")) == []


def test_a_diff_of_single_files_and_of_what_is_not_there(workspace, digits):
    workspace.data.create(name="one", path=digits / "a.csv")
    (digits / "a.csv").write_text("8,2\n")
    workspace.data.create(name="one", path=digits / "a.csv")
    (change,) = workspace.data.diff("one:1", "one:2")
    assert (change.change, change.size_after) == ("changed", 4)
    with pytest.raises(NotFound):
        workspace.data.diff("one:1", "one:3")


def test_a_diff_knows_a_datastore_s_files_too(workspace, digits):
    store = workspace.datastores.list()[0].name
    for number in ("1", "2"):
        workspace.datastores.upload(store, digits, target=f"in/{number}")
        (digits / "a.csv").write_text("7,2\n")
        uri = f"azureml://datastores/{store}/paths/in/{number}/"
        workspace.data.create(name="remote", path=uri, type="uri_folder")
    (change,) = workspace.data.diff("remote:1", "remote:2")
    assert (change.change, change.path) == ("changed", "a.csv")


def test_a_split_parts_the_files_the_same_everywhere(workspace, labelled, tmp_path):
    workspace.data.create(name="all", path=labelled)
    one, other = workspace.data.split("all", ("fit", "val"), fraction=0.7, seed=123)
    assert [one.reference, other.reference] == ["fit:1", "val:1"]
    assert (one.type, dict(one.tags)) == ("uri_folder", {"split_from": "all:1", "seed": "123"})
    fit = paths_of(workspace, "fit", tmp_path / "fit")
    val = paths_of(workspace, "val", tmp_path / "val")
    assert sorted(fit + val) == sorted(files_below(labelled))
    assert val == [
        "README",
        "cat/0.txt",
        "cat/10.txt",
        "cat/2.txt",
        "cat/6.txt",
        "dog & ü/3.txt",
    ]
    again, _ = workspace.data.split("all", ("fit", "val"), fraction=0.7, seed=123)
    assert again.version == "2"
    assert list(workspace.data.diff("fit:1", "fit:2")) == []


def test_a_stratified_split_takes_of_every_folder(workspace, labelled, tmp_path):
    workspace.data.create(name="all", path=labelled)
    workspace.data.split("all", ("fit", "val"), fraction=0.75, stratify=True)
    fit = paths_of(workspace, "fit", tmp_path / "fit")
    assert [sum(each.startswith(label) for each in fit) for label in ("cat/", "dog")] == [9, 6]


def test_a_split_that_makes_no_sense_registers_nothing(workspace, labelled):
    workspace.data.create(name="all", path=labelled)
    workspace.data.create(name="one", path=labelled / "README")
    with pytest.raises(UsageError):
        workspace.data.split("all", ("same", "same"))
    with pytest.raises(UsageError):
        workspace.data.split("all", ("fit", "val"), fraction=2)
    with pytest.raises(UsageError):
        workspace.data.split("one", ("fit", "val"))
    with pytest.raises(NotFound):
        workspace.data.split("nothing", ("fit", "val"))
    assert sorted(each.name for each in workspace.data.list()) == ["all", "one"]


def test_a_sample_is_the_same_choice_everywhere(workspace, labelled, tmp_path):
    workspace.data.create(name="all", path=labelled)
    found = workspace.data.sample("all", tmp_path / "some", take=5, seed=1)
    assert [(each.path, each.size) for each in found] == [
        ("cat/0.txt", 5),
        ("cat/6.txt", 5),
        ("cat/7.txt", 5),
        ("cat/8.txt", 5),
        ("dog & ü/4.txt", 10),
    ]
    assert files_below(tmp_path / "some") == {
        each.path: (labelled / each.path).read_bytes() for each in found
    }
    with pytest.raises(Conflict):
        workspace.data.sample("all", tmp_path / "some", take=5, seed=1)


def test_a_preview_shows_the_first_rows_of_a_table(workspace, tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "a.csv").write_text("n,when\n1,2024-03-01\n2,2024-03-02\n")
    (folder / "b.csv").write_text("n,place\n3,here\n")
    (folder / "notes.txt").write_text("no table")
    workspace.data.create(name="tables", path=folder)
    workspace.data.create(name="one", path=folder / "a.csv")
    found = workspace.data.preview("tables", take=3)
    assert (found.columns, [row["n"] for row in found.rows], found.more) == (
        ("n", "when", "place"),
        [1, 2, 3],
        False,
    )
    assert (len(workspace.data.preview("tables", take=2).rows), found.rows[2]["place"]) == (
        2,
        "here",
    )
    one = workspace.data.preview("one", take=1)
    assert (dict(one.rows[0]), one.more) == ({"n": 1, "when": "2024-03-01"}, True)


def test_a_preview_counts_pictures_by_label_and_lists_other_files(workspace, tmp_path):
    folder = tmp_path / "pictures"
    for label, count in (("cat", 3), ("dog", 2)):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            (folder / label / f"{number}.png").write_bytes(b"not looked at")
    workspace.data.create(name="pictures", path=folder)
    found = workspace.data.preview("pictures")
    assert (found.pictures, dict(found.labels)) == (5, {"cat": 3, "dog": 2})
    (tmp_path / "other" / "deep").mkdir(parents=True)
    (tmp_path / "other" / "deep" / "a.bin").write_bytes(b"12345")
    workspace.data.create(name="other", path=tmp_path / "other")
    rows = workspace.data.preview("other").rows
    assert [dict(row) for row in rows] == [{"path": "deep/a.bin", "size": 5}]


def test_a_preview_follows_an_mltable_file_and_an_address(workspace, tmp_path):
    folder = tmp_path / "table"
    folder.mkdir()
    (folder / "MLTable").write_text(
        "paths:\n- file: ./a.csv\ntransformations:\n- read_delimited:\n    delimiter: ';'\n- take: 1\n"
    )
    (folder / "a.csv").write_text("a;b\n1;x\n2;y\n")
    workspace.data.create(name="table", path=folder, type="mltable")
    found = workspace.data.preview("table")
    assert ([dict(row) for row in found.rows], found.more) == ([{"a": 1, "b": "x"}], False)
    store = workspace.datastores.list()[0].name
    workspace.datastores.upload(store, folder / "a.csv", target="in")
    found = workspace.data.preview(f"azureml://datastores/{store}/paths/in/a.csv")
    assert [dict(row) for row in found.rows] == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    with pytest.raises(NotFound):
        workspace.data.preview(f"azureml://datastores/{store}/paths/in/b.csv")


def test_what_is_not_there_is_not_found_with_a_suggestion(workspace, digits):
    workspace.data.create(name="digits", path=digits)
    with pytest.raises(NotFound) as caught:
        workspace.data.show("digit")
    assert caught.value.hint == "did you mean `digits`?"
    with pytest.raises(NotFound):
        workspace.data.show("digits:7")
    with pytest.raises(NotFound):
        workspace.data.archive("nothing")
    with pytest.raises(NotFound):
        workspace.jobs.show("nothing")
    with pytest.raises(NotFound):
        workspace.datastores.show("nothing")
    with pytest.raises(NotFound):
        workspace.models.show("nothing")
    with pytest.raises(NotFound):
        workspace.data.create(name="d", path=digits / "missing")


def test_a_compute_that_is_not_there_is_not_found(workspace):
    with pytest.raises(NotFound):
        workspace.computes.show("nothing")


def test_an_empty_workspace_lists_nothing(workspace):
    assert list(workspace.data.list()) == []
    assert list(workspace.models.list()) == []
    assert list(workspace.components.list()) == []
    assert list(workspace.environments.list()) == []
    assert list(workspace.jobs.list()) == []


def test_a_version_can_be_described_otherwise(workspace, digits):
    made = workspace.data.create(name="digits", path=digits, description="old", tags={"a": "b"})
    changed = workspace.backend.assets.describe(made, description="new", tags={"c": "d"})
    assert (changed.description, dict(changed.tags)) == ("new", {"c": "d"})
    shown = workspace.data.show("digits:1")
    assert (shown.description, dict(shown.tags)) == ("new", {"c": "d"})
    assert shown.spec["path"] == made.spec["path"]


def test_archived_versions_hide_and_come_back(workspace, digits):
    workspace.data.create(name="digits", path=digits)
    workspace.data.create(name="digits", path=digits)
    workspace.data.archive("digits:2")
    assert workspace.data.show("digits").version == "1"
    assert workspace.data.show("digits:2").archived
    assert [each.version for each in workspace.data.list("digits")] == ["1"]
    listed = workspace.data.list("digits", archived=True)
    assert [each.version for each in listed] == ["2", "1"]
    workspace.data.archive("digits:2", archived=False)
    assert workspace.data.show("digits@latest").version == "2"


def test_an_archived_name_hides_from_the_list_of_names(workspace, digits):
    workspace.data.create(name="digits", path=digits)
    workspace.data.archive("digits")
    assert list(workspace.data.list()) == []
    assert [each.name for each in workspace.data.list(archived=True)] == ["digits"]
    workspace.data.archive("digits", archived=False)
    assert [each.name for each in workspace.data.list()] == ["digits"]


def test_an_environment_is_one_version_for_one_content(workspace):
    register = workspace.environments.register
    conda = {"channels": ["conda-forge"], "dependencies": ["python=3.11", {"pip": ["numpy"]}]}
    assert register("train", conda, image="ubuntu:22.04").version == "1"
    assert register("train", conda, image="ubuntu:22.04").version == "1"
    changed = {**conda, "dependencies": ["python=3.12"]}
    assert register("train", changed, image="ubuntu:22.04").version == "2"
    spec = workspace.environments.show("train:1").spec
    assert (spec["image"], spec["conda_file"]) == ("ubuntu:22.04", conda)


COMPONENT = """
type: command
name: train
description: trains
command: python train.py --lr ${{inputs.lr}}
code: ./src
environment: azureml:e:1
inputs: {lr: {type: number, default: 0.1}}
"""


@pytest.fixture
def component(tmp_path, workspace):
    workspace.environments.register("e", {"dependencies": ["python"]}, image="ubuntu:22.04")
    source = tmp_path / "src"
    source.mkdir()
    (source / "train.py").write_text("print(1)")
    (source / "junk.log").write_text("junk")
    (source / ".amlignore").write_text("*.log\n")
    (tmp_path / "train.yml").write_text(COMPONENT)
    return tmp_path / "train.yml"


def test_a_component_changes_with_its_code_and_not_with_what_is_ignored(workspace, component):
    register = workspace.components.register
    assert register(component).reference == "train:1"
    (component.parent / "src" / "junk.log").write_text("other junk")
    assert register(component).reference == "train:1"
    (component.parent / "src" / "train.py").write_text("print(2)")
    assert register(component).reference == "train:2"
    with pytest.raises(Conflict):
        register(component, version="1")
    shown = workspace.components.show("train:1")
    assert shown.description == "trains"
    assert shown.spec["command"] == "python train.py --lr ${{inputs.lr}}"
    assert shown.spec["environment"] == "azureml:e:1"


def test_a_secret_in_the_code_is_refused(workspace, component):
    key = "AccountKey=" + "a" * 86 + "=="
    (component.parent / "src" / "settings.py").write_text(f'C = "AccountName=x;{key}"\n')
    with pytest.raises(AmlkitError, match=r"settings\.py:1"):
        workspace.components.register(component)
    assert list(workspace.components.list()) == []


def test_a_model_is_stored_and_comes_down(workspace, digits, tmp_path):
    made = workspace.models.register(name="m", path=digits, tags={"k": "v"})
    assert (made.version, made.type, dict(made.tags)) == ("1", "custom_model", {"k": "v"})
    place = workspace.models.download("m", tmp_path / "down")
    assert files_below(place) == files_below(digits)
    (digits / "MLmodel").write_text("flavors: {}")
    assert workspace.models.register(name="m", path=digits).type == "mlflow_model"
    assert [each.version for each in workspace.models.list("m")] == ["2", "1"]


def test_files_go_into_a_datastore_and_come_back(workspace, digits, tmp_path):
    stores = workspace.datastores
    default = stores.list()[0]
    assert (default.name, default.is_default) == ("workspaceblobstore", True)
    assert len(stores.upload(default.name, digits, target="in").copied) == 4
    assert [each.path for each in stores.files(default.name, "in")] == [
        "in/.gitignore",
        "in/a.csv",
        "in/deep/er/ü b.csv",
        "in/empty.txt",
    ]
    assert len(stores.download(default.name, "in", tmp_path / "all").copied) == 4
    assert files_below(tmp_path / "all") == files_below(digits)
    assert stores.download(default.name, "in/a.csv", tmp_path / "one").copied == ("a.csv",)
    assert (tmp_path / "one" / "a.csv").read_text() == "1,2\n"
    with pytest.raises(NotFound):
        stores.download(default.name, "out", tmp_path / "none")
    with pytest.raises(UsageError):
        stores.files(default.name, "../..")
    with pytest.raises(Conflict):
        stores.delete(default.name)


def test_what_is_asked_for_wrongly_is_a_usage_error(workspace, digits):
    with pytest.raises(UsageError):
        workspace.data.create(name="no spaces", path=digits)
    with pytest.raises(UsageError):
        workspace.data.show("digits@newest")
    with pytest.raises(UsageError):
        workspace.jobs.list(status="Done")
    with pytest.raises(UsageError):
        workspace.models.register(name="m", path=digits, type="onnx")
