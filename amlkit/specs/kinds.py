"""Which kinds of spec there are, which model reads each, and how a file's kind is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from amlkit.errors import InvalidSpec, UsageError, did_you_mean
from amlkit.specs.source import Source

if TYPE_CHECKING:
    from pydantic import BaseModel

# kind -> module and model; a module is imported when its kind is read.
KINDS = {
    "job.command": ("jobs", "CommandJob"),
    "job.sweep": ("jobs", "SweepJob"),
    "job.pipeline": ("pipelines", "PipelineJob"),
    "job.spark": ("spark", "SparkJob"),
    "job.automl.classification": ("automl.tabular", "AutoMLClassification"),
    "job.automl.regression": ("automl.tabular", "AutoMLRegression"),
    "job.automl.forecasting": ("automl.tabular", "AutoMLForecasting"),
    "job.automl.text_classification": ("automl.text", "TextClassification"),
    "job.automl.text_classification_multilabel": ("automl.text", "TextClassificationMultilabel"),
    "job.automl.text_ner": ("automl.text", "TextNer"),
    "job.automl.image_classification": ("automl.images", "ImageClassification"),
    "job.automl.image_classification_multilabel": (
        "automl.images",
        "ImageClassificationMultilabel",
    ),
    "job.automl.image_object_detection": ("automl.images", "ImageObjectDetection"),
    "job.automl.image_instance_segmentation": ("automl.images", "ImageInstanceSegmentation"),
    "job.finetuning.custom": ("finetuning", "CustomModelFineTuning"),
    "job.finetuning.azure_openai": ("finetuning", "AzureOpenAIFineTuning"),
    "job.distillation": ("finetuning", "DistillationJob"),
    "component.command": ("assets", "CommandComponent"),
    "component.pipeline": ("pipelines", "PipelineComponent"),
    "component.parallel": ("pipelines", "ParallelComponent"),
    "component.spark": ("pipelines", "SparkComponent"),
    "data": ("assets", "DataAsset"),
    "data_import": ("imports", "DataImport"),
    "model": ("assets", "ModelAsset"),
    "model_package": ("imports", "ModelPackage"),
    "environment": ("fields", "Environment"),
    "datastore.local": ("assets", "LocalDatastore"),
    "datastore.azure_blob": ("datastores", "AzureBlob"),
    "datastore.azure_file": ("datastores", "AzureFile"),
    "datastore.azure_data_lake_gen1": ("datastores", "AzureDataLakeGen1"),
    "datastore.azure_data_lake_gen2": ("datastores", "AzureDataLakeGen2"),
    "datastore.one_lake": ("datastores", "OneLake"),
    "compute.amlcompute": ("computes", "AmlCompute"),
    "compute.computeinstance": ("computes", "ComputeInstance"),
    "compute.kubernetes": ("computes", "KubernetesCompute"),
    "compute.virtualmachine": ("computes", "VirtualMachineCompute"),
    "compute.synapsespark": ("computes", "SynapseSparkCompute"),
    "online_endpoint.managed": ("endpoints", "ManagedOnlineEndpoint"),
    "online_endpoint.kubernetes": ("endpoints", "KubernetesOnlineEndpoint"),
    "online_deployment.managed": ("deployments", "ManagedOnlineDeployment"),
    "online_deployment.kubernetes": ("deployments", "KubernetesOnlineDeployment"),
    "batch_endpoint": ("endpoints", "BatchEndpoint"),
    "batch_deployment.default": ("deployments", "BatchDeployment"),
    "batch_deployment.model": ("deployments", "ModelBatchDeployment"),
    "batch_deployment.pipeline": ("deployments", "PipelineComponentBatchDeployment"),
    "serverless_endpoint": ("endpoints", "ServerlessEndpoint"),
    "schedule.job": ("schedules", "JobSchedule"),
    "schedule.import": ("schedules", "ImportSchedule"),
    "schedule.monitor": ("schedules", "MonitorSchedule"),
    "workspace.default": ("workspaces", "Workspace"),
    "workspace.hub": ("workspaces", "Hub"),
    "workspace.project": ("workspaces", "Project"),
    "registry": ("workspaces", "Registry"),
    "connection.azure_blob": ("connections", "AzureBlobStoreConnection"),
    "connection.azure_one_lake": ("connections", "MicrosoftOneLakeConnection"),
    "connection.azure_open_ai": ("connections", "AzureOpenAIConnection"),
    "connection.azure_ai_services": ("connections", "AzureAIServicesConnection"),
    "connection.azure_ai_search": ("connections", "AzureAISearchConnection"),
    "connection.azure_content_safety": ("connections", "AzureContentSafetyConnection"),
    "connection.azure_speech_services": ("connections", "AzureSpeechServicesConnection"),
    "connection.api_key": ("connections", "APIKeyConnection"),
    "connection.open_ai": ("connections", "OpenAIConnection"),
    "connection.serp": ("connections", "SerpConnection"),
    "connection.serverless": ("connections", "ServerlessConnection"),
    "connection.other": ("connections", "WorkspaceConnection"),
    "feature_set": ("features", "FeatureSet"),
    "feature_store": ("features", "FeatureStore"),
    "feature_store_entity": ("features", "FeatureStoreEntity"),
    "conda": ("assets", "CondaFile"),
    "mltable": ("mltable", "MLTable"),
}

# What a `$schema` begins with -> family or kind.
_SCHEMAS = {
    "commandjob": "job.command",
    "sweepjob": "job.sweep",
    "pipelinejob": "job.pipeline",
    "automl": "job.automl",
    "sparkjob": "job.spark",
    "finetuning": "job.finetuning",
    "distillation": "job.distillation",
    "commandcomponent": "component.command",
    "pipelinecomponent": "component.pipeline",
    "parallelcomponent": "component.parallel",
    "sparkcomponent": "component.spark",
    "dataimport": "data_import",
    "data.": "data",
    "modelversionpackage": "model_package",
    "model.": "model",
    "environment.": "environment",
    "azureblob": "datastore.azure_blob",
    "azurefile": "datastore.azure_file",
    "azuredatalakegen1": "datastore.azure_data_lake_gen1",
    "azuredatalakegen2": "datastore.azure_data_lake_gen2",
    "amlcompute": "compute.amlcompute",
    "computeinstance": "compute.computeinstance",
    "kubernetescompute": "compute.kubernetes",
    "vmcompute": "compute.virtualmachine",
    "synapsespark": "compute.synapsespark",
    "managedonlineendpoint": "online_endpoint",
    "kubernetesonlineendpoint": "online_endpoint.kubernetes",
    "managedonlinedeployment": "online_deployment",
    "kubernetesonlinedeployment": "online_deployment.kubernetes",
    "batchendpoint": "batch_endpoint",
    "batchdeployment": "batch_deployment",
    "modelbatchdeployment": "batch_deployment.model",
    "pipelinecomponentbatchdeployment": "batch_deployment.pipeline",
    "serverlessendpoint": "serverless_endpoint",
    "marketplace": "serverless_endpoint",
    "schedule": "schedule",
    "monitorschedule": "schedule.monitor",
    "workspaceconnection": "connection",
    "connection": "connection",
    "workspace.": "workspace",
    "hub": "workspace.hub",
    "project": "workspace.project",
    "registry": "registry",
    "featuresetentity": "feature_store_entity",
    "featurestoreentity": "feature_store_entity",
    "featurestore": "feature_store",
    "featureset": "feature_set",
    "mltable": "mltable",
}


def model_of(kind: str) -> type[BaseModel]:
    """Return the model of a kind. Raises: UsageError: this version does not read it."""
    if kind not in KINDS:
        close = did_you_mean(kind, KINDS)
        known = ", ".join(KINDS)
        raise UsageError(
            f"no kind of spec is called `{kind}`",
            hint=f"did you mean `{close}`?" if close else f"known are {known}",
        )
    module, name = KINDS[kind]
    found: type[BaseModel] = getattr(import_module(f"amlkit.specs.{module}"), name)
    return found


def find(parsed: Source, wanted: str | None) -> str:
    """Return the kind of a document. wanted: the family or kind that it has to be.

    Raises: InvalidSpec: it is another, or none that is known.
    """
    found = _found(parsed.data, wanted)
    if wanted is not None and found != wanted and not found.startswith(wanted + "."):
        message = f"this is a {noun(found)}, not a {noun(wanted)}"
        raise InvalidSpec([parsed.problem(("type",), message, code="kind")])
    if found not in KINDS:
        raise _unknown(parsed, found)
    return found


def _unknown(parsed: Source, found: str) -> InvalidSpec:
    family = found.split(".", maxsplit=1)[0]
    known = sorted(kind for kind in KINDS if kind.split(".")[0] == family)
    close = did_you_mean(found, known)
    names = ", ".join(kind.rpartition(".")[2] for kind in known)
    hint = f"did you mean `{close.rpartition('.')[2]}`?" if close else f"use one of {names}"
    field = "task" if found.startswith("job.automl") else "type"
    named = parsed.data.get(field)
    if named is None:
        message = f"`{field}` is missing: a {noun(family)} has one"
    else:
        message = f"`{named}` is not a {field} of a {noun(family)}"
    return InvalidSpec([parsed.problem((field,), message, hint if known else None, code="kind")])


def family_of(data: Any) -> str | None:
    """Return the kind that a document most likely has, or None; it may be invalid."""
    return _found(data, None) if isinstance(data, Mapping) else None


def noun(kind: str) -> str:
    """Return a kind as people call it: `command job`, `blob datastore`."""
    family, _, member = kind.partition(".")
    return f"{member} {family}".replace("_", " ").replace(".", " ").strip()


def _found(data: Mapping[str, Any], wanted: str | None) -> str:
    if wanted in KINDS:
        return str(wanted)
    if wanted is not None:
        return _member(wanted, data)
    schema = str(data.get("$schema") or "").rsplit("/", 1)[-1].lower()
    by_schema = next((kind for name, kind in _SCHEMAS.items() if schema.startswith(name)), None)
    return _member(by_schema or _by_content(data, _text(data, "type")), data)


def _text(data: Mapping[str, Any], field: str) -> str:
    return str(data.get(field) or "").strip()


def _member(family: str, data: Mapping[str, Any]) -> str:
    """Return the kind within a family; a kind stays what it is."""
    member = _MEMBERS.get(family)
    return f"{family}.{member(data)}" if member is not None else family


def _job(data: Mapping[str, Any]) -> str:
    written = _text(data, "type") or _untyped_job(data)
    return _member(f"job.{written}", data).removeprefix("job.")


def _untyped_job(data: Mapping[str, Any]) -> str:
    if "jobs" in data:
        return "pipeline"
    return "sweep" if "trial" in data else "command"


def _schedule(data: Mapping[str, Any]) -> str:
    if "import_data" in data:
        return "import"
    return "monitor" if "create_monitor" in data else "job"


def _connection(data: Mapping[str, Any]) -> str:
    written = _text(data, "type").lower()
    return written if f"connection.{written}" in KINDS else "other"


def _typed(default: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda data: _text(data, "type").lower() or default


# family -> how its member is found.
_MEMBERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "job": _job,
    "job.automl": lambda data: _text(data, "task").lower().replace("-", "_"),
    "job.finetuning": lambda data: _text(data, "model_provider").lower() or "custom",
    "component": _typed("command"),
    "datastore": _typed(""),
    "compute": _typed(""),
    "connection": _connection,
    "online_endpoint": lambda data: "kubernetes" if data.get("compute") else "managed",
    "online_deployment": _typed("managed"),
    "batch_deployment": _typed("default"),
    "schedule": _schedule,
    "workspace": lambda data: _text(data, "kind").lower() or "default",
}


def _by_content(data: Mapping[str, Any], written: str) -> str:
    word = written.lower()
    if "source" in data and "path" in data and "jobs" not in data:
        return "data_import"
    if {"paths", "transformations"} & data.keys() and written in {"", "mltable"}:
        return "mltable"
    if written in {"uri_file", "uri_folder", "mltable"}:
        return "data"
    if written.endswith("_model"):
        return "model"
    for family in ("datastore", "compute"):
        if f"{family}.{word}" in KINDS:
            return _storage(family, word, data)
    if "dependencies" in data and "image" not in data:
        return "conda"
    if "trigger" in data and {"create_job", "import_data", "create_monitor"} & data.keys():
        return "schedule"
    if "endpoint_name" in data:
        return "online_deployment" if "instance_type" in data else "batch_deployment"
    if {"target", "credentials"} & data.keys() and written:
        return "connection"
    return _job_or_component(data, written)


def _storage(family: str, word: str, data: Mapping[str, Any]) -> str:
    """Tell a blob datastore from a connection to blob storage."""
    if word == "azure_blob" and {"target", "url"} & data.keys():
        return "connection"
    return f"{family}.{word}"


def _job_or_component(data: Mapping[str, Any], written: str) -> str:
    if written == "sweep" or "trial" in data:
        return "job.sweep"
    if written == "pipeline" or "jobs" in data:
        job_only = {"compute", "experiment_name", "settings", "component"} & data.keys()
        versioned = "version" in data or _typed_ports(data)
        return "component.pipeline" if versioned and not job_only else "job.pipeline"
    if written == "parallel":
        return "component.parallel"
    if written == "command" or "command" in data:
        job_only = {"compute", "experiment_name", "limits", "services"} & data.keys()
        component = (_typed_ports(data) or "version" in data) and not job_only
        return "component.command" if component and written == "command" else "job.command"
    if "image" in data or "conda_file" in data or "build" in data:
        return "environment"
    return _other(data, written)


def _other(data: Mapping[str, Any], written: str) -> str:
    if written:
        return f"job.{written}"
    if "replication_locations" in data:
        return "registry"
    if "specification" in data and "entities" in data:
        return "feature_set"
    if "index_columns" in data:
        return "feature_store_entity"
    if "model_id" in data:
        return "serverless_endpoint"
    if "auth_mode" in data or "traffic" in data:
        return "online_endpoint"
    if {"resource_group", "hbi_workspace", "managed_network"} & data.keys():
        return "workspace"
    return "job.command"


def _typed_ports(data: Mapping[str, Any]) -> bool:
    inputs = data.get("inputs")
    ports = inputs.values() if isinstance(inputs, Mapping) else ()
    return any(isinstance(each, Mapping) and "path" not in each for each in ports)
