"""Dependencies outside an index, in pip's words: `name @ git+https://...@rev#subdirectory=...`.

Source: PyPA "Direct URL references"; pip, "VCS support".
"""

from __future__ import annotations

import re

from amlkit.services.from_poetry.records import Direct

_SCP = re.compile(r"^(?:(?P<user>[\w.-]+)@)?(?P<host>[\w.-]+\.[\w-]+|[\w-]+):(?P<path>[^/\\].*)$")


def reference(name: str, extras: frozenset[str], direct: Direct) -> str:
    """Return the requirement for a git repository or an archive."""
    wanted = f"{name}{with_extras(extras)}"
    if direct.kind == "git":
        at = f"@{direct.reference}" if direct.reference else ""
        url = f"git+{git_url(direct.location)}{at}"
    else:
        url = direct.location
    if direct.subdirectory:
        url += f"{'&' if '#' in url else '#'}subdirectory={direct.subdirectory}"
    return f"{wanted} @ {url}"


def with_extras(extras: frozenset[str]) -> str:
    """Return `[a,b]`, "" without extras."""
    return f"[{','.join(sorted(extras))}]" if extras else ""


def is_local(direct: Direct) -> bool:
    """Say whether only this machine has it: a path, or a git repository in a folder."""
    if direct.kind != "git":
        return direct.kind == "path" or direct.location.startswith("file:")
    location = direct.location.removeprefix("git+")
    return location.startswith("file:") or not ("://" in location or _SCP.match(location))


def git_url(location: str) -> str:
    """Return a URL that pip takes after `git+`: `git@host:a/b.git` becomes `ssh://git@host/a/b.git`."""
    location = location.removeprefix("git+").partition("#")[0]
    if "://" in location:
        return location
    found = _SCP.match(location)
    if found is None:
        return location
    return f"ssh://{found['user'] or 'git'}@{found['host']}/{found['path']}"
