"""`env from-poetry` on the largest real project: at most 0.3 s, or four bare commands.

    python benchmarks/bench_from_poetry.py [PYPROJECT]

Without an argument it takes the project with the largest lock in the corpus beside the checkout;
without a corpus, one that it writes. Measures a whole process, imports included, nine times.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

CORPUS = Path(__file__).parents[1] / ".." / "shared" / "corpus" / "pyproject"
LIMIT_SECONDS = 0.3
RUNS = 9
CONVERT = (
    "import sys; from pathlib import Path; from amlkit.services.from_poetry import convert; "
    "file = convert(Path(sys.argv[1])); print(file.mode, len(file.lines))"
)


def main() -> int:
    """Print the medians; 1 when the conversion takes more than its limit."""
    with TemporaryDirectory() as folder:
        project = Path(sys.argv[1]) if len(sys.argv) > 1 else largest() or written(Path(folder))
        command = [sys.executable, "-c", CONVERT, str(project)]
        seconds = measured(command)
        bare = measured([sys.executable, "-m", "amlkit", "data", "list"])
        what = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    limit = max(LIMIT_SECONDS, 4 * bare)
    print(f"from-poetry {project.name} ({what} lines): {seconds * 1000:.0f} ms")
    print(f"data list: {bare * 1000:.0f} ms; limit {limit * 1000:.0f} ms")
    return int(seconds > limit)


def largest() -> Path | None:
    """Return the project of the corpus with the largest lock."""
    locks = [*CORPUS.glob("*/poetry.lock"), *CORPUS.glob("*/uv.lock")]
    return max(locks, key=lambda path: path.stat().st_size).parent if locks else None


def written(folder: Path) -> Path:
    """Write a project with 300 dependencies."""
    names = ", ".join(f'"package-{at}>={at},<{at + 1}"' for at in range(300))
    text = f'[project]\nname = "large"\nversion = "1"\ndependencies = [{names}]\n'
    (folder / "pyproject.toml").write_text(text)
    return folder


def measured(command: list[str]) -> float:
    """Return the median seconds of a command."""
    seconds = []
    for _ in range(RUNS):
        start = perf_counter()
        subprocess.run(command, capture_output=True, check=False)
        seconds.append(perf_counter() - start)
    return median(seconds)


if __name__ == "__main__":
    sys.exit(main())
