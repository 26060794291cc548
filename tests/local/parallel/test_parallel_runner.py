"""Parallel steps: the command that is built for one, run by bash as the engine runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlkit.errors import AmlkitError, NotSupported, UsageError
from amlkit.local.parallel_runner import parallel_command, schedule
from amlkit.specs import expressions

TASK = {"type": "run_function", "code": ".", "entry_script": "score.py"}
NAMES = "def init(): pass\ndef run(mini_batch): return [p.rsplit('/', 1)[-1] for p in mini_batch]\n"


@pytest.fixture
def step(tmp_path):
    """Run a parallel step over `files` files and return (process, rows, summary)."""
    (tmp_path / "my images").mkdir()
    for n in range(7):
        (tmp_path / "my images" / f"{n}.txt").write_text(str(n))
    code = tmp_path / "code"
    code.mkdir()
    rows = tmp_path / "out" / "rows.csv"
    rows.parent.mkdir()

    def run(script, *, append=True, arguments="", environment=None, **fields):
        (code / "score.py").write_text(script)
        task = {**TASK, "program_arguments": arguments}
        if append:
            task["append_row_to"] = "${{outputs.rows}}"
        content = {
            "task": task,
            "input_data": "${{inputs.images}}",
            "mini_batch_size": "2",
            "max_concurrency_per_instance": 2,
            **fields,
        }
        values = {"images": str(tmp_path / "my images"), "rows": str(rows), "label": "a b'c"}
        command = expressions.resolve(
            parallel_command(content, {"images": {"type": "uri_folder"}}),
            lambda binding: values.get(binding.keys[0]),
        )
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=code,
            env={**os.environ, "PATH": path, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        summary = code / "logs" / "parallel_run.json"
        found = rows.read_text().splitlines() if rows.exists() else None
        return done, found, json.loads(summary.read_text()) if summary.exists() else None

    return run


ALL = [f"{n}.txt" for n in range(7)]


def test_rows_are_in_the_order_of_the_files_whoever_is_first(step):
    done, rows, summary = step(
        "import time\ndef init(): pass\ndef run(batch):\n"
        "  names = [p.rsplit('/', 1)[-1] for p in batch]\n"
        "  while names == ['0.txt', '1.txt'] and not __import__('os').path.exists('late'): time.sleep(.01)\n"
        "  if '6.txt' in names: open('late', 'w').close()\n"
        "  return names\n"
    )
    assert done.returncode == 0, done.stderr
    assert rows == ALL
    assert (summary["mini_batches"], summary["succeeded"], summary["items"]) == (4, 4, 7)


def test_init_is_called_once_a_worker_and_shutdown_at_the_end(step, tmp_path):
    done, rows, _ = step(
        "import os, time\ndef init(): open(f'worker{os.getpid()}', 'w').close()\n"
        "def workers(): return [name for name in os.listdir() if name.startswith('worker')]\n"
        "def run(batch):\n  while len(workers()) < 3: time.sleep(.01)\n"
        "  return [os.getpid()] * len(batch)\n"
        "def shutdown(): print('ended')\n",
        max_concurrency_per_instance=3,
    )
    assert len(list((tmp_path / "code").glob("worker*"))) == 3
    assert 1 <= done.stdout.count("ended") <= 3
    assert 1 <= len(set(rows)) <= 3
    assert done.stderr == ""


def test_a_worker_that_is_not_needed_any_more_is_not_waited_for(step, tmp_path):
    """One worker hangs in init(): the other does all the work, and the step ends."""
    done, rows, _ = step(
        "import os, time\ndef init():\n"
        "  try: os.mkdir('slow')\n  except FileExistsError: return\n  time.sleep(600)\n"
        "def run(batch): return [p.rsplit('/', 1)[-1] for p in batch]\n"
    )
    assert (done.returncode, rows, done.stderr) == (0, ALL, "")


def test_program_arguments_reach_the_entry_script_as_bash_quotes_them(step):
    script = (
        "import sys, argparse\ndef init():\n  global label\n  p = argparse.ArgumentParser()\n"
        "  p.add_argument('--label'); label = p.parse_known_args()[0].label\n"
        "def run(batch): return [label] * len(batch)\n"
    )
    _, rows, _ = step(
        script, arguments="--label ${{inputs.label}}\n$[[--no ${{inputs.no}}]] --error_threshold 5"
    )
    assert set(rows) == {"a b'c"}


def test_the_entry_script_imports_its_neighbours_and_gets_a_context(step, tmp_path):
    (tmp_path / "code" / "schedule.py").write_text("NAME = 'neighbour'\n")
    _, rows, _ = step(
        "import schedule\ndef init(): pass\n"
        "def run(batch, context): return [f'{schedule.NAME} {context.minibatch_index}'] * len(batch)\n"
    )
    assert rows == [f"neighbour {n // 2}" for n in range(7)]


def test_a_data_frame_is_written_without_a_header_separated_by_spaces(step):
    frame = (
        "class Frame(list):\n"
        "  def to_csv(self, sep, header, index):\n"
        "    assert (header, index) == (False, False)\n"
        "    return ''.join(f'{each}{sep}1\\n' for each in self)\n"
    )
    _, rows, _ = step(f"{frame}{NAMES.replace('return [', 'return Frame([')[:-1]})\n")
    assert rows == [f"{name} 1" for name in ALL]


def test_a_mini_batch_that_raises_is_tried_again(step):
    done, rows, summary = step(
        "import os\ndef init(): pass\ndef run(batch):\n"
        "  if batch[0].endswith('2.txt'):\n"
        "    tries = sum(name.startswith('try') for name in os.listdir())\n"
        "    open(f'try{tries}', 'w').close()\n"
        "    if tries < 2: raise ValueError('not yet')\n"
        "  return batch\n",
        retry_settings={"max_retries": 2},
    )
    assert done.returncode == 0, done.stderr
    assert (len(rows), summary["tries"], summary["failed"]) == (7, 6, [])
    assert "mini-batch 1: ValueError: not yet; trying again" in done.stdout


DIES = "import os, time\ndef init(): pass\ndef run(batch):\n  if batch[0].endswith('2.txt'): {}\n  return batch\n"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("raise KeyError('x')", "KeyError: 'x'"),
        ("os._exit(7)", "the worker ended with code 7"),
        ("time.sleep(60)", "run() did not return in 0.5 s"),
        ("return 'text'", "TypeError: run() returned a str"),
        ("return None", "TypeError: run() returned a NoneType"),
    ],
)
def test_what_keeps_failing_counts_and_the_rest_goes_on(step, how, told):
    retries = {"max_retries": 1, "timeout": 0.5}
    done, rows, summary = step(DIES.format(how), retry_settings=retries)
    assert done.returncode == 0, done.stderr
    assert len(rows) == 5
    (failed,) = summary["failed"]
    assert (failed["index"], failed["tries"]) == (1, 2)
    assert failed["errors"][0].startswith(told)
    done, rows, summary = step(
        DIES.format(how), retry_settings=retries, mini_batch_error_threshold=0
    )
    assert done.returncode == 1
    assert "error: 1 mini-batches failed, more than the 0 that may" in done.stderr


SHORT = "def init(): pass\ndef run(batch): return [p for p in batch if not p.endswith(('0.txt', '3.txt'))]\n"


@pytest.mark.parametrize(
    ("fields", "arguments", "code"),
    [
        ({}, "", 0),
        ({"error_threshold": 2}, "", 0),
        ({"error_threshold": 1}, "", 1),
        ({}, "--error_threshold 1", 1),
        ({"error_threshold": 1}, "--error_threshold 2", 0),
        ({"mini_batch_error_threshold": 2}, "", 0),
        ({"mini_batch_error_threshold": "1"}, "", 1),
        ({}, "--allowed_failed_percent 40", 1),
        ({}, "--allowed_failed_percent 50", 0),
    ],
)
def test_items_that_are_not_returned_count_against_the_thresholds(step, fields, arguments, code):
    done, rows, summary = step(SHORT, arguments=arguments, **fields)
    assert done.returncode == code, done.stderr
    if code == 0:
        assert (len(rows), summary["items"], summary["tries"]) == (5, 5, 4)
    else:
        assert rows is None


def test_summary_only_writes_no_rows(step):
    done, rows, summary = step(NAMES, append=False)
    assert (done.returncode, rows, summary["items"]) == (0, None, 7)


def test_rows_go_into_a_file_of_their_own_below_a_folder(step, tmp_path):
    (tmp_path / "out" / "rows.csv").mkdir()
    (tmp_path / "code" / "score.py").write_text(NAMES)
    with pytest.raises(IsADirectoryError):
        step(NAMES)
    written = tmp_path / "out" / "rows.csv" / "parallel_run_step.txt"
    assert written.read_text().splitlines() == ALL


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("def init(): raise OSError('no model')\ndef run(batch): return batch\n", "no model"),
        ("import nothing_like_this\n", "nothing_like_this"),
        ("def init(): pass\n", "has no function run(mini_batch)"),
        ("import os\ndef init(): os._exit(3)\n", "ended with code 3 before init()"),
        (
            "import time\ndef init(): time.sleep(60)\ndef run(batch): return batch\n",
            "init() did not return in 0.5 s",
        ),
    ],
)
def test_a_broken_entry_script_fails_the_step(step, script, message):
    arguments = "--first_task_creation_timeout 0.5" if "sleep" in script else ""
    done, rows, summary = step(script, arguments=arguments)
    assert (done.returncode, rows) == (1, None)
    assert message in done.stderr.splitlines()[-1]
    assert message in summary["error"]


@pytest.mark.parametrize(
    ("size", "code", "message"),
    [("10kb", 2, "files are counted"), ("0", 2, "whole number from 1"), ("100", 0, "")],
)
def test_a_mini_batch_is_a_number_of_files(step, size, code, message):
    done, _, _ = step(NAMES, mini_batch_size=size)
    assert done.returncode == code
    assert message in done.stderr


def test_an_mltable_and_an_empty_folder_are_refused(step, tmp_path):
    (tmp_path / "my images" / "MLTable").write_text("paths: []\n")
    done, _, _ = step(NAMES)
    assert (done.returncode, "is an mltable" in done.stderr) == (2, True)
    for each in (tmp_path / "my images").iterdir():
        each.unlink()
    done, _, _ = step(NAMES)
    assert (done.returncode, "there is no file in" in done.stderr) == (1, True)


def test_threads_are_shared_between_workers_and_levels_hide_lines(step):
    script = (
        "import os\ndef init(): pass\ndef run(b): return [os.environ['OMP_NUM_THREADS']] * len(b)\n"
    )
    done, rows, _ = step(script, environment={"OMP_NUM_THREADS": "6"}, logging_level="WARNING")
    assert set(rows) == {"3"}
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("content", "inputs", "error", "message"),
    [
        ({"task": {**TASK, "type": "model"}}, {}, NotSupported, "task of type `model`"),
        ({"partition_keys": ["a"]}, {}, NotSupported, "partition_keys"),
        ({"input_data": "${{inputs.other}}"}, {"images": 1}, UsageError, "is not an input"),
        ({}, {"images": {"type": "mltable"}}, NotSupported, "`images` is tabular"),
    ],
)
def test_what_needs_azure_is_refused_before_it_starts(content, inputs, error, message):
    whole = {"task": TASK, "input_data": "${{inputs.images}}", **content}
    with pytest.raises(error, match=message) as caught:
        parallel_command(whole, inputs)
    assert isinstance(caught.value, AmlkitError)
    assert caught.value.hint


@given(st.integers(0, 60), st.integers(1, 70))
def test_every_file_is_in_one_mini_batch_and_none_is_too_large(count, size):
    files = [str(n) for n in range(count)]
    batches = schedule.cut(files, str(size))
    assert [name for batch in batches for name in batch.files] == files
    assert all(len(batch.files) <= size for batch in batches)
    assert len(batches) == -(-count // size)


def test_both_scripts_run_on_python_3_8(tmp_path):
    """No syntax and no import that an old environment of a step lacks."""
    import ast

    for name in ("schedule.py", "worker.py"):
        text = Path(schedule.__file__).with_name(name).read_text(encoding="utf-8")
        ast.parse(text, feature_version=(3, 8))
