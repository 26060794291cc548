"""Fine-tuning and distillation jobs, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from amlkit.specs.connections import ServerlessConnection, WorkspaceConnection
from amlkit.specs.fields import Input, Spec, Whole, Word, optional, words
from amlkit.specs.jobs import JobWithInputs


class JobResources(Spec):
    """Job resources."""

    instance_types: list[str] = optional()


class CustomModelFineTuning(JobWithInputs):
    """Fine-tuning of a model of a registry."""

    model: Input
    task: Word = Field(
        pattern=words(
            "chat_completion",
            "image_classification",
            "image_instance_segmentation",
            "image_object_detection",
            "question_answering",
            "text_classification",
            "text_completion",
            "text_summarization",
            "text_translation",
            "token_classification",
            "video_multi_object_tracking",
        )
    )
    model_provider: Word = Field(pattern=words("custom"))
    resources: JobResources = optional()
    training_data: Input | str = optional()
    validation_data: Input | str = optional()
    hyperparameters: dict[str, str] = optional()


class AzureOpenAIHyperparameters(Spec):
    """Azure open AI hyperparameters."""

    n_epochs: Whole = optional()
    learning_rate_multiplier: float = optional()
    batch_size: Whole = optional()


class AzureOpenAIFineTuning(CustomModelFineTuning):
    """Fine-tuning of an Azure OpenAI model."""

    model_provider: Word = Field(pattern=words("azure_open_ai"))
    hyperparameters: AzureOpenAIHyperparameters = optional()  # type: ignore[assignment]


class EndpointRequestSettings(Spec):
    """Endpoint request settings."""

    request_batch_size: Whole = optional()
    min_endpoint_success_ratio: Any = None


class TeacherModelSettings(Spec):
    """Teacher model settings."""

    inference_parameters: dict[str, Any] = optional()
    endpoint_request_settings: EndpointRequestSettings = optional()


class PromptSettings(Spec):
    """Prompt settings."""

    enable_chain_of_thought: bool = optional()
    enable_chain_of_density: bool = optional()
    max_len_summary: Whole = optional()


class ResourceConfiguration(Spec):
    """Resources of a distillation."""

    instance_count: Whole = optional()
    instance_type: str = optional()
    properties: dict[str, Any] = optional()


class DistillationJob(JobWithInputs):
    """Distillation of a model."""

    data_generation_type: Word = Field(pattern=words("data_generation", "label_generation"))
    data_generation_task_type: Word = Field(
        pattern=words("conversation", "math", "nli", "nlu_qa", "summarization")
    )
    teacher_model_endpoint_connection: WorkspaceConnection | ServerlessConnection
    student_model: Input | str
    training_data: Input | str = optional()
    validation_data: Input | str = optional()
    teacher_model_settings: TeacherModelSettings = optional()
    prompt_settings: PromptSettings = optional()
    hyperparameters: dict[str, str] = optional()
    resources: ResourceConfiguration = optional()
