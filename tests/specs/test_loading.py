"""Specs: every problem at once, each at its place, with a remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amlkit import specs
from amlkit.errors import InvalidSpec
from amlkit.specs.loading import _without_plugins

COMMAND = "type: command\ncommand: echo ${{inputs.x}}\nenvironment: azureml:e@latest\n"


def problems(text: str, **more: object) -> dict[str, tuple[str, int]]:
    with pytest.raises(InvalidSpec) as caught:
        specs.load("-", text=text, **more)
    return {each.path: (each.code, each.line) for each in caught.value.problems}


def test_all_problems_of_a_file_are_told_at_once():
    found = problems(
        "type: command\ncommnd: x\nlimits:\n  timeout: 1h\nenvironment: azureml:e@latest\n"
    )
    assert found == {
        "commnd": ("unknown-field", 2),
        "command": ("missing-field", 1),
        "limits.timeout": ("wrong-type", 4),
    }


def test_a_mistyped_field_names_the_closest_one():
    with pytest.raises(InvalidSpec) as caught:
        specs.load("-", text="type: command\ncommnd: x\nenvironment: azureml:e@latest\n")
    hints = {each.path: each.hint for each in caught.value.problems}
    assert hints["commnd"] == "did you mean `command`?"


def test_an_undefined_input_is_found_and_lenient_makes_it_a_warning():
    text = COMMAND + "inputs: {y: 1}\n"
    assert problems(text) == {"command": ("undefined-name", 2)}
    loaded = specs.load("-", text=text, lenient=True)
    assert [each.code for each in loaded.warnings] == ["undefined-name"]


def test_a_key_that_is_there_twice_is_an_error_at_the_second():
    assert problems(COMMAND + "inputs: {x: 1}\nname: a\nname: b\n") == {
        "name": ("duplicate-key", 6)
    }


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1e-4", 0.0001),
        ("1E5", 100000.0),
        ("0.1", 0.1),
        ("'1e-4'", "1e-4"),
        ("10", 10),
        ("yes", True),
    ],
)
def test_scalars_are_what_people_mean(written, read):
    loaded = specs.load("-", text=COMMAND + f"inputs:\n  x: {written}\n")
    assert loaded.document["inputs"]["x"] == read
    assert type(loaded.document["inputs"]["x"]) is type(read)


def test_an_override_is_checked_like_the_file_and_named():
    with pytest.raises(InvalidSpec) as caught:
        specs.load("-", text=COMMAND + "inputs: {x: 1}\n", overrides=["limits.timeout=soon"])
    assert [(each.file, each.path) for each in caught.value.problems] == [
        ("--set", "limits.timeout")
    ]
    loaded = specs.load("-", text=COMMAND + "inputs: {x: 1}\n", overrides=["inputs.x=2"])
    assert loaded.model.inputs == {"x": 2}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n- b\n",
        "a: [1, 2\n",
        "a:\n\t- b\n",
        "\x00",
        "a: &a [*a]\n",
        "a: &x [1,1,1,1,1,1,1,1]\nb: &y [*x,*x,*x,*x,*x,*x,*x,*x]\nc: &z [*y,*y,*y,*y,*y,*y,*y,*y]\n"
        "d: &w [*z,*z,*z,*z,*z,*z,*z,*z]\ne: &v [*w,*w,*w,*w,*w,*w,*w,*w]\n"
        "f: &u [*v,*v,*v,*v,*v,*v,*v,*v]\ng: [*u,*u,*u,*u,*u,*u,*u,*u]\n",
        "a: " + "[" * 5000,
        "type: 5\ncommand: [1]\n",
        "type: sweep\ntrial: 3\nsearch_space: 4\nobjective: x\nlimits: 1\n",
    ],
)
def test_no_text_gets_anything_but_a_problem(text):
    with pytest.raises(InvalidSpec):
        specs.load("-", text=text)


def test_bom_and_windows_lines_are_read(tmp_path):
    path = tmp_path / "größe job.yml"
    path.write_bytes(
        b"\xef\xbb\xbf" + COMMAND.replace("\n", "\r\n").encode() + b"inputs: {x: 1}\r\n"
    )
    assert specs.load(path).kind == "job.command"


SWEEP = """type: sweep
trial: {command: 'echo ${{search_space.a}}', environment: 'azureml:e@latest'}
search_space:
  a: SPACE
objective: {goal: maximize, primary_metric: m}
limits: {max_total_trials: 2}
"""


@pytest.mark.parametrize(
    ("space", "code"),
    [
        ("{type: uniform, min_value: 2, max_value: 1}", "range"),
        ("{type: uniform, min_value: 2}", "missing-field"),
        ("{type: quniform, min_value: 0, max_value: 1}", "missing-field"),
        ("{type: unifrom, min_value: 0, max_value: 1}", "unknown-word"),
        ("{type: choice, values: [1], q: 2}", "unknown-field"),
    ],
)
def test_search_spaces_that_cannot_be_are_refused(space, code):
    assert {each[0] for each in problems(SWEEP.replace("SPACE", space)).values()} == {code}


def test_validate_prints_every_problem_and_exits_2(amlkit, tmp_path):
    (tmp_path / "bad.yml").write_text("type: command\ncommnd: x\n")
    (tmp_path / "good.yml").write_text(COMMAND + "inputs: {x: 1}\n")
    done = amlkit("validate", "good.yml", "bad.yml", "-o", "json")
    assert done.returncode == 2
    verdicts = {each["file"]: each for each in json.loads(done.stdout)}
    assert verdicts["good.yml"]["valid"] is True
    assert {each["code"] for each in verdicts["bad.yml"]["problems"]} >= {"unknown-field"}
    assert "bad.yml:2:1: commnd: unknown field `commnd`" in done.stderr
    assert amlkit("validate", "good.yml").returncode == 0


def test_the_schema_of_a_kind_is_json_schema(amlkit):
    schema = json.loads(amlkit("validate", "--schema", "job.sweep").stdout)
    assert "search_space" in schema["properties"]


CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus"
READ = {
    "load_job": "job",
    "load_component": "component",
    "load_data": "data",
    "load_environment": "environment",
    "load_model": "model",
}


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real files is not here")
def test_no_probe_crashes_and_verdicts_mostly_agree_with_the_sdk():
    import csv

    agree = total = 0
    table = (CORPUS / "probes" / "verdicts.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(table.splitlines()):
        if row["loader"] not in READ:
            continue
        try:
            specs.load(CORPUS / "probes" / f"p_{row['id']}.yml", kind=READ[row["loader"]])
            accepted, other_kind = True, False
        except InvalidSpec as error:
            accepted = False
            other_kind = {each.code for each in error.problems} == {"kind"}
        if not other_kind:
            total += 1
            agree += accepted == (row["sdk_accepts"] == "yes")
    assert total > 150
    assert agree / total > 0.83


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: " + "[" * 100_000 + "]" * 100_000, "too-deep"),
        ("\n".join(" " * depth + "a:" for depth in range(400)), "too-deep"),
        (
            "a: &a [x,x,x,x]\n"
            + "".join(
                f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n"
                for n in range(9)
            ),
            "too-large",
        ),
        ("a: &a [*a]\n", "too-large"),
        ("a: '" + "x" * 2_000_000 + "'\n", "yaml"),
        ("<<: 3\na: 1\n", "yaml"),
        ("{a: 1}: 2\n", "yaml"),
        ("a: 2020-99-99\n", "yaml"),
        ("a: !!float x\n", "yaml"),
    ],
    ids=["deep list", "deep mapping", "bomb", "endless", "scalar", "merge", "key", "date", "tag"],
)
def test_what_is_not_reasonable_is_refused_before_it_is_built(text, code):
    with pytest.raises(InvalidSpec) as caught:
        specs.load("-", kind="job", text=text)
    assert {each.code for each in caught.value.problems} == {code}
    assert caught.value.problems[0].line > 0


ODD = """type: command
command: python ${{inputs.a}} ${{inputs.zz}} ${{outputs.o}}
code: ./nowhere
environment: azureml:base@latest
inputs:
  a: [1]
  b: {type: uri_foldr}
outputs: {o: {type: 7}}
environment_variables: {X.Y: [1]}
tags: [a]
"""


@pytest.mark.parametrize("kind", ["job.command", "component.command"])
def test_what_is_well_formed_is_checked_beside_what_is_not(tmp_path, kind):
    (tmp_path / "odd.yml").write_text(ODD, encoding="utf-8")
    with pytest.raises(InvalidSpec) as refused:
        specs.load(tmp_path / "odd.yml", kind=kind)
    found = [(each.line, each.path, each.code) for each in refused.value.problems]
    # `a`, `b` and `o` are there, whatever is wrong with them.
    assert found == [
        (2, "command", "undefined-name"),
        (3, "code", "missing-path"),
        (6, "inputs.a", "wrong-type"),
        (7, "inputs.b.type", "unknown-word"),
        (8, "outputs.o.type", "wrong-type"),
        (9, "environment_variables.X.Y", "wrong-type"),
        (10, "tags", "wrong-type"),
    ]
    assert refused.value.problems[2].message == "expected a mapping, got a list"


def test_a_command_without_a_command_is_checked_as_far_as_it_goes(tmp_path):
    (tmp_path / "odd.yml").write_text("type: command\ncode: ./nowhere\n", encoding="utf-8")
    with pytest.raises(InvalidSpec) as refused:
        specs.load(tmp_path / "odd.yml")
    assert {each.path for each in refused.value.problems} == {"command", "environment", "code"}


def test_without_a_field_that_is_needed_a_sweep_is_told_its_shape_alone(tmp_path):
    (tmp_path / "odd.yml").write_text("type: sweep\ninputs: [1]\n", encoding="utf-8")
    with pytest.raises(InvalidSpec) as refused:
        specs.load(tmp_path / "odd.yml")
    assert "inputs" in {each.path for each in refused.value.problems}
    assert {each.code for each in refused.value.problems} == {"missing-field", "wrong-type"}


def test_two_threads_may_load_for_the_first_time_at_once(monkeypatch):
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS", raising=False)

    with _without_plugins():
        # What a thread does when it is done that began at the same moment.
        monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS")
