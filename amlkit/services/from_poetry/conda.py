"""The conda file as text: the few words of YAML that it needs, the same bytes every time.

Source: "Create and manage Azure Machine Learning environments: conda_file"; conda, "Creating an
environment file manually".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_PLAIN = re.compile(r"^(?:[A-Za-z0-9_./]|-(?=-))[^\n\t'\"`]*$")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"}


def document(
    name: str, channels: Sequence[str], conda: Sequence[str], pip: Sequence[str]
) -> dict[str, Any]:
    """Return the conda file as YAML would load it."""
    dependencies: list[Any] = [*conda, "pip"]
    if pip:
        dependencies.append({"pip": list(pip)})
    return {"name": name, "channels": list(channels), "dependencies": dependencies}


def render(document: dict[str, Any]) -> str:
    """Return the file for a document of `document()`."""
    lines = [f"name: {scalar(document['name'])}", "channels:"]
    lines += [f"  - {scalar(channel)}" for channel in document["channels"]]
    lines.append("dependencies:")
    for each in document["dependencies"]:
        if isinstance(each, dict):
            lines.append("  - pip:")
            lines += [f"      - {scalar(requirement)}" for requirement in each["pip"]]
        else:
            lines.append(f"  - {scalar(each)}")
    return "\n".join(lines) + "\n"


def scalar(text: str) -> str:
    """Write a string so that YAML reads the same string: plain where that is safe, else quoted."""
    unsafe = (
        not _PLAIN.match(text)
        or ": " in text
        or " #" in text
        or text != text.strip()
        or text.endswith(":")
        or text.lower() in _WORDS
        or re.fullmatch(r"[\d.eE_+:-]+|0[xo].*", text)
    )
    return json.dumps(text, ensure_ascii=False) if unsafe else text
