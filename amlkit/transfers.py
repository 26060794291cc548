"""Which files go where: globs, names that are safe to write, and what is left to do.

Pure functions of names and sizes, the same for folders, blob containers and both workspaces.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from amlkit.errors import AmlkitError, Conflict, NotFound, UsageError, unreadable
from amlkit.light import dataclass
from amlkit.placing import is_part
from amlkit.records import JSON, Record

_GLOB = re.compile(r"[*?\[]")
# Storage takes a backslash for a slash, and no control characters.
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True)
class Transfer:
    """How to copy. delete: also remove what the source does not have. dry: change nothing.

    progress: called with (files done, bytes done).
    """

    delete: bool = False
    dry: bool = False
    progress: Callable[[int, int], None] | None = None


@dataclass(frozen=True)
class Transferred(Record):
    """What was copied, or would be. skipped: files that were there already; size in bytes."""

    COLUMNS = ("copied", "skipped", "deleted", "size")

    copied: tuple[str, ...] = ()
    skipped: int = 0
    deleted: tuple[str, ...] = ()
    size: int = 0
    dry_run: bool = False

    @property
    def reference(self) -> str:
        """The paths that were copied, one a line."""
        return "\n".join(self.copied)

    def as_fields(self) -> dict[str, JSON]:
        """Return how many were copied and removed; of a dry run also which, one a line."""
        counts: dict[str, JSON] = {"copied": len(self.copied), "deleted": len(self.deleted)}
        shown = {**self.as_dict(), **counts}
        if self.dry_run:
            shown |= {"would_copy": _first(self.copied), "would_delete": _first(self.deleted)}
        return shown


PATHS_SHOWN = 20


def _first(paths: Sequence[str]) -> str:
    left = len(paths) - PATHS_SHOWN
    more = [f"and {left} more: -o json has all"] if left > 0 else []
    return "\n".join([*paths[:PATHS_SHOWN], *more])


def split_glob(path: str) -> tuple[str, re.Pattern[str] | None]:
    """Return the folder before the first wildcard and a pattern for what is below it.

    A path without wildcards comes back whole, with None.
    """
    parts = path.split("/")
    for index, part in enumerate(parts):
        if _GLOB.search(part):
            return "/".join(parts[:index]), re.compile(_expression("/".join(parts[index:])))
    return path, None


def _expression(glob: str) -> str:
    tokens = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}

    def one(found: re.Match[str]) -> str:
        text = found.group(0)
        if text.startswith("[") and len(text) > 2:
            inner = text[1:-1].replace("\\", "\\\\")
            return f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
        return tokens.get(text, re.escape(text))

    return re.sub(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|.", one, glob, flags=re.DOTALL) + r"\Z"


def inside(path: str, datastore: str) -> str:
    """Return a path of a datastore from its root, `` itself. Raises: UsageError: it leads out."""
    if ".." in re.split(r"[/\\]", path):
        raise UsageError(f"`{path}` leads out of datastore `{datastore}`", hint="leave `..` out")
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def join(folder: str, name: str) -> str:
    """Return a path of a datastore below a folder, which may be the root, ``."""
    return f"{folder}/{name}" if folder else name


def local_target(root: Path, name: str, *, windows: bool = os.name == "nt") -> Path:
    """Return where a stored file goes below `root`.

    windows: whether a colon there means a drive. Raises: AmlkitError: its name is not safe.
    """
    parts = name.split("/")
    if (
        not name
        or "\\" in name
        or "\0" in name
        or (windows and ":" in name)
        or any(part in {"", ".", ".."} for part in parts)
    ):
        raise AmlkitError(
            f"`{name}` is not a name that can be written below `{root}`",
            hint="rename it in the datastore, or download the folders beside it one by one",
        )
    return root.joinpath(*parts)


def check_clashes(names: Iterable[str], *, case_sensitive: bool) -> None:
    """Raise: Conflict: two names would be the same file, or one is a file and a folder."""
    seen: dict[str, str] = {}
    for name in sorted(names):
        key = name if case_sensitive else unicodedata.normalize("NFC", name).casefold()
        if key in seen:
            raise Conflict(
                f"`{seen[key]}` and `{name}` would be the same file here",
                hint="this folder does not tell upper case from lower; rename one of them",
            )
        seen[key] = name
    for key, name in seen.items():
        for end in (i for i, letter in enumerate(key) if letter == "/"):
            if key[:end] in seen:
                raise Conflict(
                    f"`{seen[key[:end]]}` is a file, and the folder of `{name}`",
                    hint="blob storage allows that and folders do not; download them one by one",
                )


def without_folder_marks(sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the files without the empty blobs that stand for folders in Data Lake storage."""
    folders = {name[:end] for name in sizes for end, letter in enumerate(name) if letter == "/"}
    return {name: size for name, size in sizes.items() if size or name not in folders}


def below(names: Iterable[str], base: str, pattern: re.Pattern[str] | None) -> dict[str, str]:
    """Return the stored names by their path below `base`; a single file by its own name."""
    found = {name for name in names if name == base or not base or name.startswith(base + "/")}
    if found == {base} and pattern is None:
        return {base.rsplit("/", 1)[-1]: base}
    cut = len(base) + 1 if base else 0
    return {
        name[cut:]: name
        for name in sorted(found - {base})
        if pattern is None or pattern.match(name[cut:])
    }


def files_below(
    folder: Path, *, follow: bool = False, around: tuple[Path, ...] = ()
) -> Iterator[Path]:
    """Yield the files below a folder, and what links to files; none is left out silently.

    follow: into folders that links lead to. around: the folders it is in, where none leads again.
    Raises: AmlkitError: a folder cannot be read.
    """
    real = folder.resolve()
    if real in around or not folder.is_dir():
        return
    try:
        with os.scandir(folder) as found:
            entries = [each for each in found if not is_part(each.name)]
    except OSError as cause:
        raise unreadable(folder, cause) from None
    for entry in entries:
        if entry.is_dir(follow_symlinks=follow):
            yield from files_below(folder / entry.name, follow=follow, around=(*around, real))
        elif entry.is_file():
            yield folder / entry.name


def local_files(source: Path, target: str) -> dict[str, Path]:
    """Return what to send of a file, a folder or a glob, by its path in the datastore.

    What links lead to is sent under the name of the link.
    Raises: NotFound: nothing is there. AmlkitError: a name that storage cannot keep.
    """
    if source.is_file():
        return {join(target, _storable(source.name)): source}
    root, pattern = source, None
    if not source.exists():
        base, pattern = split_glob(source.as_posix())
        root = Path(base or ("/" if source.is_absolute() else ".")) if pattern else source
    found = {path.relative_to(root).as_posix(): path for path in files_below(root, follow=True)}
    files = {
        join(target, _storable(name)): path
        for name, path in sorted(found.items())
        if pattern is None or pattern.match(name)
    }
    if not files and (pattern is not None or not root.is_dir()):
        raise NotFound(f"`{source}` does not exist", hint="the path is relative to here")
    return files


def _storable(name: str) -> str:
    """Return a name as it is. Raises: AmlkitError: storage would refuse or change it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        shown, why = name.encode(errors="backslashreplace").decode(), "it is not UTF-8"
    else:
        found = _UNSTORABLE.search(name)
        if found is None:
            return name
        shown, why = repr(name)[1:-1], f"it has {found[0]!r}"
    raise AmlkitError(f"storage cannot keep the name `{shown}`: {why}", hint="rename the file")
