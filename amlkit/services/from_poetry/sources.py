"""Where dependencies come from: `[tool.uv.sources]`, `[[tool.poetry.source]]`, indexes.

Source: uv, "Dependency sources" and "Package indexes"; Poetry, "Package sources".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from packaging.utils import canonicalize_name

from amlkit.light import replace
from amlkit.services.from_poetry import restrictions
from amlkit.services.from_poetry.markers import Target
from amlkit.services.from_poetry.records import Declared, Direct, Index, Note
from amlkit.services.from_poetry.toml_file import TomlFile

Sources = dict[str, list[dict[str, Any]]]

_PYPI = ("https://pypi.org/", "https://pypi.python.org/")


def uv_sources(file: TomlFile) -> Sources:
    """Return `[tool.uv.sources]`, each name with its alternatives."""
    return {
        canonicalize_name(name): written if isinstance(written, list) else [written]
        for name, written in file.table("tool", "uv", "sources").items()
    }


def located(
    declared: Declared, tracked: Sources, target: Target, *, group: str | None = None
) -> Declared:
    """Return the dependency with what says where it comes from on this target.

    The first entry of `[tool.uv.sources]` and of `[tool.poetry.dependencies]` that applies counts.
    """
    for each in declared.variants:
        if target.accepts(each.marker) and restrictions.hold(each, target):
            declared = replace(
                declared,
                direct=declared.direct or each.direct,
                index=each.index or declared.index,
                prereleases=each.prereleases or declared.prereleases,
            )
            break
    for source in tracked.get(declared.name, ()):
        if _concerns(source, declared, group) and target.accepts(source.get("marker")):
            return from_source(declared, source)
    return declared


def indexes(file: TomlFile) -> tuple[Index, ...]:
    """Return the package indexes that the file names, PyPI left out."""
    found = [_poetry_index(each) for each in file.table("tool", "poetry").get("source", ())]
    uv = file.table("tool", "uv")
    found += [_uv_index(each, at) for at, each in enumerate(uv.get("index", ()))]
    if uv.get("index-url"):
        found.append(Index("index-url", uv["index-url"], default=True))
    found += [Index("extra-index-url", url) for url in uv.get("extra-index-url", ())]
    found += [Index("find-links", url, flat=True) for url in uv.get("find-links", ())]
    return tuple(each for each in found if each.url and not each.url.startswith(_PYPI))


def enrich(
    declared: Iterable[Declared], legacy: Iterable[Declared]
) -> tuple[tuple[Declared, ...], tuple[Note, ...]]:
    """Add to standard dependencies what only Poetry's form can say: source, git, pre-releases.

    Returns: the dependencies; what of Poetry's form was not taken over.
    """
    by_name: dict[str, list[Declared]] = {}
    for each in legacy:
        by_name.setdefault(each.name, []).append(each)
    found: list[Declared] = []
    notes: list[Note] = []
    for each in declared:
        extra = by_name.get(each.name, [])
        found.append(replace(each, variants=tuple(extra)) if extra else each)
        notes += [_not_narrowed(other) for other in extra if not other.constraint.is_any]
    known = {each.name for each in found}
    for name in by_name.keys() - known:
        notes.append(
            Note(name, "only in [tool.poetry.dependencies]; [project] does not ask for it")
        )
    return tuple(found), tuple(sorted(notes, key=str))


def unused_settings(file: TomlFile) -> tuple[Note, ...]:
    """Report settings of the resolver that only a lock carries over."""
    uv = file.table("tool", "uv")
    return tuple(
        Note(f"[tool.uv] {key}", "applies through uv.lock only; ranges are written without it")
        for key in ("override-dependencies", "constraint-dependencies")
        if uv.get(key)
    )


def _concerns(source: dict[str, Any], declared: Declared, group: str | None) -> bool:
    if "extra" in source and canonicalize_name(source["extra"]) not in declared.in_extras:
        return False
    return "group" not in source or canonicalize_name(source["group"]) == group


def from_source(declared: Declared, source: dict[str, Any]) -> Declared:
    """Return the dependency as one entry of `[tool.uv.sources]` has it."""
    direct, subdirectory = None, source.get("subdirectory")
    if "git" in source:
        reference = source.get("tag") or source.get("rev") or source.get("branch")
        direct = Direct("git", source["git"], reference, subdirectory)
    elif "url" in source:
        direct = Direct("url", source["url"], None, subdirectory)
    elif "path" in source:
        direct = Direct("path", source["path"], None, subdirectory)
    elif source.get("workspace"):
        direct = Direct("path", f"workspace member {declared.name}")
    return replace(
        declared,
        direct=direct or declared.direct,
        index=source.get("index", declared.index),
    )


def _poetry_index(source: dict[str, Any]) -> Index:
    priority = str(source.get("priority", "primary")).lower()
    return Index(
        name=str(source.get("name", "")).lower(),
        url=str(source.get("url", "")),
        explicit=priority == "explicit",
        default=priority == "default" or bool(source.get("default", False)),
    )


def _uv_index(index: dict[str, Any], at: int) -> Index:
    return Index(
        name=str(index.get("name", at)).lower(),
        url=str(index.get("url", "")),
        explicit=bool(index.get("explicit", False)),
        default=bool(index.get("default", False)),
        flat=index.get("format") == "flat",
    )


def _not_narrowed(other: Declared) -> Note:
    return Note(
        other.name,
        f"`{other.constraint.text}` in [tool.poetry.dependencies] is not applied: "
        "the version in [project] decides",
    )
