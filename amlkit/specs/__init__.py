"""The language: Azure ML v2 YAML as typed models, every error with its position.

Importing this imports neither pydantic nor YAML; `load` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from amlkit.errors import Problem
from amlkit.light import dataclass, field


@dataclass(frozen=True)
class Loaded:
    """A checked spec. document: plain data after overrides; base: what relative paths refer to.

    recheck: where an earlier check was taken for this one, does it now. Raises: InvalidSpec.
    noted: of a sweep that was checked before, its fields as the model read them then.
    """

    kind: str
    checked: Any
    document: dict[str, Any]
    path: Path | None
    base: Path
    warnings: tuple[Problem, ...] = ()
    _at: Callable[[Sequence[str | int]], tuple[int, int]] | None = field(default=None, repr=False)
    recheck: Callable[[], object] | None = field(default=None, repr=False)
    noted: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def values(self) -> dict[str, Any]:
        """The fields that were given, as the model reads them: numbers are numbers."""
        if self.noted is not None:
            return self.noted
        found: dict[str, Any] = self.model.model_dump(exclude_none=True, mode="json")
        return found

    @property
    def model(self) -> Any:
        """The spec as a typed model; made now where the same text was checked before."""
        if self.checked is not None:
            return self.checked
        from amlkit.specs import kinds

        return kinds.model_of(self.kind).model_validate(self.document)

    def at(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Return the line and column of a value, from 1."""
        return self._at(path) if self._at is not None else (0, 0)

    def resolve_path(self, value: str) -> Path:
        """Return a path of the spec, relative to the file's own folder."""
        text = value.removeprefix("file://") if value.startswith("file://") else value
        return (self.base / Path(text.removeprefix("file:")).expanduser()).absolute()


def load(
    source: Path | str,
    *,
    kind: str | None = None,
    overrides: Sequence[str] = (),
    lenient: bool = False,
    text: str | None = None,
    by_program: bool = False,
    again: bool = False,
) -> Loaded:
    """Return the checked spec of a YAML file; `-` is stdin, or `text` where it is given.

    kind: the family (`job`, `data`, `environment`) or kind (`job.sweep`) that it has to be.
    overrides: `a.b.c=value`, checked like the file itself.
    lenient: what Azure ML tolerates becomes a warning.
    by_program: `text` comes from a program, where a pipeline component has no file of its own.
    again: take the word of an earlier check of the same text, and of all files it read, for it:
        whoever asks for this finds out about missing files by himself.
    Raises: InvalidSpec: with every problem. NotFound: no such file.
    """
    if again and text is None and str(source) != "-":
        from amlkit.specs import passed

        return passed.load(Path(source), kind=kind, overrides=overrides, lenient=lenient)
    from amlkit.specs import loading

    return loading.load(
        source,
        kind=kind,
        overrides=overrides,
        lenient=lenient,
        text=text,
        by_program=by_program,
        result=Loaded,
    )


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind, for editors. Raises: UsageError: no such kind."""
    from amlkit.specs import kinds

    schema: dict[str, Any] = kinds.model_of(kind).model_json_schema(by_alias=True)
    return schema
