"""What can be submitted beside a YAML file: a pipeline from Python, a dict, an Azure SDK job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from amlkit.errors import InvalidSpec, Problem, UsageError
from amlkit.light import replace
from amlkit.services.pipelines.building import Pipeline

if TYPE_CHECKING:
    from amlkit.specs import Loaded


class AzureJob(Protocol):
    """A job of the Azure SDK, such as `azure.ai.ml.dsl.pipeline` builds."""

    def _to_dict(self) -> Mapping[str, Any]: ...


def load_job(source: object, overrides: Sequence[str] = (), *, lenient: bool = False) -> Loaded:
    """Return a checked job; its local paths are relative to the current folder.

    Raises: InvalidSpec, NotFound. UsageError: nothing that a job can be made of.
    """
    from amlkit import specs

    name, document = _document(source)
    import yaml

    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    try:
        return specs.load(
            "-", kind="job", overrides=overrides, lenient=lenient, text=text, by_program=True
        )
    except InvalidSpec as error:
        raise InvalidSpec([_placeless(each, name) for each in error.problems]) from None


def _document(source: object) -> tuple[str, dict[str, Any]]:
    if isinstance(source, Pipeline):
        return f"<pipeline {source.name}>", source.as_spec()
    if isinstance(source, Mapping):
        return "<job>", dict(source)
    if type(source).__module__.startswith("azure.ai.ml."):
        job: Any = source
        return "<job of azure-ai-ml>", _plain(job._to_dict())
    raise UsageError(
        f"a {type(source).__name__} is not a job",
        hint="give a YAML file, what a `@pipeline` function returns, or a dict",
    )


def _plain(value: Any) -> Any:
    """Return plain data, without what the SDK's writer adds.

    It writes a binding as `{path: ${{...}}}`, and a local path `data` as if it were an asset.
    """
    if isinstance(value, Mapping):
        if list(value) == ["path"] and str(value["path"]).startswith("${{"):
            return str(value["path"])
        found = {str(key): _plain(each) for key, each in value.items()}
        local = str(found.get("path") or "").removeprefix("azureml:")
        if found.get("path") == f"azureml:{local}" and Path(local).exists():
            found["path"] = local
        return found
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool | int | float | type(None)) else str(value)


def _placeless(problem: Problem, name: str) -> Problem:
    """Return a problem without a line of a text that nobody has written."""
    return replace(problem, file=name, line=0, column=0) if problem.file == "<stdin>" else problem
