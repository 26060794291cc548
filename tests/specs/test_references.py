from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlkit.specs.references import BadReference, Kind, Reference, is_local, parse

LONG = "azureml://subscriptions/s/resourcegroups/g/workspaces/w"
GOOD = {
    "azureml:mnist:1": Reference(Kind.ASSET, "mnist", "1"),
    "azureml:mnist@latest": Reference(Kind.ASSET, "mnist", label="latest"),
    "azureml:mnist": Reference(Kind.ASSET, "mnist"),
    "azureml:foo:18.04:2022": Reference(Kind.ASSET, "foo", "18.04:2022"),
    "azureml://registries/azureml/environments/sklearn-1.5/labels/latest": Reference(
        Kind.REGISTRY_ASSET, "sklearn-1.5", None, "latest", "azureml", "environments"
    ),
    "azureml://registries/r/models/m/versions/3": Reference(
        Kind.REGISTRY_ASSET, "m", "3", None, "r", "models"
    ),
    "azureml://registries/azureml/components/automl_hts_training": Reference(
        Kind.REGISTRY_ASSET, "automl_hts_training", owner="azureml", family="components"
    ),
    "azureml://datastores/d/paths/a/b.csv": Reference(Kind.DATASTORE, "d", path="a/b.csv"),
    "azureml://datastores/d": Reference(Kind.DATASTORE, "d", path=""),
    f"{LONG}/datastores/d/paths/a": Reference(Kind.DATASTORE, "d", owner="w", path="a"),
    f"{LONG}/data/x/versions/2": Reference(Kind.WORKSPACE_ASSET, "x", "2", None, "w", "data"),
    "azureml://locations/eu/workspaces/w/models/m/versions/1": Reference(
        Kind.WORKSPACE_ASSET, "m", "1", None, "w", "models"
    ),
    "azureml://jobs/j/outputs/model/paths/m.pkl": Reference(
        Kind.JOB_OUTPUT, "j", output="model", path="m.pkl"
    ),
    "runs:/abc/model": Reference(Kind.RUN, "abc", path="model"),
    "file:./env.yml": Reference(Kind.FILE, path="./env.yml"),
    "../src": Reference(Kind.FILE, path="../src"),
    "git+https://github.com/a/b": Reference(Kind.GIT, path="git+https://github.com/a/b"),
    "https://a.b/c": Reference(Kind.URL, path="https://a.b/c"),
    "wasbs://c@a.blob.core.windows.net/p": Reference(
        Kind.STORAGE, path="wasbs://c@a.blob.core.windows.net/p"
    ),
    "abfss://f@a.dfs.core.windows.net/p": Reference(
        Kind.STORAGE, path="abfss://f@a.dfs.core.windows.net/p"
    ),
    "azureml:/subscriptions/s/resourceGroups/g": Reference(
        Kind.ARM_ID, path="/subscriptions/s/resourceGroups/g"
    ),
}
BAD = {
    "azureml:": "azureml:NAME:VERSION",
    "azureml:mnist:": "azureml:NAME:VERSION",
    "azureml:mnist@": "azureml:NAME:VERSION",
    "azureml://datastore/d/paths/x": "did you mean `azureml://datastores/...`?",
    "azureml://datastores/d/path/x": "azureml://datastores/NAME/paths/PATH",
    "azureml://jobs/j/output/x": "azureml://jobs/NAME/outputs/OUTPUT/paths/PATH",
    "azureml://registries/r/environment/x": "did you mean `environments`?",
    f"{LONG}/dat/x/versions/1": "did you mean `data`?",
    "runs:abc": "runs:/RUN_ID/PATH",
    "https:///x": "https://HOST/PATH",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_reference_is_taken_apart(text):
    assert parse(text) == GOOD[text]


@pytest.mark.parametrize("text", BAD)
def test_an_ill_formed_one_is_refused_with_what_to_write(text):
    with pytest.raises(BadReference) as caught:
        parse(text)
    assert BAD[text] in caught.value.hint
    assert not is_local(text)


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda tail: f"azureml://{tail}"))
def test_no_text_is_too_odd(text):
    try:
        assert isinstance(parse(text), Reference)
    except BadReference as bad:
        assert bad.hint


def test_a_mistyped_reference_is_told_with_its_place(amlkit, tmp_path):
    (tmp_path / "job.yml").write_text(
        "type: command\ncommand: cat ${{inputs.d}}\nenvironment: azureml:e@latest\n"
        "inputs:\n  d: {type: uri_folder, path: 'azureml://datastore/x/paths/y'}\n",
        encoding="utf-8",
    )
    done = amlkit("validate", "job.yml")
    assert done.returncode == 2
    assert "job.yml:5:31: inputs.d.path: " in done.stderr
    assert "azureml://datastores/" in done.stderr
    assert amlkit("validate", "job.yml", "--lenient").returncode == 0


def test_what_is_put_beside_the_code_must_be_there_and_new(amlkit, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shared").mkdir()
    (tmp_path / "lib" / "shared").mkdir(parents=True)
    (tmp_path / "c.yml").write_text(
        "type: command\nname: c\nversion: 1\ncommand: echo\ncode: ./src\n"
        "environment: azureml:e@latest\n"
        "additional_includes: [./lib/shared, ./nowhere, ./lib]\n",
        encoding="utf-8",
    )
    done = amlkit("validate", "c.yml")
    assert "c.yml:7:23: additional_includes.0: `./lib/shared` would replace `./src/shared`" in (
        done.stderr
    )
    assert "additional_includes.1: `./nowhere` does not exist" in done.stderr
    assert "additional_includes.2" not in done.stderr


def test_an_output_of_a_job_is_an_input_of_another(amlkit, tmp_path):
    common = "type: command\nenvironment: azureml:e@latest\n"
    (tmp_path / "one.yml").write_text(
        common
        + "command: echo hello > ${{outputs.out}}/x.txt\noutputs: {out: {type: uri_folder}}\n",
        encoding="utf-8",
    )
    (tmp_path / "two.yml").write_text(
        common + "command: cat ${{inputs.x}}\n"
        "inputs: {x: {type: uri_file, path: azureml://jobs/one/outputs/out/paths/x.txt}}\n",
        encoding="utf-8",
    )
    run = ("--current-python", "--wait")
    assert amlkit("job", "submit", "one.yml", "--name", "one", *run).returncode == 0
    done = amlkit("job", "submit", "two.yml", "--name", "two", *run)
    assert done.returncode == 0, done.stderr
    assert amlkit("job", "logs", "two").stdout == "hello\n"
    wrong = amlkit(
        "job", "submit", "two.yml", *run, "--set", "inputs.x.path=azureml://jobs/one/outputs/o"
    )
    assert wrong.returncode == 3
    assert "job `one` has no output `o`" in wrong.stderr
