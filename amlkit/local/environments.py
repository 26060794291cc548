"""Environments on this machine: one virtual environment for each recipe, built once by uv."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path

from amlkit.config import environment
from amlkit.errors import AmlkitError, NotFound
from amlkit.light import dataclass
from amlkit.local.catalogue.database import now
from amlkit.local.locks import lock
from amlkit.local.recipes import WAY_OUT, Recipe

READY = "amlkit-environment.json"


@dataclass(frozen=True)
class Built:
    """An environment that is ready. size: bytes; prefix: its folder."""

    key: str
    prefix: Path
    recipe: Recipe
    built_at: str
    size: int


class EnvironmentStore:
    """The folder of built environments. Builders of the same recipe wait for one another.

    withheld: returns the variables that what is installed must not see when it is built.
    """

    def __init__(
        self, folder: Path, withheld: Callable[[], Collection[str]] = frozenset[str]
    ) -> None:
        self._folder = folder
        self._withheld = withheld

    def python(self, recipe: Recipe) -> Path | None:
        """Return the interpreter of a recipe that is ready, or None when it has to be built."""
        if recipe.interpreter is not None:
            return Path(recipe.interpreter)
        prefix = self._folder / recipe.key
        return _interpreter(prefix) if (prefix / READY).exists() else None

    def ensure(self, recipe: Recipe, log: Callable[[str], None]) -> Path:
        """Return the interpreter of a recipe, building the environment when it is not there.

        log: gets every line that uv prints.
        Raises: AmlkitError: it cannot be built, with uv's own reason.
        """
        if (ready := self.python(recipe)) is not None:
            return ready
        self._folder.mkdir(parents=True, exist_ok=True)
        held = lock(self._folder / f"{recipe.key}.lock")
        try:
            return self.python(recipe) or self._build(recipe, log)
        finally:
            held.release()

    def _build(self, recipe: Recipe, log: Callable[[str], None]) -> Path:
        prefix = self._folder / recipe.key
        if prefix.exists():
            log("an earlier build was interrupted: starting anew")
            shutil.rmtree(prefix)
        uv = uv_binary()
        asked = recipe.python or _default_python()
        python = _interpreter(prefix)
        run = partial(_run, recipe=recipe, log=log, withheld=self._withheld())
        run([uv, "venv", "--seed", "--python", asked, str(prefix)])
        if recipe.requirements:
            listed = prefix / "requirements.txt"
            listed.write_text("\n".join(recipe.requirements) + "\n", encoding="utf-8")
            install = [uv, "pip", "install", "--python", str(python), "--compile-bytecode"]
            run([*install, "--requirement", str(listed)])
        facts = {"recipe": recipe.as_json(), "built_at": now(), "size": _size(prefix)}
        mark = prefix / f".{READY}"
        mark.write_text(json.dumps(facts), encoding="utf-8")
        mark.replace(prefix / READY)
        return python

    def list(self) -> Iterator[Built]:
        """Yield every environment that is ready."""
        if not self._folder.is_dir():
            return
        for prefix in sorted(self._folder.iterdir()):
            ready = prefix / READY
            if ready.is_file():
                facts = json.loads(ready.read_text(encoding="utf-8"))
                recipe = Recipe.from_json(facts["recipe"])
                yield Built(prefix.name, prefix, recipe, facts["built_at"], int(facts["size"]))

    def remove(self, key: str) -> None:
        """Delete a built environment. Raises: NotFound."""
        prefix = self._folder / key
        if not (prefix / READY).is_file():
            raise NotFound(f"no environment `{key}` is built")
        held = lock(self._folder / f"{key}.lock")
        try:
            # Without its mark a half-deleted folder is not taken for an environment.
            (prefix / READY).unlink()
            shutil.rmtree(prefix)
        finally:
            held.release()


def uv_binary() -> str:
    """Return the path of uv: the one installed beside amlkit, else the one on PATH.

    Raises: NotFound: there is none.
    """
    import uv

    try:
        return str(uv.find_uv_bin())
    except FileNotFoundError:
        found = shutil.which("uv")
        if found is None:
            raise NotFound("uv is not installed", hint="pip install uv") from None
        return found


def _run(
    command: list[str], recipe: Recipe, log: Callable[[str], None], withheld: Collection[str]
) -> None:
    log(f"$ {' '.join(command)}")
    last: list[str] = []
    given = {key: value for key, value in environment().items() if key not in withheld}
    variables = {**given, "UV_NO_PROGRESS": "1", "NO_COLOR": "1", "VIRTUAL_ENV": ""}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            log(line.rstrip())
            last = [*last[-5:], line.strip()]
    if process.returncode != 0:
        reason = " ".join(" ".join(last).split())[-600:]
        raise AmlkitError(f"environment `{recipe.name}` cannot be built: {reason}", hint=WAY_OUT)


def _default_python() -> str:
    from amlkit.config import setting

    return setting("python") or f"{sys.version_info.major}.{sys.version_info.minor}"


def _interpreter(prefix: Path) -> Path:
    if sys.platform == "win32":
        return prefix / "Scripts" / "python.exe"
    return prefix / "bin" / "python"


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
