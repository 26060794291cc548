"""A progress bar on stderr for work that moves files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def silent() -> Iterator[Callable[[int, int], None]]:
    """Count nothing: nobody watches."""
    yield lambda files, size: None


@contextmanager
def late(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show files and bytes once something moves: most of the time, nothing does."""
    with ExitStack() as shown:
        moving: list[Callable[[int, int], None]] = []

        def update(files: int, size: int) -> None:
            if not moving:
                moving.append(shown.enter_context(show(title, total=None)))
            moving[0](files, size)

        yield update


@contextmanager
def show(title: str, *, total: int | None) -> Iterator[Callable[[int, int], None]]:
    """Show files and bytes done; `total` is in files, None when it is not known."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    from amlkit.output.table import console

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[files]} files"),
        DownloadColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total, files=0)

        def update(files: int, size: int) -> None:
            progress.update(task, completed=size, files=files)

        yield update
