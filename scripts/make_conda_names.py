"""Make the PyPI-to-conda name table of `amlkit env from-poetry`.

The names come from grayskull, the tool with which conda-forge writes recipes: it lists the packages
whose name on conda-forge is not their name on PyPI. Run it to take over a newer grayskull:

    python scripts/make_conda_names.py [VERSION]
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

TABLE = Path(__file__).parents[1] / "amlkit/services/from_poetry/pypi_to_conda.json"
VERSION = "3.2.0"


def main(version: str) -> None:
    """Install grayskull into a temporary folder, and write what its table says."""
    with TemporaryDirectory() as folder:
        command = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", folder]
        subprocess.run([*command, f"grayskull=={version}"], check=True)
        text = Path(folder, "grayskull/strategy/config.yaml").read_text(encoding="utf-8")
    rows: dict[str, dict[str, str]] = yaml.safe_load(text)
    names = {
        _normal(pypi): row["conda_forge"] for pypi, row in rows.items() if "conda_forge" in row
    }
    table = {
        "source": f"grayskull {version}, strategy/config.yaml, Apache-2.0",
        "names": {pypi: conda for pypi, conda in sorted(names.items()) if pypi != conda},
    }
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    print(f"{len(table['names'])} names in {TABLE}")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else VERSION)
