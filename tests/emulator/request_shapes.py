"""What a request is, whoever is asked for what: method, path, api-version, fields of the body.

`python request_shapes.py FOLDER_OF_TRACES` writes `request_shapes.json` anew.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from amlkit.emulator.recording import fields

_SCOPE = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.MachineLearningServices"
    r"/workspaces/[^/]+",
    re.IGNORECASE,
)
_ASIDE = ("/metadata/", "/msi", "/emulator/", "/discovery/")


def of_recorded(line):
    """Return the shape of a line that `emulator start --record` wrote; None for login."""
    return _shape(line["method"], line["path"], line["query"], line["fields"])


def of_traced(request):
    """Return the shape of a request that was recorded in the SDK itself."""
    body = request.get("request_body")
    path = request["path"]
    if ".blob." in request["host"]:
        path = f"/{request['host']}{path}"
    return _shape(request["method"], path, request["query"], sorted(fields(body)))


def in_file(path: Path) -> dict[str, list[str]]:
    """Return the shapes of a file of traces: the operation's name, and each shape once."""
    traced = json.loads(path.read_text())
    return distinct(of_traced(each) for each in traced["requests"])


def distinct(shapes):
    """Return every shape once, sorted: how many files there were is no matter."""
    return sorted({each for each in shapes if each is not None})


def _shape(method, path, query, names):
    if path.startswith(_ASIDE):
        return None
    if ".blob." in path:
        kind = "container" if query.get("restype") == "container" else "blob"
        return f"{method} {kind} {query.get('comp', '')}".strip()
    version = query.get("api-version", "")
    return " ".join(filter(None, [method, _template(path), version, ",".join(names)]))


def _template(path):
    plane, _, rest = path.partition("/subscriptions/")
    found = _SCOPE.match(f"/subscriptions/{rest}")
    if found is None:
        return path
    parts = f"/subscriptions/{rest}"[found.end() :].strip("/").split("/")
    named = [part if number % 2 == 0 else "{}" for number, part in enumerate(parts)]
    if parts[0] in {"rundata", "dataversion"}:
        named = parts
    return "/".join([f"{plane}W", *filter(None, named)])


if __name__ == "__main__":
    place = Path(__file__).with_suffix(".json")
    names = json.loads(place.read_text())
    shapes = {name: in_file(Path(sys.argv[1]) / f"{name}.json") for name in names}
    place.write_text(json.dumps(shapes, indent=1) + "\n")
