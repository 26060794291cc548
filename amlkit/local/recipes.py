"""From an Azure ML environment to what is installed on this machine: a Python and requirements.

A conda file's `pip` section is taken as it is; its conda packages are mapped to their PyPI names.
What cannot be had from PyPI is refused with its name, never dropped silently.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence

from amlkit.errors import NotSupported
from amlkit.light import dataclass
from amlkit.records import JSON

WAY_OUT = "use --environment NAME for another environment, or --current-python for this one"


@dataclass(frozen=True)
class Recipe:
    """What to install. python: `3.11` or None for any; requirements: as pip takes them.

    interpreter: an existing Python to use as it is, with nothing installed.
    notes: what differs from the environment on Azure, one sentence each.
    """

    name: str
    python: str | None = None
    requirements: tuple[str, ...] = ()
    interpreter: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Content hash: the same recipe is built once, whatever it is called."""
        content = [self.python, sorted(self.requirements), sys.platform, "1"]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, JSON]:
        """Return the recipe for a job's plan."""
        return {
            "name": self.name,
            "python": self.python,
            "requirements": list(self.requirements),
            "interpreter": self.interpreter,
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, JSON]) -> Recipe:
        """Return the recipe that `as_json` wrote."""
        return cls(
            name=str(plain["name"]),
            python=_text(plain["python"]),
            requirements=_texts(plain["requirements"]),
            interpreter=_text(plain["interpreter"]),
            notes=_texts(plain["notes"]),
        )


def from_environment(name: str, spec: Mapping[str, JSON]) -> Recipe:
    """Return the recipe of an environment: its conda file, or just a Python for an image alone.

    Raises: NotSupported: a Docker build context, or a conda package that PyPI does not have.
    """
    conda = spec.get("conda_file")
    if isinstance(conda, Mapping):
        return _from_conda(name, conda)
    if spec.get("build"):
        raise NotSupported(
            f"environment `{name}` is built by a Dockerfile, which this workspace does not run",
            hint=WAY_OUT,
        )
    curated = _curated(name, str(spec.get("image") or ""))
    if curated is not None:
        return curated
    image = str(spec.get("image") or "no image")
    return Recipe(name, notes=(f"image `{image}` is not used here; jobs get a bare Python",))


def from_registry(name: str) -> Recipe:
    """Return the recipe of a curated environment. Raises: NotSupported: it is not in the table."""
    found = _curated(name, "")
    if found is None:
        raise NotSupported(
            f"curated environment `{name}` has no equivalent on this machine", hint=WAY_OUT
        )
    return found


# What Azure ML's curated environments mainly hold. Source: "Azure Machine Learning curated
# environments" and the Dockerfiles of Azure/azureml-assets.
_MLFLOW = "mlflow-skinny>=2.15"
_TABULAR = ("numpy", "pandas", "scipy", "joblib", "matplotlib", "pyarrow", _MLFLOW)
_CURATED: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"sklearn-1\.5", ("scikit-learn>=1.5,<1.6", *_TABULAR)),
    (r"sklearn-1\.[01](\D|$)", ("scikit-learn>=1.1", *_TABULAR)),
    (r"sklearn-0\.24", ("scikit-learn>=1.0", *_TABULAR)),
    (r"lightgbm", ("lightgbm>=3.3", "scikit-learn", *_TABULAR)),
    (r"xgboost", ("xgboost>=1.7", "scikit-learn", *_TABULAR)),
    (r"(tensorflow|tf)-?2", ("tensorflow-cpu>=2.12", "scikit-learn", *_TABULAR)),
    (r"(acpt-)?pytorch-?[12]", ("torch>=2", "scikit-learn", *_TABULAR)),
    (r"python-sdk-v2|model-management|minimal", ("numpy", "pandas", _MLFLOW)),
)


def _curated(name: str, image: str) -> Recipe | None:
    for pattern, requirements in _CURATED:
        if re.search(pattern, name, re.IGNORECASE) or (
            "azureml/curated" in image and re.search(pattern, image, re.IGNORECASE)
        ):
            return Recipe(
                name,
                requirements=requirements,
                notes=(f"curated environment `{name}` stands for: {', '.join(requirements)}",),
            )
    return None


def _from_conda(name: str, conda: Mapping[str, JSON]) -> Recipe:
    python: str | None = None
    requirements: list[str] = []
    notes: list[str] = []
    dependencies = conda.get("dependencies")
    if not isinstance(dependencies, Sequence) or isinstance(dependencies, str):
        dependencies = []
    for each in dependencies:
        if isinstance(each, Mapping):
            pip = each.get("pip")
            requirements += [str(line) for line in pip] if isinstance(pip, Sequence) else []
            continue
        package, constraint = _split(str(each))
        if package == "python":
            python = _python(constraint)
        elif package in _NOT_PYTHON:
            notes.append(f"conda package `{package}` is not needed here and was left out")
        elif package not in {"pip", "setuptools", "wheel"}:
            requirements.append(_pypi(name, package, constraint))
    return Recipe(name, python=python, requirements=tuple(requirements), notes=tuple(notes))


def _split(line: str) -> tuple[str, str]:
    """Return (package, constraint) of a conda match specification; the build string is dropped."""
    text = line.split("::", 1)[-1].split("#", 1)[0].strip()
    found = re.match(r"^([A-Za-z0-9_.\-]+)\s*(.*)$", text)
    if found is None:
        return text, ""
    package, rest = found.group(1).lower(), found.group(2).strip()
    parts = re.match(r"^=([^=<>!~,|]+)=[^=]+$", rest)
    return package, f"={parts.group(1)}" if parts else rest


def _python(constraint: str) -> str | None:
    """Return `3.11` for what a conda file asks of Python; a range stays a range for uv."""
    if not constraint:
        return None
    version = constraint.lstrip("=").strip()
    if re.fullmatch(r"\d+\.\d+(\.\d+)?(\.\*)?", version):
        return version.removesuffix(".*")
    return constraint


# conda name -> PyPI name, where they differ; an empty name means that PyPI has no such thing.
_NAMES = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "opencv": "opencv-python-headless",
    "py-opencv": "opencv-python-headless",
    "tensorflow-gpu": "tensorflow",
    "tensorflow": "tensorflow-cpu",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "pytables": "tables",
    "msgpack-python": "msgpack",
    "matplotlib-base": "matplotlib",
    "python-graphviz": "graphviz",
    "dask-core": "dask",
    "pillow": "pillow",
    "faiss-cpu": "faiss-cpu",
    "fbprophet": "prophet",
    "ruamel_yaml": "ruamel.yaml",
}
_NOT_PYTHON = frozenset(
    {"cudatoolkit", "cuda", "cudnn", "nccl", "mkl", "libgcc", "libgcc-ng", "libstdcxx-ng"}
    | {"openmpi", "mpi", "nomkl", "blas", "openblas", "libblas", "pytorch-cuda", "cpuonly"}
    | {"ca-certificates", "openssl", "intel-openmp", "pytorch-mutex"}
)
_ABSENT = frozenset({"openjdk", "nodejs", "gxx", "gcc", "git", "java-jdk"})


def _pypi(environment: str, package: str, constraint: str) -> str:
    if package in _ABSENT or package.startswith("r-"):
        raise NotSupported(
            f"environment `{environment}` needs conda package `{package}`, which is not a"
            " Python package",
            hint=WAY_OUT,
        )
    return _NAMES.get(package, package) + _specifier(constraint)


def _specifier(constraint: str) -> str:
    """Return a pip version specifier for a conda one. `=1.2` means `==1.2.*` in conda."""
    if not constraint:
        return ""
    if re.match(r"^[<>!~]|^==", constraint):
        return constraint.replace(" ", "")
    version = constraint.lstrip("=").strip()
    return f"=={version}" if version.endswith("*") else f"=={version}.*"


def _text(value: JSON) -> str | None:
    return None if value is None else str(value)


def _texts(value: JSON) -> tuple[str, ...]:
    assert isinstance(value, Sequence)
    return tuple(str(each) for each in value)
