"""The top-level packages that a smoke test imports: best effort, from well-known names."""

from __future__ import annotations

from collections.abc import Iterable

from amlkit.services.from_poetry.records import ResolvedLine

# Only packages whose import name is not their own name with underscores.
IMPORTS = {
    "beautifulsoup4": "bs4",
    "gitpython": "git",
    "imbalanced-learn": "imblearn",
    "mlflow-skinny": "mlflow",
    "opencv-contrib-python": "cv2",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "psycopg2-binary": "psycopg2",
    "pyjwt": "jwt",
    "python-dateutil": "dateutil",
    "python-dotenv": "dotenv",
    "pytorch-lightning": "pytorch_lightning",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "tensorflow-cpu": "tensorflow",
}
KNOWN = {
    "fastapi", "httpx", "joblib", "keras", "lightgbm", "matplotlib", "mlflow", "numpy", "pandas",
    "polars", "pyarrow", "pydantic", "requests", "scipy", "seaborn", "statsmodels", "tensorflow",
    "torch", "torchvision", "tqdm", "transformers", "xgboost",
}  # fmt: skip


def import_names(lines: Iterable[ResolvedLine]) -> tuple[str, ...]:
    """Return the import names of the packages whose import name is known."""
    found = {
        IMPORTS.get(line.name, line.name)
        for line in lines
        if line.name in IMPORTS or line.name in KNOWN
    }
    return tuple(sorted(found))
