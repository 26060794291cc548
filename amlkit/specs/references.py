"""References as they stand in YAML: assets, registries, datastores, jobs, runs, addresses, files.

Source: "Core syntax for the Azure Machine Learning CLI (v2)": referencing assets, data reference
URIs; "Access data in a job": supported paths.
"""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import urlsplit

from amlkit.errors import did_you_mean
from amlkit.light import dataclass


class Kind(StrEnum):
    """What a reference leads to."""

    ASSET = "asset"
    REGISTRY_ASSET = "registry asset"
    WORKSPACE_ASSET = "workspace asset"
    DATASTORE = "datastore"
    JOB_OUTPUT = "job output"
    RUN = "run"
    GIT = "git"
    URL = "url"
    STORAGE = "storage"
    ARM_ID = "ARM id"
    FILE = "file"


@dataclass(frozen=True)
class Reference:
    """A reference, taken apart.

    name: of the asset, datastore, job or run. owner: registry or workspace that it is in.
    family: `data`, `models`, `environments`, `components`, `codes` of a registry or workspace.
    version, label: of an asset; both None means that neither is said.
    output: of a job. path: within the datastore, output or run; else the address or file itself.
    """

    kind: Kind
    name: str = ""
    version: str | None = None
    label: str | None = None
    owner: str | None = None
    family: str | None = None
    output: str | None = None
    path: str | None = None


class BadReference(ValueError):
    """A text that looks like a reference and is none. hint: what to write."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


_STORAGE = ("wasb", "wasbs", "abfs", "abfss", "adl", "hdfs", "s3", "gs", "dbfs")
_NAME = r"[^:/@\s]+"
_SHORT = re.compile(rf"^azureml:(?P<name>{_NAME})(?::(?P<version>[^@/\s]+)|@(?P<label>[^:/\s]+))?$")
_IN = r"(?:/versions/(?P<version>[^/]+)|/labels/(?P<label>[^/]+))?/?$"
_REGISTRY = re.compile(rf"^registries/(?P<owner>[^/]+)/(?P<family>[^/]+)/(?P<name>[^/]+){_IN}")
_DATASTORE = re.compile(r"^datastores/(?P<name>[^/]+)(?:/paths/(?P<path>.*))?/?$")
_JOB = re.compile(r"^jobs/(?P<name>[^/]+)/outputs/(?P<output>[^/]+)(?:/paths/(?P<path>.*))?/?$")
_LONG = re.compile(
    r"^(?:subscriptions/[^/]+/resource[gG]roups/[^/]+(?:/providers/Microsoft\.\w+)?|locations/[^/]+)"
    r"/workspaces/(?P<owner>[^/]+)/(?P<rest>.+)$"
)
_FAMILY = re.compile(rf"^(?P<family>[^/]+)/(?P<name>[^/]+){_IN}")
FAMILIES = ("data", "models", "environments", "components", "codes")
_HEADS = ("registries", "datastores", "jobs", "subscriptions", "locations")


def parse(text: str) -> Reference:
    """Return a reference taken apart. Raises: BadReference."""
    scheme = text.partition(":")[0].lower() if ":" in text else ""
    if text.startswith("/subscriptions/"):
        return Reference(Kind.ARM_ID, path=text)
    if scheme == "azureml":
        return _azureml(text)
    if scheme == "runs":
        return _run(text)
    if scheme.startswith("git+") or scheme == "git":
        return Reference(Kind.GIT, path=text)
    if scheme in {"http", "https"}:
        return _url(text)
    if scheme in _STORAGE:
        return Reference(Kind.STORAGE, path=text)
    if scheme == "file":
        return Reference(Kind.FILE, path=text.removeprefix("file://").removeprefix("file:"))
    return Reference(Kind.FILE, path=text)


def is_open(text: str) -> bool:
    """Whether a text has places that are filled in later: `${{...}}`, `<NAME>`, `{NAME}`."""
    return "${{" in text or "<" in text or "{" in text


def is_local(text: str) -> bool:
    """Whether a text names a file or folder beside the YAML. An ill-formed reference does not."""
    try:
        return parse(text).kind is Kind.FILE
    except BadReference:
        return False


def _azureml(text: str) -> Reference:
    if not text.startswith("azureml://"):
        return _short(text)
    rest = text.removeprefix("azureml://")
    if (found := _LONG.match(rest)) is not None:
        return _within(found["owner"], found["rest"], text)
    if (found := _REGISTRY.match(rest)) is not None:
        _check_family(found["family"], text)
        return Reference(
            Kind.REGISTRY_ASSET,
            found["name"],
            found["version"],
            found["label"],
            found["owner"],
            found["family"],
        )
    return _datastore_or_job(rest, None, text)


def _within(owner: str, rest: str, text: str) -> Reference:
    """Return what is in another workspace: an asset, a path of a datastore, an output of a job."""
    if rest.startswith(("datastores/", "jobs/")):
        return _datastore_or_job(rest, owner, text)
    found = _FAMILY.match(rest)
    if found is None:
        raise BadReference(f"`{text}` names nothing", "end it with /data/NAME/versions/VERSION")
    _check_family(found["family"], text)
    return Reference(
        Kind.WORKSPACE_ASSET,
        found["name"],
        found["version"],
        found["label"],
        owner,
        found["family"],
    )


def _datastore_or_job(rest: str, owner: str | None, text: str) -> Reference:
    if (found := _DATASTORE.match(rest)) is not None:
        return Reference(Kind.DATASTORE, found["name"], owner=owner, path=found["path"] or "")
    if (found := _JOB.match(rest)) is not None:
        return Reference(
            Kind.JOB_OUTPUT,
            found["name"],
            owner=owner,
            output=found["output"],
            path=found["path"] or "",
        )
    head = rest.partition("/")[0]
    if head == "datastores":
        raise BadReference(
            f"`{text}` is no path of a datastore",
            "write azureml://datastores/NAME/paths/PATH",
        )
    if head == "jobs":
        raise BadReference(
            f"`{text}` is no output of a job",
            "write azureml://jobs/NAME/outputs/OUTPUT/paths/PATH",
        )
    close = did_you_mean(head, _HEADS)
    known = ", ".join(_HEADS)
    raise BadReference(
        f"`{text}` is no reference of Azure ML",
        f"did you mean `azureml://{close}/...`?"
        if close
        else f"after azureml:// comes one of {known}",
    )


def _check_family(family: str, text: str) -> None:
    if family not in FAMILIES:
        close = did_you_mean(family, FAMILIES)
        hint = f"did you mean `{close}`?" if close else f"use one of {', '.join(FAMILIES)}"
        raise BadReference(f"`{text}`: nothing is kept under `{family}`", hint)


def _short(text: str) -> Reference:
    if text.startswith(("azureml:/subscriptions/", "azureml:subscriptions/")):
        return Reference(Kind.ARM_ID, path=text.removeprefix("azureml:"))
    found = _SHORT.match(text)
    if found is None:
        raise BadReference(
            f"`{text}` is no reference to an asset",
            "write azureml:NAME:VERSION, azureml:NAME@latest or azureml:NAME",
        )
    return Reference(Kind.ASSET, found["name"], found["version"], found["label"])


def _run(text: str) -> Reference:
    name, _, path = text.removeprefix("runs:").strip("/").partition("/")
    if not name or not text.startswith("runs:/"):
        raise BadReference(f"`{text}` names no run", "write runs:/RUN_ID/PATH")
    return Reference(Kind.RUN, name, path=path)


def _url(text: str) -> Reference:
    try:
        host = urlsplit(text).hostname
    except ValueError:
        host = None
    if not host:
        raise BadReference(f"`{text}` names no host", "write https://HOST/PATH")
    return Reference(Kind.URL, path=text)
