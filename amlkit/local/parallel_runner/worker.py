"""One worker of a parallel step: imports the entry script, calls init(), then run() as asked.

It reads one JSON line a mini-batch from the scheduler's pipe and answers with one; what the entry
script prints goes where the step's output goes. Needs the standard library of Python 3.8 alone.

    worker.py READ_FD WRITE_FD ENTRY_SCRIPT [ARGUMENTS...]
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import traceback
from types import ModuleType, SimpleNamespace
from typing import Any, Callable, TextIO  # noqa: UP035  Python 3.8


def main(read_fd: int, write_fd: int, script: str, arguments: list[str]) -> None:
    """Serve mini-batches until the scheduler closes its end of the pipe."""
    for each in (read_fd, write_fd):
        os.set_inheritable(each, False)
    asked = os.fdopen(read_fd, "r", encoding="utf-8")
    answers = os.fdopen(write_fd, "w", encoding="utf-8")
    try:
        entry = _load(script, arguments)
        _call(entry, "init")
        run = _runner(entry)
    except BaseException as error:  # noqa: BLE001  whatever it is, the scheduler has to hear of it
        traceback.print_exc()
        _answer(answers, {"broken": _line(error)})
        return
    _answer(answers, {"ready": True})
    for line in asked:
        _answer(answers, _one(run, json.loads(line)))
    _call(entry, "shutdown")


def _load(script: str, arguments: list[str]) -> ModuleType:
    """Import the entry script as a script would see itself: its folder first on the path."""
    folder = os.path.dirname(os.path.abspath(script))  # noqa: PTH100, PTH120
    sys.path[0] = folder
    sys.argv = [script, *arguments]
    module = ModuleType("entry_script")
    module.__file__ = os.path.abspath(script)  # noqa: PTH100
    sys.modules["entry_script"] = module
    with open(script, "rb") as file:  # noqa: PTH123
        code = compile(file.read(), module.__file__, "exec")
    exec(code, module.__dict__)  # noqa: S102  the user's own entry script
    return module


def _call(entry: ModuleType, name: str) -> None:
    function = getattr(entry, name, None)
    if function is not None:
        function()


def _runner(entry: ModuleType) -> Callable[[dict[str, Any]], Any]:
    """Return what calls run(mini_batch), or run(mini_batch, mini_batch_context)."""
    run = getattr(entry, "run", None)
    if run is None:
        raise AttributeError(f"`{entry.__file__}` has no function run(mini_batch)")
    if len(inspect.signature(run).parameters) < 2:
        return lambda task: run(task["files"])
    return lambda task: run(
        task["files"],
        SimpleNamespace(
            minibatch_index=task["index"],
            raw_mini_batch_id=str(task["index"]),
            partition_key_value={},
        ),
    )


def _one(run: Callable[[dict[str, Any]], Any], task: dict[str, Any]) -> dict[str, Any]:
    """Run one mini-batch; its rows are in `task["rows"]` before it is answered."""
    try:
        rows = _rows(run(task))
        if task["rows"]:
            with open(task["rows"], "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
                file.writelines(rows)
    except Exception as error:  # noqa: BLE001  a mini-batch that fails is tried again
        traceback.print_exc()
        return {"index": task["index"], "error": _line(error)}
    sys.stdout.flush()
    return {"index": task["index"], "count": len(rows)}


def _rows(returned: Any) -> list[str]:
    """Return one line an item of a list, a tuple, an array or a data frame."""
    if hasattr(returned, "to_csv"):
        text = returned.to_csv(sep=" ", header=False, index=False)
        return text.splitlines(keepends=True)  # type: ignore[no-any-return]
    if isinstance(returned, (str, bytes, dict)) or not hasattr(returned, "__len__"):
        kind = type(returned).__name__
        raise TypeError(f"run() returned a {kind}; a list, a tuple or a DataFrame is needed")
    return [f"{each}\n" for each in returned]


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]


def _answer(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
