"""Bring here what a preview needs of data that is elsewhere: as little of it as shows the same."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from amlkit import placing, transfers
from amlkit.errors import NotSupported
from amlkit.file_records import AssetFile
from amlkit.records import Asset, AssetKind
from amlkit.services.preview import looking, pictures, reading, transforming
from amlkit.services.preview.looking import Pictures, Rows
from amlkit.workspace_assets import Assets

HEAD = 1024 * 1024
MOST = 256 * 1024 * 1024
"""More than these bytes are not fetched for a look."""
_LINES = {"delimited", "json lines"}


class Fetching:
    """A folder for what is fetched, as long as the block runs."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._stack = ExitStack()

    def __enter__(self) -> Fetching:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def preview(
        self, asset: Asset, *, take: int, sheet: Path | None, per_label: int
    ) -> Rows | Pictures:
        """Look into an asset: its own copy here where there is one, else what is fetched of it.

        Raises: what `looking.preview` raises. NotSupported: too much would have to be fetched.
        """
        here = self._assets.local_path(asset)
        if here is not None:
            return self._look(here, asset, take, sheet, per_label)
        files = sorted(self._assets.files(asset, follow=True), key=lambda each: each.path)
        names = [Path(each.path) for each in files]
        place = self._folder(asset)
        if asset.type == "mltable" or Path(transforming.FILE) in names:
            self._copy(asset, files, place)
            return self._look(place, asset, take, sheet, per_label)
        kind, chosen = looking.sort_out(names)
        wanted = {path.as_posix() for path in chosen}
        if kind == "tables":
            tables = [each for each in files if each.path in wanted]
            return self._tables(asset, tables, place, take)
        drawn = set()
        if kind == "pictures" and sheet is not None:
            groups = looking.by_label(Path(), chosen)
            drawn = {path.as_posix() for path in pictures.drawn(groups, per_label)}
        self._copy(asset, [each for each in files if each.path in drawn], place)
        _stand_in([each for each in files if each.path not in drawn], place)
        whole = place / files[0].path if asset.type == "uri_file" else place
        return self._look(whole, asset, take, sheet, per_label)

    def _tables(
        self, asset: Asset, files: Sequence[AssetFile], place: Path, take: int
    ) -> Rows | Pictures:
        """Return the first rows of files of one kind, fetching more of them until it is sure."""
        head = self._head(asset, files[0], place)
        if head is not None:
            # Types are read off the first rows: fewer of them may say something else.
            if _rows([head], max(take, reading.SAMPLE)).more:
                return _rows([head], take)
            head.unlink()
        count = 1
        while True:
            self._copy(asset, files[:count], place)
            there = [place / each.path for each in files[:count]]
            if count >= len(files) or _rows(there, max(take, reading.SAMPLE)).more:
                return _rows(there, take)
            count *= 4

    def _head(self, asset: Asset, file: AssetFile, place: Path) -> Path | None:
        """Return the whole lines at the beginning of a large file of lines."""
        is_text = reading.kind_of(Path(file.path)) in _LINES and not file.path.endswith(".gz")
        if file.size <= HEAD or not is_text:
            return None
        lines, found, _ = self._assets.head(asset, file, HEAD).rpartition(b"\n")
        target = transfers.local_target(place, file.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(lines + found)
        return target if found else None

    def fetch(self, uri: str, kind: str) -> Path:
        """Return where what is at a URI was brought to. kind: `uri_file` or `uri_folder`."""
        asset = Asset(AssetKind.DATA, "data", "1", {"type": kind, "path": uri})
        here = self._assets.local_path(asset)
        if here is not None:
            return here
        files = self._assets.files(asset, follow=True)
        place = self._folder(asset)
        self._copy(asset, files, place)
        return place / files[0].path if kind == "uri_file" else place

    def _copy(self, asset: Asset, files: Sequence[AssetFile], place: Path) -> None:
        missing = [each for each in files if not (place / each.path).exists()]
        size = sum(each.size for each in missing)
        if size > MOST:
            raise NotSupported(
                f"a look at `{asset.reference}` would fetch {size} bytes, more than {MOST}",
                hint="fetch what you want to see, then preview ./DIR: amlkit data sample"
                f" {asset.reference} --take 9 --output-dir DIR, or data download -p DIR",
            )
        if missing:
            # A copy wants a place of its own.
            batch = Path(tempfile.mkdtemp(dir=place.parent))
            self._assets.copy(asset, missing, batch)
            placing.merge(batch, place)

    def _folder(self, asset: Asset) -> Path:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="amlkit-"))
        return Path(folder) / asset.name

    def _look(
        self, place: Path, asset: Asset, take: int, sheet: Path | None, per_label: int
    ) -> Rows | Pictures:
        return looking.preview(
            place, asset.type, self.fetch, take=take, sheet=sheet, per_label=per_label
        )


def _rows(files: Sequence[Path], take: int) -> Rows:
    return looking.first(reading.of_files(files), take)


def _stand_in(files: Sequence[AssetFile], place: Path) -> None:
    """Make files with a name and a size, and nothing in them."""
    for each in files:
        target = transfers.local_target(place, each.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as empty:
            empty.truncate(each.size)
