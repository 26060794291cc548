"""Choose files of a data asset by name: the same choice on every machine. Pure.

A file's place in the lottery is the hash of the seed and its path, so neither the order of the file
system nor the version of a random generator matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from amlkit.file_records import AssetFile, FileChange


def split(
    paths: Iterable[str], fraction: float, *, seed: int, stratify: bool = False
) -> tuple[list[str], list[str]]:
    """Return two sorted lists that share nothing and miss nothing.

    fraction: 0 to 1, of the first list, to the nearest file (halves round to even).
    stratify: take the fraction of every folder by itself.
    """
    first: set[str] = set()
    everything = sorted(set(paths))
    for group in _groups(everything, stratify=stratify):
        count = round(len(group) * fraction)
        first.update(_drawn(group, seed)[:count])
    return sorted(first), [path for path in everything if path not in first]


def sample(
    paths: Iterable[str], *, fraction: float | None, take: int | None, seed: int
) -> list[str]:
    """Return the sorted choice of a fraction of the files, at most `take` of them.

    A fraction above 0 of at least one file is at least one file.
    """
    drawn = _drawn(sorted(set(paths)), seed)
    count = len(drawn)
    if fraction is not None:
        count = max(round(len(drawn) * fraction), 1 if fraction > 0 else 0)
    return sorted(drawn[: count if take is None else min(count, take)])


def changes(before: Iterable[AssetFile], after: Iterable[AssetFile]) -> list[FileChange]:
    """Return what was added, removed and changed (content or executable bit), by path."""
    old = {each.path: each for each in before}
    new = {each.path: each for each in after}
    found = []
    for path in sorted({*old, *new}):
        one, other = old.get(path), new.get(path)
        if one != other:
            change = "added" if one is None else "removed" if other is None else "changed"
            sizes = (each.size if each is not None else None for each in (one, other))
            found.append(FileChange(change, path, *sizes))
    return found


def unsure(before: Iterable[AssetFile], after: Iterable[AssetFile]) -> list[str]:
    """Return the paths of which only their content can tell whether they have changed."""
    old = {each.path: each for each in before}
    pairs = ((each, old[each.path]) for each in after if each.path in old)
    return [
        new.path
        for new, known in pairs
        if new.size == known.size and not (new.digest and known.digest)
    ]


def _groups(paths: Sequence[str], *, stratify: bool) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for path in paths:
        folder = path.rpartition("/")[0] if stratify else ""
        groups.setdefault(folder, []).append(path)
    return list(groups.values())


def _drawn(paths: Sequence[str], seed: int) -> list[str]:
    import hashlib

    def ticket(path: str) -> tuple[bytes, str]:
        text = f"{seed}\0{path}".encode("utf-8", "surrogateescape")
        return hashlib.sha256(text).digest(), path

    return sorted(paths, key=ticket)
