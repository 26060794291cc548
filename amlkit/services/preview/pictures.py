"""Pictures on one sheet: a row of small ones for each label, with how many there are of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit.errors import NotSupported, unreadable

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm"})
LABELS = 40
_CELL, _GAP, _TEXT, _LINE = 72, 6, 170, 22
_GREY, _INK, _FRAME = (246, 246, 246), (32, 32, 32), (200, 120, 120)


def is_picture(path: Path) -> bool:
    """Tell by its name whether a file is a picture."""
    return path.suffix.lower() in SUFFIXES


def is_drawable() -> bool:
    """Whether Pillow is installed."""
    from importlib.util import find_spec

    return find_spec("PIL") is not None


def draw(groups: Mapping[str, Sequence[Path]], target: Path, per_label: int) -> list[Path]:
    """Write the sheet and return the pictures that cannot be read.

    groups: pictures by label; beyond 40 labels, the last row says how many are left out.
    Raises: NotSupported: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ModuleNotFoundError:
        raise NotSupported(
            "a sheet of pictures is drawn with Pillow, which is not installed",
            hint="pip install 'amlkit[preview]'",
        ) from None
    shown = _shown(groups)
    left_out = len(groups) - len(shown)
    across = max(min(per_label, len(paths)) for paths in shown.values())
    width = _TEXT + across * (_CELL + _GAP) + _GAP
    height = len(shown) * (_CELL + _GAP) + _GAP + (_LINE if left_out else 0)
    sheet = Image.new("RGB", (width, height), _GREY)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    unreadable_ones: list[Path] = []
    for row, (label, paths) in enumerate(shown.items()):
        top = _GAP + row * (_CELL + _GAP)
        pen.text((_GAP, top + _CELL // 2 - 16), _short(label), fill=_INK, font=font)
        pen.text((_GAP, top + _CELL // 2 + 2), f"{len(paths)} pictures", fill=_INK, font=font)
        for column, path in enumerate(_spread(paths, per_label)):
            place = (_TEXT + column * (_CELL + _GAP), top)
            if (small := _thumbnail(path)) is None:
                unreadable_ones.append(path)
                pen.rectangle((*place, place[0] + _CELL, place[1] + _CELL), outline=_FRAME)
            else:
                inset = ((_CELL - small.width) // 2, (_CELL - small.height) // 2)
                sheet.paste(small, (place[0] + inset[0], place[1] + inset[1]))
    if left_out:
        text = f"and {left_out} more labels"
        pen.text((_GAP, height - _LINE), text, fill=_INK, font=font)
    _save(sheet, target)
    return unreadable_ones


def drawn(groups: Mapping[str, Sequence[Path]], per_label: int) -> list[Path]:
    """Return the pictures that a sheet would show."""
    return [path for paths in _shown(groups).values() for path in _spread(paths, per_label)]


def _shown(groups: Mapping[str, Sequence[Path]]) -> dict[str, Sequence[Path]]:
    return dict(sorted(groups.items())[:LABELS])


def _save(sheet: Any, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(target, format="PNG")
    except OSError as cause:
        raise unreadable(target, cause) from None


def _short(label: str) -> str:
    return label if len(label) <= 22 else f"{label[:10]}...{label[-9:]}"


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    """Return so many of the pictures, from the whole of the list."""
    if len(paths) <= count:
        return list(paths)
    return [paths[index * len(paths) // count] for index in range(count)]


def _thumbnail(path: Path) -> Image | None:
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings():
            # A picture that unpacks to gigabytes is not unpacked.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                opened.draft("RGB", (_CELL * 2, _CELL * 2))
                picture = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning):
        return None
    scale = _CELL / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    return picture.resize(size, how)
