"""Step reuse, and what `job why` says of it."""

from __future__ import annotations

import json

from tests.pipelines.conftest import out, step


def chain(pipelines, **more):
    pipelines.write(
        {"a": step("a"), "b": step("b", out("a"), code="./own"), "c": step("c", out("b"))}, **more
    )


def own_code(folder):
    (folder / "own").mkdir()
    text = (folder / "src" / "step.py").read_text(encoding="utf-8")
    (folder / "own" / "step.py").write_text(text, encoding="utf-8")


def ran(job):
    """Return the names of the steps that were run, not reused."""
    return [name for name, each in job["jobs"].items() if "reused_from" not in each]


def test_an_unchanged_pipeline_runs_nothing_again(pipelines, tmp_path):
    own_code(tmp_path)
    chain(pipelines)
    assert ran(pipelines.run("p")) == ["a", "b", "c"]
    second = pipelines.run("q")
    assert ran(second) == []
    assert second["jobs"]["c"]["reused_from"] == "p-c"
    assert pipelines.text("q/c") == "c(b(a()))"
    third = pipelines.run("r")
    assert third["jobs"]["c"]["reused_from"] == "p-c"


def test_touching_an_ignored_file_reuses(pipelines, tmp_path):
    own_code(tmp_path)
    (tmp_path / "own" / ".amlignore").write_text("*.tmp\n", encoding="utf-8")
    chain(pipelines)
    pipelines.run("p")
    (tmp_path / "own" / "notes.tmp").write_text("ignored", encoding="utf-8")
    assert ran(pipelines.run("q")) == []


def test_one_changed_byte_runs_that_step_and_its_descendants_only(pipelines, amlkit, tmp_path):
    own_code(tmp_path)
    chain(pipelines)
    pipelines.run("p")
    with (tmp_path / "own" / "step.py").open("a", encoding="utf-8") as handle:
        handle.write("#")
    assert ran(pipelines.run("q")) == ["b", "c"]
    why = json.loads(amlkit("job", "why", "q", "b").stdout)
    assert why["changes"] == [{"what": "code", "file": "step.py", "how": "changed"}]
    why = json.loads(amlkit("job", "why", "q", "c").stdout)
    assert why["changes"] == [{"what": "inputs.i0", "before": "p-b/out", "after": "q-b/out"}]
    why = json.loads(amlkit("job", "why", "q", "a").stdout)
    assert why["reused"] == "p-a"


def test_a_changed_input_is_told_with_both_values(pipelines, amlkit):
    pipelines.write({"a": step("a", "${{parent.inputs.n}}")}, inputs={"n": 1})
    pipelines.run("p")
    assert ran(pipelines.run("q", "--set", "inputs.n=2")) == ["a"]
    why = json.loads(amlkit("job", "why", "q", "a").stdout)
    assert why["changes"] == [{"what": "inputs.i0", "before": 1, "after": 2}]


def test_a_changed_data_file_is_named(pipelines, amlkit, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "data.txt").write_text("1", encoding="utf-8")
    data = {"type": "uri_folder", "path": "./data"}
    pipelines.write({"a": step("a", "${{parent.inputs.d}}")}, inputs={"d": data})
    pipelines.run("p")
    (tmp_path / "data" / "data.txt").write_text("2", encoding="utf-8")
    (tmp_path / "data" / "more.txt").write_text("", encoding="utf-8")
    assert ran(pipelines.run("q")) == ["a"]
    why = json.loads(amlkit("job", "why", "q", "a").stdout)
    assert why["changes"] == [
        {"what": "inputs.i0", "file": "data.txt", "how": "changed"},
        {"what": "inputs.i0", "file": "more.txt", "how": "added"},
    ]


def test_force_rerun_and_is_deterministic_run_again(pipelines):
    again = step("b", out("a"))
    ports = {"inputs": {"i0": {"type": "uri_folder"}}, "outputs": again["outputs"]}
    component = {**again, **ports, "is_deterministic": False}
    pipelines.write(
        {
            "a": step("a"),
            "b": {"type": "command", "component": component, "inputs": {"i0": out("a")}},
        }
    )
    pipelines.run("p")
    assert ran(pipelines.run("q")) == ["b"]
    assert ran(pipelines.run("r", "--force-rerun")) == ["a", "b"]
    assert ran(pipelines.run("s", "--set", "settings.force_rerun=true")) == ["a", "b"]


def test_an_output_that_was_changed_is_not_reused(pipelines, amlkit, tmp_path):
    pipelines.write({"a": step("a"), "b": step("b", out("a"))})
    pipelines.run("p")
    written = next((tmp_path / "home").rglob("p-a/out/data.txt"))
    written.chmod(0o644)
    written.write_text("damaged", encoding="utf-8")
    assert ran(pipelines.run("q")) == ["a", "b"]
    why = json.loads(amlkit("job", "why", "q", "a").stdout)
    assert why["why"] == "output `out` of `p-a` was changed"
    assert pipelines.text("q/b") == "b(a())"


def test_only_one_step_runs_on_what_an_earlier_run_left(pipelines):
    pipelines.write({"a": step("a"), "b": step("b", out("a")), "c": step("c", out("b"))})
    pipelines.run("p")
    job = pipelines.run("q", "--only", "b")
    assert list(job["jobs"]) == ["b"]
    assert ran(job) == ["b"]
    assert pipelines.text("q/b") == "b(a())"


def test_from_a_step_runs_it_and_what_follows(pipelines):
    pipelines.write({"a": step("a"), "b": step("b", out("a")), "c": step("c", out("b"))})
    pipelines.run("p")
    job = pipelines.run("q", "--from", "b", "--reuse-from", "p")
    assert ran(job) == ["b", "c"]
    assert pipelines.text("q/c") == "c(b(a()))"


def test_only_without_an_earlier_run_says_so(pipelines):
    pipelines.write({"a": step("a"), "b": step("b", out("a"))})
    done = pipelines.submit("q", "--only", "b")
    assert done.returncode == 3
    assert "no earlier run of this pipeline has completed `a`" in done.stderr
    done = pipelines.submit("q", "--only", "bb")
    assert done.returncode == 3
    assert "did you mean `b`?" in done.stderr
