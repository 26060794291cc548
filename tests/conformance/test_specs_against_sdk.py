"""Every verdict of the SDK's own loaders on real files, against ours.

A file that the SDK takes and we refuse has to be listed in STRICTER with the reason; one that it
refuses and we take, in LAXER. A kind that amlkit does not read yet is counted, never skipped in
silence: READ_AT_LEAST holds how many files are compared.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from amlkit import specs
from amlkit.errors import InvalidSpec

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real files is not here"),
]

STRICTER = {
    "p_cmd_bind_optional_seg_undef.yml": "an undefined input raises only when the SDK submits",
    "p_cmd_dup_keys.yml": "of two equal keys, the SDK drops the first in silence",
    "p_sweep_no_search_space.yml": "the SDK crashes when it submits",
    "p_sweep_ss_uniform_minmax_swapped.yml": "an empty range gives no trial",
    "p_sweep_ss_choice_empty.yml": "nothing to choose from gives no trial",
    "p_sweep_ss_choice_novalues.yml": "nothing to choose from gives no trial",
    "p_sweep_ss_empty.yml": "the command uses a search space that is not there",
    "p_sweep_limits_zero.yml": "no trial at all",
    "p_sweep_cmd_undef_ss.yml": "the command uses a search space that is not there",
    "p_comp_unknown_key.yml": "the SDK drops a mistyped field in silence",
    "p_comp_compute_in_component.yml": "the SDK drops the field in silence",
    "unsupported_fields.yml": "the SDK drops a mistyped field in silence",
    "p_pipe_comp_abs.yml": "the absolute path in it is of another machine",
    "p_pipe_unknown_input.yml": "the SDK drops a mistyped input in silence",
    "p_pipe_min_violation.yml": "fails when the pipeline is submitted",
    "p_pipe_undef_parent_input.yml": "fails when the pipeline is submitted",
    "p_pipe_cycle.yml": "no step can ever start",
    "p_pipe_self_cycle.yml": "the step can never start",
    "p_pipe_undef_output_binding.yml": "fails when the pipeline is submitted",
    "p_pipe_inline_command_undef_input.yml": "fails when the pipeline is submitted",
    "3a_basic_pipeline/pipeline.yml": "`default_datestore` for `default_datastore`",
    "nyc_taxi_data_regression_with_pipeline_component/pipeline.yml": "an input that is not there",
}
LAXER = {
    "p_env_noname.yml": "`env create --name` can give the name",
}
FAMILIES = {
    "load_job": "job",
    "load_component": "component",
    "load_data": "data",
    "load_environment": "environment",
    "load_model": "model",
    "load_compute": "compute",
    "load_datastore": "datastore",
    "load_online_endpoint": "online_endpoint",
    "load_online_deployment": "online_deployment",
    "load_schedule": "schedule",
}
READ_AT_LEAST = 640
# What the corpus calls these; a flow of prompt flow is no spec of Azure ML's v2 YAML reference.
RENAMED = {"conda_file": "conda", "workspace_fragment": "workspace"}
NO_SPEC = {"promptflow.flow"}
MISSING = {"missing-path", "missing-component"}


def table(folder: str) -> list[dict[str, str]]:
    with (CORPUS / folder / "verdicts.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def cases() -> list[tuple[Path, str, bool]]:
    if not CORPUS.is_dir():
        return []
    found = []
    for row in table("probes"):
        path = CORPUS / "probes" / f"p_{row['id']}.yml"
        if row["loader"] in FAMILIES and path.exists():
            found.append((path, FAMILIES[row["loader"]], row["sdk_accepts"] == "yes"))
    for row in table("specs"):
        path = CORPUS / "specs" / row["path"]
        kind = RENAMED.get(row["kind"], row["kind"])
        if (row["sdk_accepts"] == "n/a" and kind != "conda") or kind in NO_SPEC:
            continue
        if not path.exists():
            continue
        accepted = "yes" in {row["sdk_accepts"], row["accepts_with_cli_overrides"]}
        found.append((path, kind, accepted or kind == "conda"))
    return found


def listed(path: Path, names: dict[str, str]) -> bool:
    return any(path.as_posix().endswith(f"/{name}") for name in names)


def codes(path: Path, kind: str) -> set[str]:
    """Return the codes of the errors in a file, without files that the corpus leaves out."""
    try:
        specs.load(path, kind=kind)
    except InvalidSpec as error:
        return {each.code for each in error.problems if each.severity == "error"}
    return set()


def test_what_the_sdk_takes_is_taken_and_what_it_refuses_is_refused():
    wrong, compared = [], 0
    for path, kind, accepted in cases():
        # The corpus says "placeholders only": a missing sibling is not a verdict of the language.
        found = codes(path, kind)
        compared += 1
        if path.parent.name != "probes":
            found -= MISSING
        if accepted and found and not listed(path, STRICTER):
            wrong.append(f"refused: {path}: {sorted(found)}")
        if not accepted and not codes(path, kind) and not listed(path, LAXER):
            wrong.append(f"taken: {path}")
    assert wrong == []
    assert compared >= READ_AT_LEAST


def test_the_lists_name_only_files_that_still_differ():
    for path, kind, accepted in cases():
        if listed(path, STRICTER) and accepted:
            assert codes(path, kind), f"{path.name} is taken now: delete it from STRICTER"
        if listed(path, LAXER):
            assert not codes(path, kind), f"{path.name} is refused now: delete it from LAXER"
