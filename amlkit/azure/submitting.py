"""From a checked spec to a job on Azure ML: code under amlkit's rules, the rest by the SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amlkit.azure.sdk import Sdk
from amlkit.azure.uploads import CodeStore
from amlkit.errors import NotSupported
from amlkit.records import JSON
from amlkit.workspace import Submission

_REMOTE = ("azureml:", "http://", "https://", "git+", "/subscriptions/")


def document_of(submission: Submission) -> dict[str, Any]:
    """Return the spec as it will be submitted, with what the command line says put in.

    Raises: NotSupported: something that only the embedded workspace does.
    """
    for asked, what in (
        (submission.current_python, "run in this machine's Python"),
        (submission.reuse_from, "reuse the steps of another run by name"),
        (submission.only or submission.from_step, "run a part of a pipeline"),
    ):
        if asked:
            raise NotSupported(
                f"an Azure ML workspace cannot {what}", hint="amlkit -w local job submit ..."
            )
    document = dict(submission.spec.document)
    document.setdefault("type", submission.spec.kind.split(".")[1])
    if submission.name:
        document["name"] = submission.name
    if submission.experiment:
        document["experiment_name"] = submission.experiment
    if submission.tags:
        document["tags"] = {**(document.get("tags") or {}), **submission.tags}
    if submission.force_rerun:
        document["settings"] = {**(document.get("settings") or {}), "force_rerun": True}
    return document


def entity_of(submission: Submission, sdk: Sdk, codes: CodeStore) -> Any:
    """Return the SDK's job, with every code folder sent and put in its place.

    Raises: UsageError: the SDK refuses the spec. NotFound, AmlkitError: a code folder.
    """
    job = sdk.load("job", document_of(submission), submission.spec.base)
    for owner, base in _with_code(job, submission.spec.base):
        _place_code(owner, base, codes, allow_secrets=submission.allow_secrets)
    if submission.environment is not None:
        for each in _with_environment(job):
            each.environment = _environment(submission.environment)
    return job


def plan_of(submission: Submission) -> Mapping[str, JSON]:
    """Return the spec as it would be submitted."""
    document = document_of(submission)
    if submission.environment is not None:
        document["environment"] = _environment(submission.environment)
    return document


def _with_code(job: Any, base: Path) -> Iterator[tuple[Any, Path]]:
    """Yield what has a `code`, with the folder that it is relative to."""
    if getattr(job, "jobs", None):
        for node in job.jobs.values():
            yield from _with_code(_component(node) or node, _base(node, base))
        return
    trial = getattr(job, "trial", None)
    task = getattr(job, "task", None)
    yield from ((each, _base(each, base)) for each in (job, trial, task) if _has_code(each))


def _component(node: Any) -> Any:
    for name in ("component", "trial"):
        found = getattr(node, name, None)
        if found is not None and not isinstance(found, str):
            return found
    return None


def _base(owner: Any, base: Path) -> Path:
    component = _component(owner)
    for each in (component, owner):
        found = getattr(each, "base_path", None)
        if found:
            return Path(str(found))
    return base


def _has_code(owner: Any) -> bool:
    code = getattr(owner, "code", None)
    return isinstance(code, str | Path) and not str(code).startswith(_REMOTE)


def _place_code(owner: Any, base: Path, codes: CodeStore, *, allow_secrets: bool) -> None:
    given = getattr(owner, "additional_includes", None) or ()
    includes = [base / str(each) for each in given if isinstance(each, str)]
    stored = codes.store(
        base / str(owner.code).removeprefix("file:"), includes, allow_secrets=allow_secrets
    )
    owner.code = str(stored["id"])
    if given:
        owner.additional_includes = []


def _with_environment(job: Any) -> Iterator[Any]:
    if getattr(job, "jobs", None):
        for node in job.jobs.values():
            yield from _with_environment(_component(node) or node)
        return
    yield from (each for each in (getattr(job, "trial", None), job) if hasattr(each, "environment"))


def _environment(reference: str) -> str:
    plain = reference.removeprefix("azureml:")
    versioned = plain if ":" in plain or "@" in plain else f"{plain}@latest"
    return f"azureml:{versioned}"
