"""The logs of a job while it runs: every rank, every child, only the bytes that are new."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from amlkit.azure.client import ArmClient
from amlkit.azure.job_records import status_of
from amlkit.errors import NotFound
from amlkit.light import dataclass, field

# Today's runtime, and the one before it.
_FOLDERS = ("user_logs/", "azureml-logs/70_driver_log")


@dataclass
class _Source:
    """One log file. position: bytes read; rest: the beginning of a line that is not whole."""

    label: str
    position: int = 0
    rest: bytes = b""


@dataclass
class LogReader:
    """Reads the logs of a job and its children, again and again.

    children: names of those there are now, with what to call each.
    """

    client: ArmClient
    name: str
    children: Callable[[], Iterator[tuple[str, str]]]
    _sources: dict[tuple[str, str], _Source] = field(default_factory=dict)
    _labelled: bool = False

    def read(self) -> tuple[list[bytes], bool]:
        """Return what is new in every log, and whether the job has ended."""
        chunks: list[bytes] = []
        details = self._details(self.name)
        final = status_of(details.get("status")).final
        chunks += self._new(self.name, "", details)
        for child, label in self.children():
            try:
                chunks += self._new(child, label, self._details(child))
            except NotFound:
                continue
        if final:
            chunks += [self._shown(each, b"", last=True) for each in self._sources.values()]
        return [each for each in chunks if each], final

    def follow(self, seconds: float) -> Iterator[bytes]:
        """Yield what is new every so many seconds, until the job has ended."""
        while True:
            chunks, final = self.read()
            yield from chunks
            if final:
                return
            time.sleep(seconds)

    def _details(self, name: str) -> dict[str, object]:
        url = self.client.history(f"/runs/{name}/details")
        found: dict[str, object] = self.client.request("GET", url, f"log of `{name}`").json()
        return found

    def _new(self, job: str, label: str, details: dict[str, object]) -> Iterator[bytes]:
        listed = details.get("logFiles")
        files = {
            name: str(url)
            for name, url in (listed.items() if isinstance(listed, dict) else ())
            if name.startswith(_FOLDERS)
        }
        # Once there are several voices, every line says whose it is.
        self._labelled = self._labelled or bool(label) or len(files) > 1
        for name, url in sorted(files.items()):
            rank = name.rsplit("/", 1)[-1].removesuffix(".txt").removeprefix("std_log_")
            parts = [label, rank if len(files) > 1 else ""]
            shown = "/".join(each for each in parts if each)
            source = self._sources.setdefault((job, name), _Source(shown))
            source.label = shown
            content = self.client.fetch(url, f"log `{name}` of `{job}`", start=source.position)
            if content:
                source.position += len(content)
                yield self._shown(source, content)

    def _shown(self, source: _Source, content: bytes, *, last: bool = False) -> bytes:
        if not self._labelled:
            return content
        lines = (source.rest + content).splitlines(keepends=True)
        source.rest = b""
        if lines and not lines[-1].endswith(b"\n"):
            if last:
                lines[-1] += b"\n"
            else:
                source.rest = lines.pop()
        head = f"[{source.label}] ".encode() if source.label else b""
        return b"".join(head + each for each in lines)


def whole_log(reader: LogReader) -> Iterator[bytes]:
    """Yield the logs as they stand; nothing for a job that has not written any."""
    try:
        chunks, _ = reader.read()
    except NotFound:
        return
    yield from chunks
