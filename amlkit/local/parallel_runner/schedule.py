"""Runs one parallel step: cuts files into mini-batches and hands them to worker processes.

Run by the step's own Python; needs the standard library of Python 3.8 alone. Options stand before
`--`, the entry script's own arguments after it. The package's `parallel_command` writes them.

A mini-batch fails when run() raises, does not return in time, dies, or returns fewer items than it
was given. All but the last are tried again. Results are written in the order of the mini-batches.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("worker.py")
ROWS_FILE = "parallel_run_step.txt"
SUMMARY = Path("logs") / "parallel_run.json"
LEVELS = ("DEBUG", "INFO", "WARNING")
LOG = logging.getLogger("parallel")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class CannotRun(Exception):
    """The step cannot be run as it is written."""


class Failed(Exception):
    """The step failed: too much of it did not succeed."""


class MiniBatch:
    """Some files, and how it went with them. count: items that run() returned."""

    def __init__(self, index: int, files: list[str]) -> None:
        self.index = index
        self.files = files
        self.tries = 0
        self.count: int | None = None
        self.errors: list[str] = []

    @property
    def failed_items(self) -> int:
        """Inputs that nothing was returned for."""
        return max(0, len(self.files) - (self.count or 0))


class Worker:
    """One worker process and what it is busy with. deadline: on the monotonic clock."""

    def __init__(self, script: str, arguments: list[str], threads: int, patience: float) -> None:
        read_here, write_there = os.pipe()
        read_there, write_here = os.pipe()
        variables = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
        try:
            self.process = subprocess.Popen(
                [sys.executable, WORKER, str(read_there), str(write_there), script, *arguments],
                pass_fds=(read_there, write_there),
                env=variables,
            )
        finally:
            os.close(read_there)
            os.close(write_there)
        self._asked = os.fdopen(write_here, "w", encoding="utf-8")
        self.answers = read_here
        self._buffer = b""
        self.batch: MiniBatch | None = None
        self.ready = False
        self.deadline = time.monotonic() + patience

    def ask(self, batch: MiniBatch, rows: str, timeout: float) -> None:
        """Send a mini-batch; what it returns goes into the file `rows`."""
        self.batch = batch
        batch.tries += 1
        self.deadline = time.monotonic() + timeout
        task = {"index": batch.index, "files": batch.files, "rows": rows}
        # Of a worker that has died just now, the end of its answers is heard next.
        with contextlib.suppress(BrokenPipeError):
            self._asked.write(json.dumps(task) + "\n")
            self._asked.flush()

    def read(self) -> list[dict[str, Any]] | None:
        """Return the answers that are there, or None when the process has gone."""
        data = os.read(self.answers, 65536)
        if not data:
            return None
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self, *, patience: float) -> int:
        """End the process, after so many seconds for its shutdown(); return its exit code."""
        with contextlib.suppress(BrokenPipeError):
            self._asked.close()
        os.close(self.answers)
        if patience <= 0:
            self.process.kill()
        try:
            return self.process.wait(patience or None)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Scheduler:
    """Hands mini-batches to workers until all are done or too many have failed."""

    def __init__(self, options: argparse.Namespace, batches: list[MiniBatch], folder: str) -> None:
        self._options = options
        self._batches = batches
        self._folder = folder
        self._todo: deque[MiniBatch] = deque(batches)
        self._failed: list[MiniBatch] = []
        self._done = 0
        self._workers: dict[int, Worker] = {}
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Run all mini-batches. Raises: Failed."""
        try:
            for _ in range(min(self._options.workers, len(self._batches))):
                self._start()
            while self._done < len(self._batches):
                self._wait()
        except BaseException:
            for worker in list(self._workers.values()):
                self._end(worker, patience=0)
            raise
        for worker in list(self._workers.values()):
            # One that is still in init() has nothing to do any more.
            self._end(worker, patience=self._options.timeout if worker.ready else 0)

    def _start(self) -> None:
        cores = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
        threads = max(1, cores // self._options.workers)
        patience = self._options.first_task_timeout
        worker = Worker(self._options.entry_script, self._options.arguments, threads, patience)
        self._workers[worker.answers] = worker
        self._selector.register(worker.answers, selectors.EVENT_READ, worker)

    def _end(self, worker: Worker, *, patience: float) -> int:
        self._selector.unregister(worker.answers)
        del self._workers[worker.answers]
        return worker.close(patience=patience)

    def _wait(self) -> None:
        busy = [each for each in self._workers.values() if each.batch is not None or not each.ready]
        nearest = min(each.deadline for each in busy)
        for key, _ in self._selector.select(max(0.0, nearest - time.monotonic())):
            self._hear(key.data)
        now = time.monotonic()
        for worker in list(self._workers.values()):
            if worker.deadline <= now and (worker.batch is not None or not worker.ready):
                self._late(worker)

    def _hear(self, worker: Worker) -> None:
        answers = worker.read()
        if answers is None:
            code = self._end(worker, patience=5)
            if not worker.ready:
                raise Failed(f"a worker ended with code {code} before init() had returned")
            if worker.batch is not None:
                self._start()
                self._missed(worker.batch, f"the worker ended with code {code}")
            return
        for answer in answers:
            self._answered(worker, answer)

    def _answered(self, worker: Worker, answer: dict[str, Any]) -> None:
        if "broken" in answer:
            raise Failed(f"init() failed: {answer['broken']}")
        batch, worker.batch = worker.batch, None
        if batch is not None:
            if "error" in answer:
                self._missed(batch, answer["error"])
            else:
                self._returned(batch, int(answer["count"]))
        worker.ready = True
        for each in self._workers.values():
            self._next(each)

    def _next(self, worker: Worker) -> None:
        if self._todo and worker.ready and worker.batch is None:
            batch = self._todo.popleft()
            LOG.debug(f"mini-batch {batch.index}: {', '.join(batch.files)}")
            worker.ask(batch, self.rows_file(batch), self._options.timeout)

    def _late(self, worker: Worker) -> None:
        batch = worker.batch
        self._end(worker, patience=0)
        if batch is None:
            raise Failed(f"init() did not return in {self._options.first_task_timeout:g} s")
        self._start()
        self._missed(batch, f"run() did not return in {self._options.timeout:g} s")

    def _missed(self, batch: MiniBatch, error: str) -> None:
        batch.errors.append(error)
        if batch.tries <= self._options.max_retries:
            LOG.warning(f"mini-batch {batch.index}: {error}; trying again")
            self._todo.append(batch)
            return
        self._finished(batch, f"failed: {error}")

    def _returned(self, batch: MiniBatch, count: int) -> None:
        batch.count = count
        if count < len(batch.files):
            message = f"run() returned {count} items for {len(batch.files)} files"
            batch.errors.append(message)
            self._finished(batch, message)
        else:
            self._finished(batch, f"{count} items")

    def _finished(self, batch: MiniBatch, how: str) -> None:
        self._done += 1
        if batch.count is None or batch.failed_items:
            self._failed.append(batch)
        level = logging.WARNING if batch.failed_items else logging.INFO
        LOG.log(level, f"mini-batch {batch.index}: {how} ({self._done} of {len(self._batches)})")
        self._judge()

    def _judge(self) -> None:
        options, failed = self._options, len(self._failed)
        items = sum(each.failed_items for each in self._failed)
        percent = 100 * failed / len(self._batches)
        for what, found, allowed in (
            ("mini-batches", failed, options.mini_batch_error_threshold),
            ("items", items, options.error_threshold),
            ("percent of the mini-batches", percent, options.allowed_failed_percent),
        ):
            if 0 <= allowed < found:
                raise Failed(f"{found:g} {what} failed, more than the {allowed:g} that may")

    def rows_file(self, batch: MiniBatch) -> str:
        """Return where the rows of a mini-batch go; empty where nobody wants them."""
        return str(Path(self._folder) / f"{batch.index}.txt") if self._options.append_row_to else ""


def find_files(places: list[str]) -> list[str]:
    """Return the files below folders, and files as they are, sorted.

    Raises: CannotRun: a place that is not there. Failed: no file at all.
    """
    found: list[str] = []
    for place in map(Path, places):
        if place.is_dir():
            if (place / "MLTable").exists():
                raise CannotRun(f"`{place}` is an mltable; parallel steps read files here")
            found += [str(each) for each in place.rglob("*") if each.is_file()]
        elif place.is_file():
            found.append(str(place))
        else:
            raise CannotRun(f"input `{place}` does not exist")
    if not found:
        raise Failed(f"there is no file in `{', '.join(places)}`")
    return sorted(found)


def cut(files: list[str], size: str) -> list[MiniBatch]:
    """Return mini-batches of so many files each. Raises: CannotRun: a size in bytes."""
    if not size.isdecimal() or int(size) < 1:
        raise CannotRun(
            f"mini_batch_size `{size}`: files are counted, so write a whole number from 1"
        )
    step = int(size)
    return [MiniBatch(n, files[at : at + step]) for n, at in enumerate(range(0, len(files), step))]


def append_rows(scheduler: Scheduler, batches: list[MiniBatch], target: str) -> Path:
    """Write all rows into one file, in the order of the mini-batches."""
    place = Path(target)
    if place.is_dir():
        place = place / ROWS_FILE
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as out:
        for batch in batches:
            if batch.count is not None:
                with Path(scheduler.rows_file(batch)).open("rb") as rows:
                    shutil.copyfileobj(rows, out)
    return place


def summarise(batches: list[MiniBatch], error: str | None) -> None:
    """Write how it went to the step's logs."""
    failed = [each for each in batches if each.tries and (each.count is None or each.failed_items)]
    done = [each for each in batches if each.count is not None]
    summary = {
        "mini_batches": len(batches),
        "succeeded": len([each for each in done if not each.failed_items]),
        "items": sum(each.count or 0 for each in done),
        "tries": sum(each.tries for each in batches),
        "error": error,
        "failed": [
            {"index": each.index, "tries": each.tries, "files": each.files, "errors": each.errors}
            for each in failed
        ],
    }
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the options; some may also stand among the entry script's own arguments."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="parallel step", allow_abbrev=False)
    parser.add_argument("--input", action="append", required=True)
    parser.add_argument("--entry-script", required=True)
    parser.add_argument("--mini-batch-size", default="1")
    parser.add_argument("--append-row-to")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--max-retries", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=60.0)
    parser.add_argument("--mini-batch-error-threshold", type=int, default=-1)
    parser.add_argument("--error-threshold", type=int, default=-1)
    parser.add_argument("--logging-level", choices=LEVELS, default="INFO")
    options = parser.parse_args(arguments[:end])
    options.arguments = arguments[end + 1 :]
    predefined = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    predefined.add_argument("--error_threshold", type=int, default=options.error_threshold)
    predefined.add_argument("--allowed_failed_percent", type=float, default=100.0)
    predefined.add_argument("--first_task_creation_timeout", type=float, default=600.0)
    given, _ = predefined.parse_known_args(options.arguments)
    options.error_threshold = given.error_threshold
    options.allowed_failed_percent = given.allowed_failed_percent
    options.first_task_timeout = given.first_task_creation_timeout
    options.workers = max(1, options.workers)
    return options


def main(arguments: list[str]) -> int:
    """Run the step and return the exit code."""
    options = parse(arguments)
    logging.basicConfig(stream=sys.stdout, format="%(message)s", level=options.logging_level)
    batches: list[MiniBatch] = []
    try:
        if not Path(options.entry_script).is_file():
            raise CannotRun(f"entry_script `{options.entry_script}` is not in the code folder")
        batches = cut(find_files(options.input), options.mini_batch_size)
        with tempfile.TemporaryDirectory() as folder:
            scheduler = Scheduler(options, batches, folder)
            scheduler.run()
            if options.append_row_to:
                place = append_rows(scheduler, batches, options.append_row_to)
                LOG.info(f"rows are in {place}")
    except (CannotRun, Failed) as error:
        summarise(batches, str(error))
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, CannotRun) else 1
    summarise(batches, None)
    LOG.info(f"{len(batches)} mini-batches done")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
