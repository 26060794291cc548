"""Where the files behind containers and URIs are.

A container is a datastore's folder. The artifact store shows each job's own folder as Azure ML
does: `ExperimentRun/dcid.JOB/user_logs/...`. `LocalUpload/HASH/NAME` of the default datastore also
finds what the content store holds. `mlcode-...` is code on its way to a code asset.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from amlkit.emulator.context import Context
from amlkit.emulator.messages import Refused
from amlkit.emulator.names import Scope, cut_store, short
from amlkit.emulator.state import is_scratch
from amlkit.errors import NotFound
from amlkit.records import JSON, Asset, AssetKind, Job

ARTIFACTS = "azureml"
DEFAULT = "azureml-blobstore-local"
_STORES = {DEFAULT: "workspaceblobstore", ARTIFACTS: "workspaceartifactstore"}
_RUN = "ExperimentRun/dcid."


def container_of(datastore: str) -> str:
    """Return the container that stands for a datastore."""
    return next((c for c, name in _STORES.items() if name == datastore), f"store-{datastore}")


def upload_container(code: str, version: str) -> str:
    """Return the container for code that is about to be uploaded."""
    return "mlcode-" + hashlib.sha256(f"{code}/{version}".encode()).hexdigest()[:24]


class Places:
    """Files by container and name, or by URI."""

    def __init__(self, context: Context) -> None:
        self._workspace = context.workspace
        self._uploads = context.area.root / "uploads"

    def folder(self, container: str) -> Path:
        """Return the folder behind a container. Raises: NotFound."""
        if container.startswith("mlcode-") and container[7:].isalnum():
            return self._uploads / container
        name = _STORES.get(container) or container.removeprefix("store-")
        store = self._workspace.datastores.show(name)
        folder = Path(store.path)
        if not folder.is_absolute():
            raise NotFound(f"datastore `{name}` is not on this machine")
        return folder

    def target(self, container: str, name: str) -> Path:
        """Return where a blob is written. Raises: Refused: the name leads outside."""
        folder = self.folder(container)
        path = folder / _checked(name)
        # A link inside the folder may not lead a write out of it.
        if not path.parent.resolve().is_relative_to(folder.resolve()):
            raise Refused(400, "InvalidUri", f"the blob name `{name}` leads out of its container")
        return path

    def find(self, container: str, name: str) -> Path | None:
        """Return the file of a blob, or None."""
        clean = _checked(name)
        for prefix, folder in self._mounts(container, clean):
            if clean.startswith(prefix) and (path := folder / clean.removeprefix(prefix)).is_file():
                return path
            if clean == prefix.rstrip("/") and folder.is_file():
                return folder
        return None

    def blobs(self, container: str, prefix: str) -> Iterator[tuple[str, Path]]:
        """Yield (name, file) of every blob with a prefix, by name."""
        found: dict[str, Path] = {}
        for mounted, folder in self._mounts(container, prefix):
            if not (mounted.startswith(prefix) or prefix.startswith(mounted)):
                continue
            start = _start(
                folder, prefix.removeprefix(mounted) if prefix.startswith(mounted) else ""
            )
            paths = [folder] if folder.is_file() else start.rglob("*") if start.is_dir() else []
            for path in paths:
                below = path.relative_to(folder).as_posix() if path != folder else ""
                name = f"{mounted}{below}" if below else mounted.rstrip("/")
                if name.startswith(prefix) and path.is_file() and not is_scratch(path.name):
                    found.setdefault(name, path)
        yield from sorted(found.items())

    def _mounts(self, container: str, name: str) -> Iterator[tuple[str, Path]]:
        if container == ARTIFACTS and name.startswith(_RUN):
            yield from self._of_job(name.removeprefix(_RUN).partition("/")[0])
            return
        yield "", self.folder(container)
        parts = name.strip("/").split("/")
        if container == DEFAULT and len(parts) >= 3 and parts[0] == "LocalUpload":
            asset = self._stored(parts[1], parts[2])
            path = self._workspace.backend.assets.local_path(asset) if asset else None
            if path is not None:
                yield f"LocalUpload/{parts[1]}/{parts[2]}/", path

    def _of_job(self, name: str) -> Iterator[tuple[str, Path]]:
        try:
            job = self._workspace.jobs.show(name)
        except NotFound:
            return
        top = f"{_RUN}{name}/"
        folder = Path(job.folder or "")
        if job.type not in {"sweep", "pipeline"}:
            yield f"{top}outputs/", Path(self._workspace.jobs.outputs(name)["default"])
        yield f"{top}user_logs/", folder / "user_logs"
        if (folder / "artifacts").is_dir():
            yield top, folder / "artifacts"

    def _stored(self, digest: str, name: str) -> Asset | None:
        assets = self._workspace.backend.assets
        for kind in (AssetKind.DATA, AssetKind.MODEL):
            for latest in assets.list(kind, archived=True):
                for asset in assets.list(kind, latest.name, archived=True):
                    ends = str(asset.spec.get("path", "")).endswith(f"/{digest}/{name}")
                    if ends and asset.digest is not None:
                        return asset
        return None

    # URIs.

    def local(self, uri: str) -> Path | None:
        """Return the local file or folder that a URI means, or None: it is somewhere else.

        Raises: NotFound: it is here, and there is nothing.
        """
        if uri.startswith("azureml://jobs/"):
            return self._output(uri)
        if "://" in uri and (place := self._blob(uri)) is not None:
            return place
        cut = cut_store(uri)
        if cut is None:
            return None
        try:
            folder = self.folder(container_of(cut[0]))
        except NotFound:
            return None
        path = folder / _checked(cut[1]) if cut[1] else folder
        if path.exists():
            return path
        found = next(iter(self.blobs(container_of(cut[0]), cut[1])), None)
        if found is None:
            return None
        # A view of the content store: its top is as far above the file as the names say.
        depth = found[0].removeprefix(cut[1]).strip("/").count("/") + 1
        return found[1] if found[0] == cut[1] else found[1].parents[depth - 1]

    def _output(self, uri: str) -> Path:
        job, _, rest = uri.removeprefix("azureml://jobs/").partition("/outputs/")
        output, _, path = rest.partition("/paths/")
        places = self._workspace.jobs.outputs(job)
        if output == "artifacts":
            # `artifacts/paths/outputs/x` is Azure ML's name for the run's own folder.
            output, path = "default", path.strip("/").removeprefix("outputs").strip("/")
        if output not in places:
            raise NotFound(f"job `{job}` has no output `{output}`")
        found = Path(places[output]) / _checked(path) if path.strip("/") else Path(places[output])
        if not found.exists():
            raise NotFound(f"`{short(uri)}` was not written by the job")
        return found

    def _blob(self, uri: str) -> Path | None:
        if "/amlkit.blob.core.localhost/" not in uri:
            return None
        rest = uri.split("/amlkit.blob.core.localhost/", 1)[1].split("?", 1)[0]
        container, _, name = rest.strip("/").partition("/")
        return self.folder(container) / _checked(name) if name else self.folder(container)

    def uri(self, scope: Scope, place: str) -> str:
        """Return the long URI of a local path that is in a datastore; other paths as `file://`.

        An address in Azure storage, where a job has written by itself, stays as it is.
        """
        if "://" in place:
            return place
        path = Path(place)
        for store in self._workspace.datastores.list():
            folder = Path(store.path)
            if folder.is_absolute() and path.is_relative_to(folder):
                return scope.store_uri(store.name, path.relative_to(folder).as_posix())
        return path.as_uri()

    def outputs(self, job: Job) -> Mapping[str, JSON]:
        """Return the outputs of a job; of a trial, those of its sweep."""
        if job.outputs or job.parent is None:
            return job.outputs
        return {name: {} for name in self._workspace.jobs.outputs(job.name) if name != "default"}

    def logs(self, job: Job) -> list[str]:
        """Return the names of a job's log blobs, in the artifact container."""
        prefix = f"{_RUN}{job.name}/user_logs/"
        return [name for name, _ in self.blobs(ARTIFACTS, prefix)]


def run_prefix(job: str) -> str:
    """Return where a job's files are in the artifact store."""
    return f"{_RUN}{job}"


def _start(folder: Path, prefix: str) -> Path:
    """Return the deepest folder that every blob with the prefix is in."""
    above = prefix.rpartition("/")[0]
    return folder / above if above and ".." not in above.split("/") else folder


def _checked(name: str) -> str:
    clean = name.strip("/")
    bad = not clean or "\0" in clean or "\\" in clean
    if bad or any(part in {"", ".", ".."} for part in clean.split("/")):
        raise Refused(400, "InvalidUri", f"`{name}` is not the name of a blob")
    return clean
