"""`amlkit validate` through the real executable: many files, SARIF, excerpts."""

from __future__ import annotations

import json

import pytest

GOOD = "type: command\ncommand: echo\nenvironment: azureml:e:1\n"
BAD = "type: command\ncomand: echo\nenvironment: azureml:e:1\n"


@pytest.fixture
def files(tmp_path):
    for name, text in {"good.yml": GOOD, "bad.yml": BAD}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_missing_file_does_not_hide_the_others(amlkit, files):
    done = amlkit("validate", "bad.yml", "nowhere.yml", "good.yml", "-o", "json")
    assert done.returncode == 2
    verdicts = {each["file"]: each for each in json.loads(done.stdout)}
    assert verdicts["good.yml"]["valid"]
    assert verdicts["nowhere.yml"]["problems"][0]["code"] == "missing-file"
    assert verdicts["bad.yml"]["kind"] == "job.command"
    assert amlkit("validate", "good.yml", "nowhere.yml").returncode == 3


def test_sarif_names_the_rule_the_file_and_the_place(amlkit, files):
    done = amlkit("validate", "bad.yml", "good.yml", "-o", "sarif")
    assert done.returncode == 2
    run = json.loads(done.stdout)["runs"][0]
    found = [each for each in run["results"] if each["ruleId"] == "unknown-field"]
    place = found[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "bad.yml"
    assert place["region"] == {"startLine": 2, "startColumn": 1}
    assert run["tool"]["driver"]["rules"][found[0]["ruleIndex"]]["id"] == "unknown-field"
    assert "did you mean `command`?" in found[0]["message"]["text"]


def test_an_excerpt_points_at_the_column():
    from amlkit.errors import Problem
    from amlkit.output.problems import excerpt

    problem = Problem("x.yml", 2, 3, "a.b", "no")
    assert list(excerpt(["a:", "  b: 1"], problem)) == [" 2 |   b: 1", "   |   ^"]
    assert list(excerpt(["a:"], problem)) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("name: ep\nauth_mode: AMLToken\n", "online_endpoint.managed"),
        ("name: c\ntype: amlcompute\nsize: s\ntier: LowPriority\n", "compute.amlcompute"),
        (
            "name: d\ntype: azure_blob\naccount_name: a\ncontainer_name: c\n",
            "datastore.azure_blob",
        ),
        (
            "name: s\ntrigger: {type: cron, expression: 0 * * * *}\ncreate_job: azureml:j\n",
            "schedule.job",
        ),
        (
            "type: automl\ntask: regression\nprimary_metric: r2_score\ntarget_column_name: y\n"
            "training_data: {type: mltable, path: azureml:d:1}\n",
            "job.automl.regression",
        ),
        ("name: blue\nendpoint_name: ep\ninstance_type: S\n", "online_deployment.managed"),
        ("name: r\nlocation: eu\nreplication_locations: [{location: eu}]\n", "registry"),
    ],
)
def test_kinds_are_found_from_content(amlkit, tmp_path, text, kind):
    (tmp_path / "x.yml").write_text(text, encoding="utf-8")
    done = amlkit("validate", "x.yml", "-o", "json")
    assert json.loads(done.stdout)[0]["kind"] == kind, done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("name: ep\ntraffic: {a: 90, b: 20}\nauth_mode: key\n", "2:10", "more than 100"),
        ("name: ep\nauth_mode: keys\n", "2:12", "`keys` is not known here"),
        ("name: ep\nauth_mode: key\ndescription:\n", "3:13", "expected a string, got nothing"),
        (
            "name: s\ntrigger: {type: cron, expression: x, start_time: 2022-07-10T10:00:00}\n"
            "create_job: azureml:j\n",
            "2:50",
            "this is a date of YAML",
        ),
    ],
)
def test_what_azure_refuses_is_refused_at_its_place(amlkit, tmp_path, text, where, message):
    (tmp_path / "x.yml").write_text(text, encoding="utf-8")
    done = amlkit("validate", "x.yml")
    assert done.returncode == 2
    assert f"x.yml:{where}: " in done.stderr
    assert message in done.stderr


def test_every_kind_has_a_schema(amlkit):
    from amlkit.specs import json_schema
    from amlkit.specs.kinds import KINDS

    for kind in KINDS:
        assert json_schema(kind)["type"] == "object", kind
    done = amlkit("validate", "--schema", "job.sweeep")
    assert done.returncode == 2
    assert "did you mean `job.sweep`?" in done.stderr
