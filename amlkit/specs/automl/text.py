"""AutoML jobs over text, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from pydantic import Field

from amlkit.specs.fields import Input, Resources, Spec, Whole, Word, optional, words
from amlkit.specs.jobs import AutoMLJob, Distributed, EarlyTermination, SamplingAlgorithm


class NlpLimits(Spec):
    """Nlp limits."""

    max_concurrent_trials: Whole = optional()
    max_trials: Whole = optional()
    max_nodes: Whole = optional()
    timeout_minutes: Whole = optional()
    trial_timeout_minutes: Whole = optional()


class NlpSweepSettings(Spec):
    """Nlp sweep settings."""

    sampling_algorithm: Word | SamplingAlgorithm = optional()
    early_termination: EarlyTermination = optional()


class NlpFixedParameters(Spec):
    """Nlp fixed parameters."""

    gradient_accumulation_steps: Whole = optional()
    learning_rate: float = optional()
    learning_rate_scheduler: Word = optional(
        pattern=words(
            "constant",
            "constant_with_warmup",
            "cosine",
            "cosine_with_restarts",
            "linear",
            "none",
            "polynomial",
        )
    )
    model_name: str = optional()
    number_of_epochs: Whole = optional()
    training_batch_size: Whole = optional()
    validation_batch_size: Whole = optional()
    warmup_ratio: float = optional()
    weight_decay: float = optional()


class NlpParameterSubspace(Spec):
    """Nlp parameter subspace."""

    gradient_accumulation_steps: Whole | Distributed = optional()
    learning_rate: float | Whole | Distributed = optional()
    learning_rate_scheduler: Word | Distributed = optional()
    model_name: str | Distributed = optional()
    number_of_epochs: Whole | Distributed = optional()
    training_batch_size: Whole | Distributed = optional()
    validation_batch_size: Whole | Distributed = optional()
    warmup_ratio: float | Whole | Distributed = optional()
    weight_decay: float | Whole | Distributed = optional()


class NlpFeaturizationSettings(Spec):
    """Nlp featurization settings."""

    dataset_language: str = optional()


class TextClassification(AutoMLJob):
    """Text classification.

    Reference: "CLI (v2) Automated ML text classification job YAML schema".
    """

    task: Word = Field(pattern=words("text_classification"))
    target_column_name: str
    environment_id: str = optional()
    environment_variables: dict[str, str] = optional()
    resources: Resources = optional()
    log_verbosity: Word = optional(
        pattern=words("critical", "debug", "error", "info", "not_set", "warning")
    )
    training_data: Input = optional()
    limits: NlpLimits = optional()
    sweep: NlpSweepSettings = optional()
    training_parameters: NlpFixedParameters = optional()
    search_space: list[NlpParameterSubspace] = optional()
    featurization: NlpFeaturizationSettings = optional()
    validation_data: Input = optional()
    primary_metric: Word = optional(
        pattern=words(
            "accuracy",
            "auc_weighted",
            "average_precision_score_weighted",
            "norm_macro_recall",
            "precision_score_weighted",
        )
    )


class TextClassificationMultilabel(TextClassification):
    """Multi-label text classification."""

    task: Word = Field(pattern=words("text_classification_multilabel"))
    primary_metric: Word = optional(pattern=words("accuracy"))


class TextNer(TextClassification):
    """Named entity recognition."""

    task: Word = Field(pattern=words("text_ner"))
    primary_metric: Word = optional(pattern=words("accuracy"))
    target_column_name: str = optional()
