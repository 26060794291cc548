"""Jobs of an Azure ML workspace: submitted through the SDK, read and watched over REST."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from amlkit.azure import job_records, submitted, submitting
from amlkit.azure.client import ArmClient
from amlkit.azure.datastores import AzureDatastores
from amlkit.azure.job_downloads import JobFiles
from amlkit.azure.logs import LogReader, whole_log
from amlkit.azure.sdk import Sdk
from amlkit.azure.tracking import Tracking
from amlkit.azure.uploads import CodeStore
from amlkit.config import number
from amlkit.errors import Conflict, NotFound, NotSupported, UsageError, WaitTimedOut, did_you_mean
from amlkit.light import replace
from amlkit.records import JSON, Job, MetricPoint
from amlkit.workspace import JobFilter, Submission


class AzureJobs:
    """Command, sweep and pipeline jobs, their trials and steps, on Azure."""

    def __init__(self, client: ArmClient, datastores: AzureDatastores, sdk: Sdk) -> None:
        self._client = client
        self._datastores = datastores
        self._sdk = sdk

    @cached_property
    def _tracking(self) -> Tracking:
        return Tracking(self._client)

    # Submitting.

    def submit(self, submission: Submission) -> Job:
        """Send the code that is not there yet and start the job; return at once.

        Raises: Conflict: the name is taken. NotFound: something it refers to is missing.
        """
        name = submission.name or submission.spec.document.get("name")
        if name and self._exists(str(name)):
            raise Conflict(
                f"a job is already called `{name}`", hint="leave the name out, or choose another"
            )
        codes = CodeStore(self._client)
        entity = submitting.entity_of(submission, self._sdk, codes)
        made = self._sdk.call("job", lambda ml: ml.jobs.create_or_update(entity))
        submitted.note(self._client.workspace_id, codes.sent, str(made.name))
        return self._plain(str(made.name))

    def plan(self, submission: Submission) -> Mapping[str, JSON]:
        """Return the spec as it would be submitted; send nothing."""
        return submitting.plan_of(submission)

    def resume(self, name: str, *, failed: bool = False) -> Job:
        """Raises: NotSupported: Azure ML has no such thing."""
        self._plain(name)
        raise NotSupported(
            f"Azure ML cannot go on with job `{name}`",
            hint="submit its file again; a pipeline reuses the steps that have not changed",
        )

    # Reading.

    def _exists(self, name: str) -> bool:
        try:
            self._client.get(f"/jobs/{name}", f"job `{name}`")
        except NotFound:
            return False
        return True

    def _plain(self, name: str) -> Job:
        """Return the job as Azure Resource Manager has it; a trial or step from its run."""
        try:
            return job_records.of_job(self._client.get(f"/jobs/{name}", f"job `{name}`"))
        except NotFound as error:
            run = self._run(name)
            if run is None:
                raise self._missing(name, error) from None
            return job_records.of_run(run, None)

    def _run(self, name: str) -> dict[str, Any] | None:
        try:
            url = self._client.history(f"/runs/{name}")
            found: dict[str, Any] = self._client.request("GET", url, f"job `{name}`").json()
        except NotFound:
            return None
        return found

    def _missing(self, name: str, error: NotFound) -> NotFound:
        close = did_you_mean(name, [each.name for each in self.list(JobFilter(limit=200))])
        hint = f"did you mean `{close}`?" if close else "see `amlkit job list`"
        return NotFound(f"no job is called `{name}`", hint=hint)

    def get(self, name: str) -> Job:
        """Return the job as it stands now, with what its run logged. Raises: NotFound."""
        job = self._plain(name)
        run = self._run(name)
        if run is not None:
            of_run = job_records.of_run(run, job.parent)
            job = replace(
                job,
                parent=of_run.parent,
                root=of_run.root,
                parameters=of_run.parameters or job.parameters,
                started_at=of_run.started_at or job.started_at,
                ended_at=of_run.ended_at or job.ended_at,
                error=of_run.error,
                archived=job.archived or of_run.archived,
                properties={**job.properties, **of_run.properties},
                best_trial=of_run.best_trial or job.best_trial,
            )
        metrics, _ = self._tracking.latest(name)
        job = replace(job, metrics=metrics, best_trial=self._best(job))
        if job.type != "pipeline":
            return job
        steps = self._children(name)
        return replace(job, jobs=job_records.tree(steps, lambda each: self._children(each.name)))

    def _best(self, job: Job) -> Mapping[str, JSON] | None:
        if job.best_trial is None:
            return None
        name = str(job.best_trial["name"])
        metrics, given = self._tracking.latest(name)
        run = self._run(name)
        parameters = job_records.parameters_of(run) if run is not None else {}
        goal = job.spec.get("objective")
        metric = str(goal.get("primary_metric")) if isinstance(goal, Mapping) else ""
        return {
            "name": name,
            "objective": metrics.get(metric, job.best_trial["objective"]),
            "parameters": parameters or dict(given),
            "metrics": dict(metrics),
        }

    def list(self, wanted: JobFilter) -> Sequence[Job]:
        """Return jobs, newest first; the children of `parent` in their order."""
        if wanted.parent is not None:
            self._plain(wanted.parent)
            return [each for each in self._children(wanted.parent) if _matches(each, wanted)]
        view = {"listViewType": "All" if wanted.archived else "ActiveOnly"}
        found: list[Job] = []
        # Azure lists the newest first, so that a limit needs the first pages only.
        for resource in self._client.list("/jobs", "jobs", **view):
            job = job_records.of_job(resource)
            if _matches(job, wanted):
                found.append(job)
            if wanted.limit is not None and len(found) >= wanted.limit:
                break
        return sorted(found, key=lambda each: each.created_at, reverse=True)

    def _children(self, parent: str) -> Sequence[Job]:
        url = self._client.history(f"/runs/{parent}/children")
        runs = self._client.pages(url, f"children of `{parent}`")
        return sorted(
            (job_records.of_run(each, parent) for each in runs), key=lambda each: each.created_at
        )

    def wait(
        self, name: str, *, timeout_seconds: float | None, changed: Callable[[Job], None] | None
    ) -> Job:
        """Return when the job is final. Raises: WaitTimedOut: the job goes on."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        last = None
        while True:
            job = self._plain(name)
            if changed is not None and job.status is not last:
                changed(job)
                last = job.status
            if job.status.final:
                return self.get(name)
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimedOut(
                    f"job `{name}` is {job.status} after {timeout_seconds:g} s",
                    hint=f"it goes on: amlkit job wait {name}",
                )
            pause = _poll_seconds()
            if deadline is not None:
                pause = max(0.0, min(pause, deadline - time.monotonic()))
            time.sleep(pause)

    def log(self, name: str, *, follow: bool) -> Iterator[bytes]:
        """Yield the logs of every rank and child; with `follow`, until the job ends."""
        job = self._plain(name)
        reader = LogReader(self._client, name, lambda: self._voices(job))
        return reader.follow(_poll_seconds()) if follow else whole_log(reader)

    def _voices(self, job: Job) -> Iterator[tuple[str, str]]:
        if job.type == "pipeline":
            yield from ((each.name, each.display_name) for each in self._children(job.name))

    def metrics(self, name: str) -> Mapping[str, Sequence[MetricPoint]]:
        """Return every logged value by metric. Raises: NotFound."""
        self._plain(name)
        return self._tracking.all(name)

    def explain(self, name: str) -> Mapping[str, JSON]:
        """Return whether a pipeline's step (`JOB/STEP`) was reused; Azure ML tells no more.

        Raises: UsageError: it is no step. NotFound: no such job or step.
        """
        job, slash, step = name.partition("/")
        if not slash:
            raise UsageError(f"`{name}` is not a step of a pipeline", hint="name JOB/STEP")
        children = self._children(self._plain(job).name)
        found = next((each for each in children if step in {each.display_name, each.name}), None)
        if found is None:
            close = did_you_mean(step, [each.display_name for each in children])
            hint = f"did you mean `{close}`?" if close else f"amlkit job list --parent {job}"
            raise NotFound(f"pipeline `{job}` has no step `{step}`", hint=hint)
        reused = found.properties.get("azureml.isreused", "").lower() == "true"
        source = found.properties.get("azureml.reusedrunid")
        return {
            "name": step,
            "reused": reused,
            "why": "nothing it depends on has changed" if reused else "Azure ML does not tell",
            "compared_with": source,
            "changes": [],
        }

    # Changing.

    def cancel(self, name: str) -> Job:
        """Ask the job to stop; a final job stays as it is."""
        job = self._plain(name)
        if not job.status.final:
            self._client.send("POST", f"/jobs/{name}/cancel", f"job `{name}`")
        return self._plain(name)

    def archive(self, name: str, *, archived: bool) -> Job:
        """Hide the job from lists, or show it again."""
        return replace(self._patch(name, {"hidden": archived}), archived=archived)

    def tag(self, name: str, tags: Mapping[str, str]) -> Job:
        """Add or replace tags."""
        return self._patch(name, {"tags": dict(tags)})

    def _patch(self, name: str, change: Mapping[str, Any]) -> Job:
        job = self._plain(name)
        url = self._client.history(f"/experiments/{job.experiment_name}/runs/{name}")
        self._client.request("PATCH", url, f"job `{name}`", body=dict(change))
        return self._plain(name)

    # Outputs.

    @cached_property
    def _files(self) -> JobFiles:
        return JobFiles(self._client, self._datastores, self._sdk)

    def outputs(self, name: str) -> Mapping[str, str]:
        """Return the URI of each output; a sweep's are those of its best trial."""
        job = self._plain(name)
        if job.type == "sweep":
            best = self.get(name).best_trial
            return self.outputs(str(best["name"])) if best is not None else {}
        return self._files.places(job)

    def download(self, name: str, output: str | None, target: Path) -> Path:
        """Fetch one output below `target`; without one: outputs, logs and artifacts of the run.

        Raises: NotFound: no such output, or it was not written.
        """
        job = self._plain(name)
        if job.type == "sweep" and (best := self.get(name).best_trial) is not None:
            job = self._plain(str(best["name"]))
        if output is None:
            return self._files.download_all(job, target)
        return self._files.download(job, output, target)


def _poll_seconds() -> float:
    return number("azure_poll_seconds") or 2.0


def _matches(job: Job, wanted: JobFilter) -> bool:
    return (
        (wanted.status is None or job.status.lower() == wanted.status.lower())
        and (wanted.experiment is None or job.experiment_name == wanted.experiment)
        and all(job.tags.get(key) == value for key, value in wanted.tags.items())
        and (wanted.archived or not job.archived)
    )
