"""Random parallel steps against what the rules say of them."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlkit.local.parallel_runner import schedule

# Each mini-batch does what its first file says; `raise 2` fails twice and then goes on.
SCRIPT = """
import os, sys
def init(): pass
def run(batch):
    word, count = open(batch[0]).read().split()
    mark = "tries-" + os.path.basename(batch[0])
    with open(mark, "a") as file: file.write("x")
    tries = os.path.getsize(mark)
    if word == "raise" and tries <= int(count): raise ValueError("no")
    if word == "die" and tries <= int(count): os._exit(9)
    if word == "short": return batch[int(count):]
    return [os.path.basename(each) for each in batch]
"""
WORDS = st.tuples(st.sampled_from(["fine", "fine", "raise", "die", "short"]), st.integers(0, 3))


@pytest.mark.slow
@given(
    words=st.lists(WORDS, min_size=1, max_size=7),
    size=st.integers(1, 3),
    retries=st.integers(0, 2),
    batches_allowed=st.integers(-1, 3),
    items_allowed=st.integers(-1, 5),
    workers=st.integers(1, 3),
)
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_fails_is_counted_as_the_rules_say(
    tmp_path_factory, words, size, retries, batches_allowed, items_allowed, workers
):
    root = tmp_path_factory.mktemp("step")
    (root / "data").mkdir()
    (root / "score.py").write_text(SCRIPT)
    for n, (word, count) in enumerate(words):
        (root / "data" / f"{n}").write_text(f"{word} {count}")
    done = subprocess.run(
        shlex.split(
            f"{sys.executable} {Path(schedule.__file__)} --input data --entry-script score.py"
            f" --mini-batch-size {size} --max-retries {retries} --workers {workers}"
            f" --mini-batch-error-threshold {batches_allowed} --error-threshold {items_allowed}"
            " --append-row-to rows.txt --"
        ),
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    cut = [list(range(at, min(at + size, len(words)))) for at in range(0, len(words), size)]
    expected = [_outcome(words, batch, retries) for batch in cut]
    failed = [missing for missing, _, _ in expected if missing]
    allowed = (batches_allowed < 0 or len(failed) <= batches_allowed) and (
        items_allowed < 0 or sum(failed) <= items_allowed
    )
    assert done.returncode == (0 if allowed else 1), done.stderr
    summary = json.loads((root / "logs" / "parallel_run.json").read_text())
    if allowed:
        assert summary["tries"] == sum(tries for _, tries, _ in expected)
        assert [each["index"] for each in summary["failed"]] == [
            n for n, (missing, _, _) in enumerate(expected) if missing
        ]
        wanted = [row for _, _, rows in expected for row in rows]
        found = [Path(row).name for row in (root / "rows.txt").read_text().split()]
        assert found == wanted
    else:
        assert "failed, more than the" in summary["error"]
        assert not (root / "rows.txt").exists()


def _outcome(words, batch, retries):
    """Return (inputs without a result, tries, names of the results) of one mini-batch."""
    word, count = words[batch[0]]
    names = [str(n) for n in batch]
    if word in {"raise", "die"} and count > retries:
        return len(batch), retries + 1, []
    if word in {"raise", "die"}:
        return 0, count + 1, names
    kept = names[count:] if word == "short" else names
    return len(batch) - len(kept), 1, kept
