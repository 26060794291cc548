"""Environments of the embedded workspace: assets in the catalogue, built on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from amlkit.config import environment
from amlkit.errors import AmlkitError, NotSupported
from amlkit.local.environments import Built, EnvironmentStore
from amlkit.local.recipes import Recipe, from_environment
from amlkit.records import Asset, BuiltEnvironment

# Imports every top-level module that the declared distributions installed.
_SMOKE = """
import importlib, importlib.metadata as m, re, sys
wanted = {re.sub(r"[-_.]+", "-", name).lower() for name in sys.argv[1:]}
found = {}
for module, owners in m.packages_distributions().items():
    for owner in owners:
        name = re.sub(r"[-_.]+", "-", owner).lower()
        if name in wanted and not module.startswith("_") and module.isidentifier():
            found.setdefault(name, module)
for name, module in sorted(found.items()):
    try:
        importlib.import_module(module)
    except Exception as error:
        sys.exit(f"import {module} ({name}): {type(error).__name__}: {error}")
print(len(found))
"""


class LocalEnvironments:
    """Builds environments as virtual environments, one for each content."""

    def __init__(self, folder: Path, withheld: Callable[[], Collection[str]]) -> None:
        self._store = EnvironmentStore(folder, withheld)
        self._withheld = withheld

    def build(self, asset: Asset, log: Callable[[str], None]) -> BuiltEnvironment:
        """Build an environment and import its packages. Raises: AmlkitError."""
        recipe = from_environment(asset.reference, asset.spec)
        python = self._store.ensure(recipe, log)
        self._smoke(recipe, python, log)
        built = self.find(asset)
        assert built is not None
        return built

    def _smoke(self, recipe: Recipe, python: Path, log: Callable[[str], None]) -> None:
        withheld = self._withheld()
        names = [_distribution(each) for each in recipe.requirements]
        done = subprocess.run(
            [str(python), "-c", _SMOKE, *filter(None, names)],
            capture_output=True,
            text=True,
            check=False,
            env={key: value for key, value in environment().items() if key not in withheld},
        )
        if done.returncode != 0:
            reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it failed"
            raise AmlkitError(
                f"environment `{recipe.name}` is built, but {reason}",
                hint="mend the requirements in pyproject.toml and build it again",
            )
        log(f"imported {done.stdout.strip()} of its packages")

    def find(self, asset: Asset) -> BuiltEnvironment | None:
        """Return what is built for an environment, or None."""
        try:
            key = from_environment(asset.reference, asset.spec).key
        except NotSupported:
            return None
        return next((each for each in self.built() if each.name == key), None)

    def built(self) -> Sequence[BuiltEnvironment]:
        """Return all that is built."""
        return [_record(each) for each in self._store.list()]

    def remove(self, built: BuiltEnvironment) -> None:
        """Delete a built environment. Raises: NotFound."""
        self._store.remove(built.name)


def _record(built: Built) -> BuiltEnvironment:
    return BuiltEnvironment(
        built.key, str(built.prefix), built.size, built.built_at, built.recipe.name
    )


def _distribution(requirement: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(requirement.split(" --hash", 1)[0].rstrip("\\ ")).name
    except InvalidRequirement:
        return ""
