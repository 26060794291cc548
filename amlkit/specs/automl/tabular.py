"""AutoML jobs over tables, as the Azure ML YAML reference names their fields."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from amlkit.specs.fields import Input, Resources, Spec, Whole, Word, optional, words
from amlkit.specs.jobs import AutoMLJob


class AutoMLTableLimits(Spec):
    """Auto ML table limits."""

    enable_early_termination: bool = optional()
    exit_score: float = optional()
    max_concurrent_trials: Whole = optional()
    max_cores_per_trial: Whole = optional()
    max_nodes: Whole = optional()
    max_trials: Whole = optional()
    timeout_minutes: Whole = optional()
    trial_timeout_minutes: Whole = optional()


class ColumnTransformer(Spec):
    """Column transformer."""

    fields: list[str] = optional()
    parameters: dict[str, float | str] = optional()


class TableFeaturizationSettings(Spec):
    """Table featurization settings."""

    dataset_language: str = optional()
    mode: Word = optional(pattern=words("auto", "custom", "off"))
    blocked_transformers: list[
        Annotated[
            Word,
            Field(
                pattern=words(
                    "cat_target_encoder",
                    "count_vectorizer",
                    "hash_one_hot_encoder",
                    "label_encoder",
                    "naive_bayes",
                    "one_hot_encoder",
                    "text_target_encoder",
                    "tf_idf",
                    "wo_e_target_encoder",
                    "word_embedding",
                )
            ),
        ]
    ] = optional()
    column_name_and_types: dict[str, str] = optional()
    transformer_params: dict[str, list[ColumnTransformer]] = optional()
    enable_dnn_featurization: bool = optional()


class StackEnsembleSettings(Spec):
    """Stack ensemble settings."""

    stack_meta_learner_kwargs: dict[str, Any] = optional()
    stack_meta_learner_train_percentage: float = optional()
    stack_meta_learner_type: Word = optional(
        pattern=words(
            "elastic_net",
            "elastic_net_cv",
            "light_gbm_classifier",
            "light_gbm_regressor",
            "linear_regression",
            "logistic_regression",
            "logistic_regression_cv",
            "none",
        )
    )


class ClassificationTrainingSettings(Spec):
    """Classification training settings."""

    enable_dnn_training: bool = optional()
    enable_model_explainability: bool = optional()
    enable_onnx_compatible_models: bool = optional()
    enable_stack_ensemble: bool = optional()
    enable_vote_ensemble: bool = optional()
    ensemble_model_download_timeout_minutes: Whole = optional()
    stack_ensemble_settings: StackEnsembleSettings = optional()
    training_mode: Word = optional(pattern=words("auto", "distributed", "non_distributed"))
    allowed_training_algorithms: list[
        Annotated[
            Word,
            Field(
                pattern=words(
                    "bernoulli_naive_bayes",
                    "decision_tree",
                    "extreme_random_trees",
                    "gradient_boosting",
                    "knn",
                    "light_gbm",
                    "linear_svm",
                    "logistic_regression",
                    "multinomial_naive_bayes",
                    "random_forest",
                    "sgd",
                    "svm",
                    "xg_boost_classifier",
                )
            ),
        ]
    ] = optional()
    blocked_training_algorithms: list[
        Annotated[
            Word,
            Field(
                pattern=words(
                    "bernoulli_naive_bayes",
                    "decision_tree",
                    "extreme_random_trees",
                    "gradient_boosting",
                    "knn",
                    "light_gbm",
                    "linear_svm",
                    "logistic_regression",
                    "multinomial_naive_bayes",
                    "random_forest",
                    "sgd",
                    "svm",
                    "xg_boost_classifier",
                )
            ),
        ]
    ] = optional()


class AutoMLClassification(AutoMLJob):
    """Tabular classification. Reference: "CLI (v2) Automated ML classification job YAML schema"."""

    target_column_name: str
    task: Word = Field(pattern=words("classification"))
    environment_id: str = optional()
    environment_variables: dict[str, str] = optional()
    resources: Resources = optional()
    log_verbosity: Word = optional(
        pattern=words("critical", "debug", "error", "info", "not_set", "warning")
    )
    training_data: Input
    limits: AutoMLTableLimits = optional()
    featurization: TableFeaturizationSettings = optional()
    validation_data: Input = optional()
    validation_data_size: float = optional()
    cv_split_column_names: list[str] = optional()
    n_cross_validations: Word | Whole = optional()
    weight_column_name: str = optional()
    test_data: Input = optional()
    test_data_size: float = optional()
    primary_metric: Word = optional(
        pattern=words(
            "accuracy",
            "auc_weighted",
            "average_precision_score_weighted",
            "norm_macro_recall",
            "precision_score_weighted",
        )
    )
    positive_label: str = optional()
    training: ClassificationTrainingSettings = optional()


class RegressionTrainingSettings(Spec):
    """Regression training settings."""

    enable_dnn_training: bool = optional()
    enable_model_explainability: bool = optional()
    enable_onnx_compatible_models: bool = optional()
    enable_stack_ensemble: bool = optional()
    enable_vote_ensemble: bool = optional()
    ensemble_model_download_timeout_minutes: Whole = optional()
    stack_ensemble_settings: StackEnsembleSettings = optional()
    training_mode: Word = optional(pattern=words("auto", "distributed", "non_distributed"))
    allowed_training_algorithms: list[
        Annotated[
            Word,
            Field(
                pattern=words(
                    "decision_tree",
                    "elastic_net",
                    "extreme_random_trees",
                    "gradient_boosting",
                    "knn",
                    "lasso_lars",
                    "light_gbm",
                    "random_forest",
                    "sgd",
                    "xg_boost_regressor",
                )
            ),
        ]
    ] = optional()
    blocked_training_algorithms: list[
        Annotated[
            Word,
            Field(
                pattern=words(
                    "decision_tree",
                    "elastic_net",
                    "extreme_random_trees",
                    "gradient_boosting",
                    "knn",
                    "lasso_lars",
                    "light_gbm",
                    "random_forest",
                    "sgd",
                    "xg_boost_regressor",
                )
            ),
        ]
    ] = optional()


class AutoMLRegression(AutoMLJob):
    """Tabular regression. Reference: "CLI (v2) Automated ML regression job YAML schema"."""

    target_column_name: str
    task: Word = Field(pattern=words("regression"))
    environment_id: str = optional()
    environment_variables: dict[str, str] = optional()
    resources: Resources = optional()
    log_verbosity: Word = optional(
        pattern=words("critical", "debug", "error", "info", "not_set", "warning")
    )
    training_data: Input
    limits: AutoMLTableLimits = optional()
    featurization: TableFeaturizationSettings = optional()
    validation_data: Input = optional()
    validation_data_size: float = optional()
    cv_split_column_names: list[str] = optional()
    n_cross_validations: Word | Whole = optional()
    weight_column_name: str = optional()
    test_data: Input = optional()
    test_data_size: float = optional()
    primary_metric: Word = optional(
        pattern=words(
            "normalized_mean_absolute_error",
            "normalized_root_mean_squared_error",
            "r2_score",
            "spearman_correlation",
        )
    )
    training: RegressionTrainingSettings = optional()


class ForecastingTrainingSettings(Spec):
    """Forecasting training settings."""

    enable_dnn_training: bool = optional()
    enable_model_explainability: bool = optional()
    enable_onnx_compatible_models: bool = optional()
    enable_stack_ensemble: bool = optional()
    enable_vote_ensemble: bool = optional()
    ensemble_model_download_timeout_minutes: Whole = optional()
    stack_ensemble_settings: StackEnsembleSettings = optional()
    training_mode: Word = optional(pattern=words("auto", "distributed", "non_distributed"))
    allowed_training_algorithms: list[
        Annotated[
            Word,
            Field(
                pattern=words(
                    "arimax",
                    "auto_arima",
                    "average",
                    "decision_tree",
                    "elastic_net",
                    "exponential_smoothing",
                    "extreme_random_trees",
                    "gradient_boosting",
                    "knn",
                    "lasso_lars",
                    "light_gbm",
                    "naive",
                    "prophet",
                    "random_forest",
                    "seasonal_average",
                    "seasonal_naive",
                    "sgd",
                    "tcn_forecaster",
                    "xg_boost_regressor",
                )
            ),
        ]
    ] = optional()
    blocked_training_algorithms: list[
        Annotated[
            Word,
            Field(
                pattern=words(
                    "arimax",
                    "auto_arima",
                    "average",
                    "decision_tree",
                    "elastic_net",
                    "exponential_smoothing",
                    "extreme_random_trees",
                    "gradient_boosting",
                    "knn",
                    "lasso_lars",
                    "light_gbm",
                    "naive",
                    "prophet",
                    "random_forest",
                    "seasonal_average",
                    "seasonal_naive",
                    "sgd",
                    "tcn_forecaster",
                    "xg_boost_regressor",
                )
            ),
        ]
    ] = optional()


class ForecastingSettings(Spec):
    """Forecasting settings."""

    country_or_region_for_holidays: str = optional()
    cv_step_size: Whole = optional()
    forecast_horizon: Word | Whole = optional()
    target_lags: Word | Whole | list[Whole] = optional()
    target_rolling_window_size: Word | Whole = optional()
    time_column_name: str = optional()
    time_series_id_column_names: str | list[str] = optional()
    frequency: str = optional()
    feature_lags: Word = optional(pattern=words("auto", "none"))
    seasonality: Word | Whole = optional()
    short_series_handling_config: Word = optional(pattern=words("auto", "drop", "none", "pad"))
    use_stl: Word = optional(pattern=words("none", "season", "seasontrend"))
    target_aggregate_function: Word = optional(pattern=words("max", "mean", "min", "none", "sum"))
    features_unknown_at_forecast_time: str | list[str] = optional()


class AutoMLForecasting(AutoMLRegression):
    """Forecasting. Reference: "CLI (v2) Automated ML Forecasting command job YAML schema"."""

    task: Word = Field(pattern=words("forecasting"))
    training: ForecastingTrainingSettings = optional()  # type: ignore[assignment]
    forecasting: ForecastingSettings = optional()
