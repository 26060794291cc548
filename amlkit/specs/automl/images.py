"""AutoML jobs over images, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from pydantic import Field

from amlkit.specs.fields import Input, Resources, Spec, Whole, Word, optional, words
from amlkit.specs.jobs import AutoMLJob, Distributed, EarlyTermination, SamplingAlgorithm


class ImageLimits(Spec):
    """Image limits."""

    max_concurrent_trials: Whole = optional()
    max_trials: Whole = optional()
    timeout_minutes: Whole = optional()


class ImageSweepSettings(Spec):
    """Image sweep settings."""

    sampling_algorithm: Word | SamplingAlgorithm = optional()
    early_termination: EarlyTermination = optional()


class ImageModelSettingsClassification(Spec):
    """Image model settings classification."""

    ams_gradient: bool = optional()
    advanced_settings: str = optional()
    beta1: float = optional()
    beta2: float = optional()
    checkpoint_frequency: Whole = optional()
    checkpoint_run_id: str = optional()
    distributed: bool = optional()
    early_stopping: bool = optional()
    early_stopping_delay: Whole = optional()
    early_stopping_patience: Whole = optional()
    evaluation_frequency: Whole = optional()
    enable_onnx_normalization: bool = optional()
    gradient_accumulation_step: Whole = optional()
    layers_to_freeze: Whole = optional()
    learning_rate: float = optional()
    learning_rate_scheduler: Word = optional(pattern=words("none", "step", "warmup_cosine"))
    model_name: str = optional()
    momentum: float = optional()
    nesterov: bool = optional()
    number_of_epochs: Whole = optional()
    number_of_workers: Whole = optional()
    optimizer: Word = optional(pattern=words("adam", "adamw", "none", "sgd"))
    random_seed: Whole = optional()
    step_lr_gamma: float = optional()
    step_lr_step_size: Whole = optional()
    training_batch_size: Whole = optional()
    validation_batch_size: Whole = optional()
    warmup_cosine_lr_cycles: float = optional()
    warmup_cosine_lr_warmup_epochs: Whole = optional()
    weight_decay: float = optional()
    training_crop_size: Whole = optional()
    validation_crop_size: Whole = optional()
    validation_resize_size: Whole = optional()
    weighted_loss: Whole = optional()


class ImageModelDistributionSettingsClassification(Spec):
    """Image model distribution settings classification."""

    ams_gradient: Distributed | bool = optional()
    augmentations: Distributed | str = optional()
    beta1: float | Whole | Distributed = optional()
    beta2: float | Whole | Distributed = optional()
    distributed: Distributed | bool = optional()
    early_stopping: Distributed | bool = optional()
    early_stopping_delay: Whole | Distributed = optional()
    early_stopping_patience: Whole | Distributed = optional()
    evaluation_frequency: Whole | Distributed = optional()
    enable_onnx_normalization: Distributed | bool = optional()
    gradient_accumulation_step: Whole | Distributed = optional()
    layers_to_freeze: Whole | Distributed = optional()
    learning_rate: float | Whole | Distributed = optional()
    learning_rate_scheduler: Distributed | Word = optional()
    momentum: float | Whole | Distributed = optional()
    nesterov: Distributed | bool = optional()
    number_of_epochs: Whole | Distributed = optional()
    number_of_workers: Whole | Distributed = optional()
    optimizer: Distributed | Word = optional()
    random_seed: Whole | Distributed = optional()
    step_lr_gamma: float | Whole | Distributed = optional()
    step_lr_step_size: Whole | Distributed = optional()
    training_batch_size: Whole | Distributed = optional()
    validation_batch_size: Whole | Distributed = optional()
    warmup_cosine_lr_cycles: float | Whole | Distributed = optional()
    warmup_cosine_lr_warmup_epochs: Whole | Distributed = optional()
    weight_decay: float | Whole | Distributed = optional()
    model_name: Distributed | str = optional()
    training_crop_size: Whole | Distributed = optional()
    validation_crop_size: Whole | Distributed = optional()
    validation_resize_size: Whole | Distributed = optional()
    weighted_loss: Whole | Distributed = optional()


class ImageClassification(AutoMLJob):
    """Image classification.

    Reference: "CLI (v2) Automated ML image classification job YAML schema".
    """

    target_column_name: str
    task: Word = Field(pattern=words("image_classification"))
    environment_id: str = optional()
    environment_variables: dict[str, str] = optional()
    resources: Resources = optional()
    log_verbosity: Word = optional(
        pattern=words("critical", "debug", "error", "info", "not_set", "warning")
    )
    training_data: Input
    limits: ImageLimits = optional()
    sweep: ImageSweepSettings = optional()
    test_data: Input = optional()
    test_data_size: float = optional()
    validation_data: Input = optional()
    validation_data_size: float = optional()
    training_parameters: ImageModelSettingsClassification = optional()
    search_space: list[ImageModelDistributionSettingsClassification] = optional()
    primary_metric: Word = optional(
        pattern=words(
            "accuracy",
            "auc_weighted",
            "average_precision_score_weighted",
            "norm_macro_recall",
            "precision_score_weighted",
        )
    )


class ImageClassificationMultilabel(ImageClassification):
    """Multi-label image classification."""

    task: Word = Field(pattern=words("image_classification_multilabel"))
    primary_metric: Word = optional(
        pattern=words(
            "accuracy",
            "auc_weighted",
            "average_precision_score_weighted",
            "iou",
            "norm_macro_recall",
            "precision_score_weighted",
        )
    )


class ImageModelSettingsObjectDetection(Spec):
    """Image model settings object detection."""

    ams_gradient: bool = optional()
    advanced_settings: str = optional()
    beta1: float = optional()
    beta2: float = optional()
    checkpoint_frequency: Whole = optional()
    checkpoint_run_id: str = optional()
    distributed: bool = optional()
    early_stopping: bool = optional()
    early_stopping_delay: Whole = optional()
    early_stopping_patience: Whole = optional()
    evaluation_frequency: Whole = optional()
    enable_onnx_normalization: bool = optional()
    gradient_accumulation_step: Whole = optional()
    layers_to_freeze: Whole = optional()
    learning_rate: float = optional()
    learning_rate_scheduler: Word = optional(pattern=words("none", "step", "warmup_cosine"))
    model_name: str = optional()
    momentum: float = optional()
    nesterov: bool = optional()
    number_of_epochs: Whole = optional()
    number_of_workers: Whole = optional()
    optimizer: Word = optional(pattern=words("adam", "adamw", "none", "sgd"))
    random_seed: Whole = optional()
    step_lr_gamma: float = optional()
    step_lr_step_size: Whole = optional()
    training_batch_size: Whole = optional()
    validation_batch_size: Whole = optional()
    warmup_cosine_lr_cycles: float = optional()
    warmup_cosine_lr_warmup_epochs: Whole = optional()
    weight_decay: float = optional()
    box_detections_per_image: Whole = optional()
    box_score_threshold: float = optional()
    image_size: Whole = optional()
    max_size: Whole = optional()
    min_size: Whole = optional()
    model_size: Word = optional(pattern=words("extra_large", "large", "medium", "none", "small"))
    multi_scale: bool = optional()
    nms_iou_threshold: float = optional()
    tile_grid_size: str = optional()
    tile_overlap_ratio: float = optional()
    tile_predictions_nms_threshold: float = optional()
    validation_iou_threshold: float = optional()
    validation_metric_type: Word = optional(pattern=words("coco", "coco_voc", "none", "voc"))
    log_training_metrics: str = optional()
    log_validation_loss: str = optional()


class ImageModelDistributionSettingsObjectDetection(Spec):
    """Image model distribution settings object detection."""

    ams_gradient: Distributed | bool = optional()
    augmentations: Distributed | str = optional()
    beta1: float | Whole | Distributed = optional()
    beta2: float | Whole | Distributed = optional()
    distributed: Distributed | bool = optional()
    early_stopping: Distributed | bool = optional()
    early_stopping_delay: Whole | Distributed = optional()
    early_stopping_patience: Whole | Distributed = optional()
    evaluation_frequency: Whole | Distributed = optional()
    enable_onnx_normalization: Distributed | bool = optional()
    gradient_accumulation_step: Whole | Distributed = optional()
    layers_to_freeze: Whole | Distributed = optional()
    learning_rate: float | Whole | Distributed = optional()
    learning_rate_scheduler: Distributed | Word = optional()
    momentum: float | Whole | Distributed = optional()
    nesterov: Distributed | bool = optional()
    number_of_epochs: Whole | Distributed = optional()
    number_of_workers: Whole | Distributed = optional()
    optimizer: Distributed | Word = optional()
    random_seed: Whole | Distributed = optional()
    step_lr_gamma: float | Whole | Distributed = optional()
    step_lr_step_size: Whole | Distributed = optional()
    training_batch_size: Whole | Distributed = optional()
    validation_batch_size: Whole | Distributed = optional()
    warmup_cosine_lr_cycles: float | Whole | Distributed = optional()
    warmup_cosine_lr_warmup_epochs: Whole | Distributed = optional()
    weight_decay: float | Whole | Distributed = optional()
    box_detections_per_image: Whole | Distributed = optional()
    box_score_threshold: float | Whole | Distributed = optional()
    image_size: Whole | Distributed = optional()
    max_size: Whole | Distributed = optional()
    min_size: Whole | Distributed = optional()
    model_size: Distributed | Word = optional()
    multi_scale: Distributed | bool = optional()
    nms_iou_threshold: float | Whole | Distributed = optional()
    tile_grid_size: Distributed | str = optional()
    tile_overlap_ratio: float | Whole | Distributed = optional()
    tile_predictions_nms_threshold: float | Whole | Distributed = optional()
    validation_iou_threshold: float | Whole | Distributed = optional()
    validation_metric_type: Distributed | Word = optional()
    model_name: Distributed | str = optional()


class ImageObjectDetection(ImageClassification):
    """Object detection."""

    task: Word = Field(pattern=words("image_object_detection"))
    primary_metric: Word = optional(pattern=words("mean_average_precision"))
    training_parameters: ImageModelSettingsObjectDetection = optional()  # type: ignore[assignment]
    search_space: list[ImageModelDistributionSettingsObjectDetection] = optional()  # type: ignore[assignment]


class ImageModelDistributionSettingsInstanceSegmentation(Spec):
    """Image model distribution settings instance segmentation."""

    ams_gradient: Distributed | bool = optional()
    augmentations: Distributed | str = optional()
    beta1: float | Whole | Distributed = optional()
    beta2: float | Whole | Distributed = optional()
    distributed: Distributed | bool = optional()
    early_stopping: Distributed | bool = optional()
    early_stopping_delay: Whole | Distributed = optional()
    early_stopping_patience: Whole | Distributed = optional()
    evaluation_frequency: Whole | Distributed = optional()
    enable_onnx_normalization: Distributed | bool = optional()
    gradient_accumulation_step: Whole | Distributed = optional()
    layers_to_freeze: Whole | Distributed = optional()
    learning_rate: float | Whole | Distributed = optional()
    learning_rate_scheduler: Distributed | Word = optional()
    momentum: float | Whole | Distributed = optional()
    nesterov: Distributed | bool = optional()
    number_of_epochs: Whole | Distributed = optional()
    number_of_workers: Whole | Distributed = optional()
    optimizer: Distributed | Word = optional()
    random_seed: Whole | Distributed = optional()
    step_lr_gamma: float | Whole | Distributed = optional()
    step_lr_step_size: Whole | Distributed = optional()
    training_batch_size: Whole | Distributed = optional()
    validation_batch_size: Whole | Distributed = optional()
    warmup_cosine_lr_cycles: float | Whole | Distributed = optional()
    warmup_cosine_lr_warmup_epochs: Whole | Distributed = optional()
    weight_decay: float | Whole | Distributed = optional()
    box_detections_per_image: Whole | Distributed = optional()
    box_score_threshold: float | Whole | Distributed = optional()
    image_size: Whole | Distributed = optional()
    max_size: Whole | Distributed = optional()
    min_size: Whole | Distributed = optional()
    model_size: Distributed | Word = optional()
    multi_scale: Distributed | bool = optional()
    nms_iou_threshold: float | Whole | Distributed = optional()
    tile_grid_size: Distributed | str = optional()
    tile_overlap_ratio: float | Whole | Distributed = optional()
    tile_predictions_nms_threshold: float | Whole | Distributed = optional()
    validation_iou_threshold: float | Whole | Distributed = optional()
    validation_metric_type: Distributed | Word = optional()
    model_name: Distributed | str = optional()


class ImageInstanceSegmentation(ImageClassification):
    """Instance segmentation."""

    task: Word = Field(pattern=words("image_instance_segmentation"))
    primary_metric: Word = optional(pattern=words("mean_average_precision"))
    training_parameters: ImageModelSettingsObjectDetection = optional()  # type: ignore[assignment]
    search_space: list[ImageModelDistributionSettingsInstanceSegmentation] = optional()  # type: ignore[assignment]
