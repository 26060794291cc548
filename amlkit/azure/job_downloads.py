"""What a job on Azure left: its artifacts in the workspace's store, and its named outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from amlkit.azure import blobs
from amlkit.azure.client import ArmClient
from amlkit.azure.datastores import AzureDatastores
from amlkit.azure.sdk import Sdk
from amlkit.errors import NotFound, did_you_mean
from amlkit.records import Job

# Azure writes it with and without `/paths/`.
_ARTIFACTS = re.compile(r"^azureml://(?:.*/)?datastores/(?P<store>[^/]+)/(?:paths/)?(?P<path>.*)$")


class JobFiles:
    """Fetches what jobs wrote."""

    def __init__(self, client: ArmClient, datastores: AzureDatastores, sdk: Sdk) -> None:
        self._client = client
        self._datastores = datastores
        self._sdk = sdk

    def places(self, job: Job) -> Mapping[str, str]:
        """Return the URI of each output. Source: "Access data in a job", URI formats."""
        root = f"azureml://jobs/{job.name}/outputs"
        named = {port: f"{root}/{port}/paths/" for port in job.outputs}
        return {"default": f"{root}/artifacts/paths/outputs/", **named}

    def download(self, job: Job, output: str, target: Path) -> Path:
        """Fetch one output to `target/named-outputs/OUTPUT`. Raises: NotFound."""
        known = self.places(job)
        if output not in known:
            close = did_you_mean(output, known)
            listed = ", ".join(f"`{each}`" for each in known)
            hint = f"did you mean `{close}`?" if close else f"it has {listed}"
            raise NotFound(f"job `{job.name}` has no output `{output}`", hint=hint)
        place = target / "named-outputs" / output
        if output == "default":
            if not self._artifacts(job, "outputs/", place):
                raise NotFound(f"`outputs` was not written by job `{job.name}`")
            return place
        self._sdk.call(
            f"output `{output}` of job `{job.name}`",
            lambda ml: ml.jobs.download(job.name, download_path=target, output_name=output),
        )
        if not place.exists():
            raise NotFound(f"`{output}` was not written by job `{job.name}`")
        return place

    def download_all(self, job: Job, target: Path) -> Path:
        """Fetch logs, artifacts and every named output that was written."""
        self._artifacts(job, "user_logs/", target / "user_logs")
        self._artifacts(job, "", target / "artifacts", without="user_logs/")
        for port in job.outputs:
            try:
                self.download(job, port, target)
            except NotFound:
                continue
        return target

    def _artifacts(self, job: Job, prefix: str, target: Path, *, without: str = "\0") -> int:
        store, root = self._root(job)
        found = [
            each.path for each in self._datastores.files(store, f"{root}/{prefix}".rstrip("/"))
        ]
        wanted = {
            each: blobs.local_target(target, each[len(root) + 1 + len(prefix) :])
            for each in found
            if not each[len(root) + 1 :].startswith(without)
        }
        return self._datastores.place(store).fetch(wanted, None)

    def _root(self, job: Job) -> tuple[str, str]:
        """Return the datastore and folder of a run's artifacts."""
        try:
            resource = self._client.get(f"/jobs/{job.name}", f"job `{job.name}`")
            outputs = resource["properties"].get("outputs") or {}
            found = _ARTIFACTS.match(str((outputs.get("default") or {}).get("uri") or ""))
        except NotFound:
            found = None
        if found is not None:
            return found["store"], found["path"].rstrip("/")
        return "workspaceartifactstore", f"ExperimentRun/dcid.{job.name}"
