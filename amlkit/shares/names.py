"""The names that a file share takes, and which of them mean the same file.

Source: "Naming and referencing shares, directories, files, and metadata".
"""

from __future__ import annotations

import re

from amlkit.errors import AmlkitError

FOLDER = ".amlkit-uploads"
"""Where files are filled, at the root of the share; in no listing."""
# The last are bytes that are no UTF-8, as Python has them in names.
_FORBIDDEN = re.compile(r'[\x00-\x1f"\\:|<>*?\ud800-\udfff]')


def folded(path: str) -> str:
    """Return a path as a share compares it: it keeps upper case, and does not tell it from lower.

    Letter by letter: `ß` is not `SS`.
    """
    return "".join(up if len(up := letter.upper()) == 1 else letter for letter in path)


def hidden(path: str) -> bool:
    """Tell whether a path is in the folder where files are filled."""
    return folded(path).partition("/")[0] == folded(FOLDER)


def check(path: str) -> None:
    """Raise: AmlkitError: a share takes no file of that name."""
    if hidden(path):
        raise AmlkitError(
            f"`{FOLDER}` is where files are filled that are not whole", hint="--target FOLDER"
        )
    forbidden = sorted(set(_FORBIDDEN.findall(path)))
    if forbidden:
        shown = " ".join(repr(each)[1:-1] for each in forbidden)
        readable = path.encode(errors="backslashreplace").decode()
        raise AmlkitError(
            f"`{readable}` cannot be in a file share: its name has `{shown}`",
            hint="rename it, or leave it out with a glob",
        )
    if len(path) > 2048 or any(len(each) > 255 for each in path.split("/")):
        raise AmlkitError(
            f"`{path[:60]}...` is too long for a file share",
            hint="names have up to 255 letters, paths up to 2048",
        )
