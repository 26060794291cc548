"""Every run of an embedded workspace over MLflow's REST API, for `amlkit mlflow ui`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from amlkit.errors import NotFound
from amlkit.local.run_store import CatalogueRunStore
from amlkit.local.tracking import TrackingServer
from amlkit.workspace import ServedRuns

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace


class WorkspaceRuns(CatalogueRunStore):
    """The runs as MLflow's pages show them: parameters of trials, and trials below their sweep."""

    def __init__(self, workspace: LocalWorkspace) -> None:
        super().__init__(workspace)
        self._jobs = workspace.job_table

    def values(self, run_id: str, kind: str) -> Mapping[str, str]:
        """Return params or tags: what a job was given beside what it logged."""
        logged = super().values(run_id, kind)
        try:
            job = self._jobs.get(run_id)
        except NotFound:
            return logged
        if kind == "param":
            return {**{key: str(value) for key, value in job.parameters.items()}, **logged}
        shown = {**job.tags, "mlflow.source.name": job.type, "amlkit.status": job.status.value}
        if job.parent is not None:
            shown["mlflow.parentRunId"] = job.parent
        if job.error:
            shown["mlflow.note.content"] = job.error
        return {**shown, **logged}


@contextmanager
def serve(workspace: LocalWorkspace) -> Iterator[ServedRuns]:
    """Serve the runs on a free port of 127.0.0.1, behind a token."""
    token = os.urandom(24).hex()
    server = TrackingServer.start(
        WorkspaceRuns(workspace),
        on_metrics=lambda run, points: None,
        token=token,
        artifact_root=workspace.folder.root / "jobs",
    )
    try:
        yield ServedRuns(server.url, token)
    finally:
        server.close()
