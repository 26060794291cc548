"""Model monitors, as the YAML reference of schedules names their fields."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from amlkit.specs.fields import Input, Spec, Whole, Word, optional, words


class ServerlessSparkCompute(Spec):
    """Serverless spark compute."""

    compute_type: str = optional()
    runtime_version: str = optional()
    instance_type: str = optional()


class MonitoringTarget(Spec):
    """Monitoring target."""

    model_id: str = optional()
    ml_task: Word = optional(pattern=words("classification", "questionanswering", "regression"))
    endpoint_deployment_id: str = optional()


class BaselineDataRange(Spec):
    """Baseline data range."""

    window_start: str = optional()
    window_end: str = optional()
    lookback_window_size: str = optional()
    lookback_window_offset: str = optional()


class ProductionData(Spec):
    """Production data."""

    input_data: Input = optional()
    data_context: Word = optional(
        pattern=words(
            "ground_truth", "model_inputs", "model_outputs", "test", "training", "validation"
        )
    )
    pre_processing_component: str = optional()
    data_window: BaselineDataRange = optional()
    data_column_names: dict[str, str] = optional()


class ReferenceData(Spec):
    """Reference data."""

    input_data: Input = optional()
    data_context: Word = optional(
        pattern=words(
            "ground_truth", "model_inputs", "model_outputs", "test", "training", "validation"
        )
    )
    pre_processing_component: str = optional()
    target_column_name: str = optional()
    data_window: BaselineDataRange = optional()
    data_column_names: dict[str, str] = optional()


class MonitorFeatureFilter(Spec):
    """Monitor feature filter."""

    top_n_feature_importance: Whole = optional()


class NumericalDriftMetrics(Spec):
    """Numerical drift metrics."""

    jensen_shannon_distance: Any = None
    normalized_wasserstein_distance: Any = None
    population_stability_index: Any = None
    two_sample_kolmogorov_smirnov_test: Any = None


class CategoricalDriftMetrics(Spec):
    """Categorical drift metrics."""

    jensen_shannon_distance: Any = None
    population_stability_index: Any = None
    pearsons_chi_squared_test: Any = None


class DataDriftMetricThreshold(Spec):
    """Data drift metric threshold."""

    threshold: Any = None
    data_type: Word = optional(pattern=words("categorical", "numerical"))
    numerical: NumericalDriftMetrics = optional()
    categorical: CategoricalDriftMetrics = optional()


class DataSegment(Spec):
    """Data segment."""

    feature_name: str = optional()
    feature_values: list[str] = optional()


class DataDriftSignal(Spec):
    """Data drift signal."""

    type: Word = Field(pattern=words("data_drift"))
    production_data: ProductionData = optional()
    reference_data: ReferenceData = optional()
    properties: dict[str, Any] = optional()
    alert_enabled: bool = optional()
    features: MonitorFeatureFilter | Word | list[str] = optional()
    feature_type_override: dict[str, Any] = optional()
    metric_thresholds: DataDriftMetricThreshold = optional()
    data_segment: DataSegment = optional()


class DataQualityMetricsNumerical(Spec):
    """Data quality metrics numerical."""

    null_value_rate: Any = None
    data_type_error_rate: Any = None
    out_of_bounds_rate: Any = None


class DataQualityMetricsCategorical(Spec):
    """Data quality metrics categorical."""

    null_value_rate: Any = None
    data_type_error_rate: Any = None
    out_of_bounds_rate: Any = None


class DataQualityMetricThreshold(Spec):
    """Data quality metric threshold."""

    threshold: Any = None
    data_type: Word = optional(pattern=words("categorical", "numerical"))
    numerical: DataQualityMetricsNumerical = optional()
    categorical: DataQualityMetricsCategorical = optional()


class DataQualitySignal(Spec):
    """Data quality signal."""

    type: Word = Field(pattern=words("data_quality"))
    production_data: ProductionData = optional()
    reference_data: ReferenceData = optional()
    properties: dict[str, Any] = optional()
    alert_enabled: bool = optional()
    features: MonitorFeatureFilter | Word | list[str] = optional()
    feature_type_override: dict[str, Any] = optional()
    metric_thresholds: DataQualityMetricThreshold = optional()


class PredictionDriftMetricThreshold(Spec):
    """Prediction drift metric threshold."""

    threshold: Any = None
    data_type: Word = optional(pattern=words("categorical", "numerical"))
    numerical: NumericalDriftMetrics = optional()
    categorical: CategoricalDriftMetrics = optional()


class PredictionDriftSignal(Spec):
    """Prediction drift signal."""

    type: Word = Field(pattern=words("prediction_drift"))
    production_data: ProductionData = optional()
    reference_data: ReferenceData = optional()
    properties: dict[str, Any] = optional()
    alert_enabled: bool = optional()
    metric_thresholds: PredictionDriftMetricThreshold = optional()


class FADProductionData(Spec):
    """FAD production data."""

    input_data: Input = optional()
    data_context: Word = optional(
        pattern=words(
            "ground_truth", "model_inputs", "model_outputs", "test", "training", "validation"
        )
    )
    data_column_names: dict[str, str] = optional()
    pre_processing_component: str = optional()
    data_window: BaselineDataRange = optional()


class FeatureAttributionDriftMetricThreshold(Spec):
    """Feature attribution drift metric threshold."""

    threshold: Any = None
    normalized_discounted_cumulative_gain: Any = None


class FeatureAttributionDriftSignal(Spec):
    """Feature attribution drift signal."""

    type: Word = Field(pattern=words("feature_attribution_drift"))
    production_data: list[FADProductionData] = optional()
    reference_data: ReferenceData = optional()
    alert_enabled: bool = optional()
    metric_thresholds: FeatureAttributionDriftMetricThreshold = optional()


class Connection(Spec):
    """Connection."""

    environment_variables: dict[str, str] = optional()
    secret_config: dict[str, str] = optional()


class CustomMonitoringMetricThreshold(Spec):
    """Custom monitoring metric threshold."""

    threshold: Any = None
    metric_name: str = optional()


class CustomMonitoringSignal(Spec):
    """Custom monitoring signal."""

    type: Word = Field(pattern=words("custom"))
    connection: Connection = optional()
    component_id: str = optional()
    metric_thresholds: list[CustomMonitoringMetricThreshold] = optional()
    input_data: dict[str, ReferenceData] = optional()
    alert_enabled: bool = optional()
    inputs: dict[str, Input] = optional()


class LlmData(Spec):
    """Llm data."""

    input_data: Input = optional()
    data_column_names: dict[str, Any] = optional()
    data_window: BaselineDataRange = optional()


class GenerationSafetyQualityMetricThreshold(Spec):
    """Generation safety quality metric threshold."""

    groundedness: dict[str, Any] = optional()
    relevance: dict[str, Any] = optional()
    coherence: dict[str, Any] = optional()
    fluency: dict[str, Any] = optional()
    similarity: dict[str, Any] = optional()


class GenerationSafetyQuality(Spec):
    """Generation safety quality."""

    type: Word = Field(pattern=words("generation_safety_quality"))
    production_data: list[LlmData] = optional()
    connection_id: str = optional()
    metric_thresholds: GenerationSafetyQualityMetricThreshold = optional()
    alert_enabled: bool = optional()
    properties: dict[str, Any] = optional()
    sampling_rate: float = optional()


class ModelPerformanceClassificationThresholds(Spec):
    """Model performance classification thresholds."""

    accuracy: Any = None
    precision: Any = None
    recall: Any = None


class ModelPerformanceRegressionThresholds(Spec):
    """Model performance regression thresholds."""

    mae: Any = None
    mse: Any = None
    rmse: Any = None


class ModelPerformanceMetricThreshold(Spec):
    """Model performance metric threshold."""

    threshold: Any = None
    classification: ModelPerformanceClassificationThresholds = optional()
    regression: ModelPerformanceRegressionThresholds = optional()


class ModelPerformanceSignal(Spec):
    """Model performance signal."""

    type: Word = Field(pattern=words("model_performance"))
    production_data: ProductionData = optional()
    reference_data: ReferenceData = optional()
    data_segment: DataSegment = optional()
    alert_enabled: bool = optional()
    metric_thresholds: ModelPerformanceMetricThreshold = optional()
    properties: dict[str, Any] = optional()


class GenerationTokenStatisticsMonitorMetricThreshold(Spec):
    """Generation token statistics monitor metric threshold."""

    totaltoken: dict[str, Any] = optional()


class GenerationTokenStatistics(Spec):
    """Generation token statistics."""

    type: Word = Field(pattern=words("generation_token_statistics"))
    production_data: LlmData = optional()
    metric_thresholds: GenerationTokenStatisticsMonitorMetricThreshold = optional()
    alert_enabled: bool = optional()
    properties: dict[str, Any] = optional()
    sampling_rate: float = optional()


class AlertNotification(Spec):
    """Alert notification."""

    emails: list[str] = optional()


class MonitorDefinition(Spec):
    """Monitor definition."""

    compute: ServerlessSparkCompute = optional()
    monitoring_target: MonitoringTarget = optional()
    monitoring_signals: dict[
        str,
        DataDriftSignal
        | DataQualitySignal
        | PredictionDriftSignal
        | FeatureAttributionDriftSignal
        | CustomMonitoringSignal
        | GenerationSafetyQuality
        | ModelPerformanceSignal
        | GenerationTokenStatistics,
    ] = optional()
    alert_notification: Word | AlertNotification = optional()
