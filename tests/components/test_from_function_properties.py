"""Any typed function becomes a component that is valid and passes its arguments on unchanged."""

from __future__ import annotations

import importlib.util
import itertools
import json
import keyword
import sys

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlkit import specs
from amlkit.services.from_function import from_function
from amlkit.specs import expressions

COUNTER = itertools.count()
NAMES = st.from_regex(r"[a-z][a-z_0-9]{0,6}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name) and name not in {"json", "pathlib", "dict", "locals"}
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]))
KINDS = {
    "int": st.integers(-(10**9), 10**9),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "str": TEXT,
}


@st.composite
def parameters(draw):
    """Return (name, kind, default or ..., value or ...) of some parameters; `...` is none."""
    found = []
    for name in draw(st.lists(NAMES, unique_by=str.lower, max_size=6)):
        kind = draw(st.sampled_from(sorted(KINDS)))
        default = draw(st.one_of(st.just(...), st.none(), KINDS[kind]))
        value = draw(KINDS[kind]) if default is ... else draw(st.one_of(st.just(...), KINDS[kind]))
        found.append((name, kind, default, value))
    return found


@given(parameters())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_arguments_arrive_as_they_were_given(tmp_path_factory, found):
    root = tmp_path_factory.mktemp("function")
    module = f"generated_{next(COUNTER)}"
    signature = ", ".join(
        f"{name}: {kind}"
        + (" | None" if default is None else "")
        + ("" if default is ... else f" = {default!r}")
        for name, kind, default, _ in found
    )
    target = repr(str(root / "got.json"))
    body = f"    pathlib.Path({target}).write_text(json.dumps(dict(locals())))\n"
    star = "*, " if found else ""
    (root / f"{module}.py").write_text(
        f"import json, pathlib\ndef step({star}{signature}):\n{body}", encoding="utf-8"
    )
    made = from_function(f"{root / module}.py:step")
    loaded = specs.load(made.path, kind="component.command")
    values = {name: value for name, _, _, value in found if value is not ...}
    declared = loaded.document.get("inputs") or {}
    given_ = {
        name: port["default"] for name, port in declared.items() if "default" in port
    } | values
    command = expressions.resolve(loaded.document["command"], lambda each: given_.get(each.keys[0]))
    _run(made.entry, command)
    got = json.loads((root / "got.json").read_text())
    expected = {name: default if value is ... else value for name, _, default, value in found}
    assert {name: got[name] for name in expected} == expected


def _run(entry, command):
    """Run the entry script as bash would, in this process: its words are bash's."""
    import shlex

    words = shlex.split(command)[2:]
    spec = importlib.util.spec_from_file_location("entry", entry)
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    try:
        spec.loader.exec_module(module)
        module.main(words)
    finally:
        sys.path[:] = before
