"""Outputs in Azure storage: a job writes to a folder here, which is sent when it has ended well.

A file that is there under the same name is replaced, one with the same content is not sent again,
and other files stay, as in the `upload` mode of Azure ML.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.errors import AmlkitError
from amlkit.light import dataclass
from amlkit.local.plans import OutputPlan

if TYPE_CHECKING:
    from amlkit.local.remote import Location
    from amlkit.local.workspace import LocalWorkspace

SECONDS_BETWEEN_LINES = 5.0


class Stopped(Exception):
    """The job was stopped while its outputs were sent."""


@dataclass(frozen=True)
class Target:
    """One output to send. uri: with the job's name in it. place: what the job writes here."""

    port: str
    uri: str
    place: Path
    location: Location

    @property
    def written(self) -> bool:
        """Whether the job has written a file."""
        return self.place.exists() and bool(self.files())

    @property
    def into(self) -> str:
        """The folder of the store that a copy of `place` goes below."""
        folder, _, name = self.location.path.rpartition("/")
        return folder if self.place.is_file() and self.place.name == name else self.location.path

    def files(self) -> Mapping[str, Path]:
        """Return the files to send, by their path in the store."""
        from amlkit import transfers

        return transfers.local_files(self.place, self.into)

    def by_hand(self) -> str:
        """Return what to type to send it later."""
        import shlex

        place, store = shlex.quote(str(self.place)), self.location.store.name
        if self.location.defined:
            into = f" --target {shlex.quote(self.into)}" if self.into else ""
            return f"amlkit datastore upload {store} --path {place}{into}"
        return f"amlkit datastore create, for `{store}`, then `datastore upload` of {place}"


def check(workspace: LocalWorkspace, uri: str) -> None:
    """Look whether storage opens that an output goes to; whether it may be written, none can tell.

    Raises: NotFound: no such datastore or container. NotLoggedIn: its secret is not here, or is
    refused. UsageError: it is no such URI.
    """
    # What follows a `${{name}}` is known when the job runs.
    location = workspace.remote.locate(uri.partition("${{")[0])
    next(iter(location.store.files(location.path)), None)


def check_again(workspace: LocalWorkspace, jobs: Iterable[str]) -> None:
    """Look whether the storage opens that jobs which are to go on send outputs to."""
    addresses = set()
    for job in jobs:
        plan = workspace.job_table.plan(job)
        for port, each in ((plan.get("trial") or plan).get("outputs") or {}).items():
            if each.get("uri") is not None and not OutputPlan(**each).direct:
                addresses.add((each["uri"].partition("${{")[0], port))
    for uri, port in sorted(addresses):
        try:
            check(workspace, uri)
        except AmlkitError as error:
            raise error.about(f"output `{port}`") from None


def targets(
    workspace: LocalWorkspace, job: str, outputs: Mapping[str, OutputPlan]
) -> Sequence[Target]:
    """Return what a job has to send, with its storage opened. Raises: NotLoggedIn, NotFound."""
    found = []
    for port, plan in outputs.items():
        uri = plan.address(job)
        if uri is not None and not plan.direct:
            place = plan.place(workspace.folder, job, port)
            found.append(Target(port, uri, place, workspace.remote.locate(uri)))
    return found


def fingerprint(workspace: LocalWorkspace, uri: str, place: Path | None) -> str | None:
    """Return a hash of what storage has of an output: paths, sizes, marks of the content.

    place: what was sent, or None for everything below the address.
    Returns: None where a file is gone, or where storage cannot be asked.
    """
    import hashlib

    try:
        location = workspace.remote.locate(uri)
        store = location.store
        there = {store.key(each.path): each for each in store.files(location.path)}
        paths = Target("", uri, place, location).files() if place is not None else there
    except AmlkitError:
        return None
    sent = {store.key(path) for path in paths}
    if not sent <= there.keys() or (place is None and not there):
        return None
    seen = (there[key] for key in sorted(sent))
    lines = [f"{each.path}\t{each.size}\t{each.etag or each.modified}" for each in seen]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


class Sending:
    """Sends the outputs of one job. `stop` may be called from any thread."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._failures: list[AmlkitError] = []
        self._ended = False

    def stop(self) -> None:
        """Make `send` return at once."""
        self._stopped.set()
        self._wake.set()

    def send(self, targets: Sequence[Target]) -> None:
        """Send what is missing. Raises: Stopped. AmlkitError: an output could not be sent."""
        threading.Thread(target=self._all, args=(targets,), daemon=True).start()
        self._wake.wait()
        if self._stopped.is_set():
            raise Stopped
        if self._failures:
            more = f" (and {len(self._failures) - 1} more)" if len(self._failures) > 1 else ""
            raise AmlkitError(self._failures[0].message + more, hint=self._failures[0].hint)
        if not self._ended:
            raise AmlkitError("the outputs were not sent: what sends them broke down")

    def _all(self, targets: Sequence[Target]) -> None:
        try:
            for each in targets:
                self._one(each)
            self._ended = True
        finally:
            self._wake.set()

    def _one(self, target: Target) -> None:
        try:
            self._send(target)
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001  a bug must end the job, not hang it
            message = error.message if isinstance(error, AmlkitError) else _plain(error)
            failure = AmlkitError(
                f"output `{target.port}` was not sent to `{target.uri}`: {message};"
                f" its files are kept: {target.by_hand()}"
            )
            self._say(failure.message)
            self._failures.append(failure)

    def _send(self, target: Target) -> None:
        from amlkit import copying
        from amlkit.transfers import Transfer

        self._check()
        if not target.written:
            self._say(f"output `{target.port}`: nothing was written, nothing is sent")
            return
        self._say(f"output `{target.port}`: sending to {target.uri}")
        how = Transfer(progress=self._progress(target.port))
        done = copying.upload(target.location.store, target.place, target.into, how)
        there = f"; {done.skipped} were there already" if done.skipped else ""
        self._say(f"output `{target.port}`: sent {_count(len(done.copied), done.size)}{there}")

    def _progress(self, port: str) -> Callable[[int, int], None]:
        last = time.monotonic()

        def moved(files: int, size: int) -> None:
            nonlocal last
            self._check()
            if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
                last = time.monotonic()
                self._say(f"output `{port}`: {_count(files, size)} so far")

        return moved

    def _check(self) -> None:
        if self._stopped.is_set():
            raise Stopped

    def _say(self, text: str) -> None:
        with self._log.open("a", encoding="utf-8") as handle:
            handle.write(f"amlkit: {text}\n")


def _count(files: int, size: int) -> str:
    return f"{files} file{'' if files == 1 else 's'}, {size / 1e6:.1f} MB"


def _plain(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {error.filename}"
    return f"amlkit failed: {error!r}"
