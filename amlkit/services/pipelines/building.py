"""`@pipeline`: runs a function once to see which steps it makes, and writes them down."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from amlkit.errors import UsageError
from amlkit.light import dataclass, field
from amlkit.services.pipelines.components import Component, Input
from amlkit.services.pipelines.steps import (
    OPEN,
    ParentInput,
    Step,
    StepOutput,
    add_step,
    compute_reference,
    spec_value,
)

_TYPES: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
_JOB_ONLY = ("settings", "experiment_name")
_WORDS = {word.__name__: kind for word, kind in _TYPES.items()}


@dataclass(frozen=True)
class Pipeline:
    """A pipeline that is ready to be submitted: `workspace.jobs.submit(it)`."""

    name: str
    about: Mapping[str, Any]
    inputs: Mapping[str, Any]
    outputs: Mapping[str, StepOutput]
    steps: tuple[Step, ...] = field(repr=False)

    def as_spec(self, base: Path | None = None) -> dict[str, Any]:
        """Return what its YAML would say. base: folder of local paths; default: the current."""
        place = (base or Path.cwd()).absolute()
        spec: dict[str, Any] = {"type": "pipeline", **self.about}
        if self.inputs:
            spec["inputs"] = {name: spec_value(each, place) for name, each in self.inputs.items()}
        if self.outputs:
            spec["outputs"] = {name: each.as_spec(place) for name, each in self.outputs.items()}
        spec["jobs"] = {step.name: step.as_spec(place) for step in self.steps}
        return spec

    def save(self, file: str | Path) -> Path:
        """Write it as YAML, with local paths relative to the file.

        Nested pipelines go into files beside it, as Azure ML wants them: `FILE.NAME.yml`.
        """
        path = Path(file)
        _write(self.as_spec(path.absolute().parent), path)
        return path


def _write(spec: Mapping[str, Any], path: Path) -> None:
    import yaml

    jobs = {name: dict(step) for name, step in spec["jobs"].items()}
    for name, step in jobs.items():
        component = step.get("component")
        if isinstance(component, Mapping) and "jobs" in component:
            beside = path.with_name(f"{path.stem}.{name}.yml")
            _write(component, beside)
            step["component"] = f"./{beside.name}"
    text = yaml.safe_dump({**spec, "jobs": jobs}, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def pipeline(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    display_name: str | None = None,
    description: str | None = None,
    experiment_name: str | None = None,
    tags: Mapping[str, str] | None = None,
    default_compute: str | None = None,
    default_datastore: str | None = None,
    continue_on_step_failure: bool | None = None,
    force_rerun: bool | None = None,
    non_pipeline_inputs: Iterable[str] = (),
) -> Callable[..., Any]:
    """Make a function of components a function that builds pipelines.

    Called, it returns a `Pipeline`; called inside another pipeline's function, a step that is a
    nested pipeline. Steps are called after the variables that hold them.
    non_pipeline_inputs: parameters that the function needs as plain values.
    """
    if function is None:
        return functools.partial(
            pipeline,
            name=name,
            display_name=display_name,
            description=description,
            experiment_name=experiment_name,
            tags=tags,
            default_compute=default_compute,
            default_datastore=default_datastore,
            continue_on_step_failure=continue_on_step_failure,
            force_rerun=force_rerun,
            non_pipeline_inputs=non_pipeline_inputs,
        )
    settings = {
        "default_compute": compute_reference(default_compute) if default_compute else None,
        "default_datastore": default_datastore,
        "continue_on_step_failure": continue_on_step_failure,
        "force_rerun": force_rerun,
    }
    about = {
        "name": name,
        "display_name": display_name or function.__name__,
        "description": description or _first_line(function),
        "experiment_name": experiment_name,
        "tags": dict(tags) if tags else None,
        "settings": {key: each for key, each in settings.items() if each is not None} or None,
    }
    about = {key: each for key, each in about.items() if each is not None}
    plain = frozenset(non_pipeline_inputs)

    @functools.wraps(function)
    def build(*arguments: Any, **named: Any) -> Pipeline | Step:
        try:
            given = inspect.signature(function).bind(*arguments, **named)
        except TypeError as error:
            raise UsageError(f"pipeline `{function.__name__}`: {error}") from None
        given.apply_defaults()
        made = _build(function, about, given.arguments, plain)
        if OPEN.get() is None:
            return made
        return add_step(_nested(function, made), made.inputs)

    return build


def _build(
    function: Callable[..., Any],
    about: Mapping[str, Any],
    given: Mapping[str, Any],
    plain: frozenset[str],
) -> Pipeline:
    inputs = {k: each for k, each in given.items() if each is not None and k not in plain}
    bound = {name: ParentInput(name, _type(function, name, each)) for name, each in inputs.items()}
    steps: list[Step] = []
    token = OPEN.set(steps)
    try:
        returned, variables = _observed(function, {**given, **bound})
    finally:
        OPEN.reset(token)
    if not steps:
        raise UsageError(
            f"pipeline `{function.__name__}` has no step", hint="call a component in it"
        )
    _name(steps, variables)
    outputs = _outputs(function, returned, steps)
    return Pipeline(function.__name__, about, inputs, outputs, tuple(steps))


def _observed(
    function: Callable[..., Any], arguments: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Call a function; return what it returned and its local variables at the end."""
    variables: dict[str, Any] = {}
    code = inspect.unwrap(function).__code__

    def watch(frame: Any, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            variables.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        return function(**arguments), variables
    finally:
        sys.setprofile(before)


def _name(steps: Iterable[Step], variables: Mapping[str, Any]) -> None:
    """Call every step after its variable, else after its component; no two the same."""
    held = {id(value): name for name, value in variables.items() if isinstance(value, Step)}
    taken: set[str] = set()
    for step in steps:
        wanted = step.name or held.get(id(step)) or step.component.name
        found = re.sub(r"[^a-z0-9_]", "_", wanted.lower())
        number, name = 1, found
        while name in taken:
            name, number = f"{found}_{number}", number + 1
        taken.add(name)
        step.name = name


def _outputs(
    function: Callable[..., Any], returned: Any, steps: Iterable[Step]
) -> dict[str, StepOutput]:
    if returned is None:
        return {}
    if not isinstance(returned, Mapping) or not all(
        isinstance(each, StepOutput) for each in returned.values()
    ):
        raise UsageError(
            f"pipeline `{function.__name__}` returned something else than outputs of its steps",
            hint='write return {"model": step.outputs.model}',
        )
    own = {id(step) for step in steps}
    for name, each in returned.items():
        if id(each.step) not in own:
            raise UsageError(f"output `{name}` belongs to a step of another pipeline")
        if each.port in each.step.returned:
            raise UsageError(f"`{each.port}` of step `{each.step.name}` was returned twice")
        each.step.returned[each.port] = name
    return dict(returned)


def _nested(function: Callable[..., Any], made: Pipeline) -> Component:
    """Return the pipeline as a component, for a pipeline that it is called in."""
    inputs: dict[str, Any] = {
        name: {"type": _type(function, name, each)} for name, each in made.inputs.items()
    }
    outputs = {name: {"type": each.type} for name, each in made.outputs.items()}
    name = re.sub(r"[^a-z0-9_]", "_", made.name.lower())

    def write(base: Path) -> dict[str, Any]:
        spec = {**made.as_spec(base), "name": name}
        if inputs:
            spec["inputs"] = inputs
        return {key: each for key, each in spec.items() if key not in _JOB_ONLY}

    return Component(made.name, "pipeline", write, inputs, outputs)


def _type(function: Callable[..., Any], name: str, value: Any) -> str:
    """Return the type of an input: as it is annotated, else that of its value."""
    annotation = inspect.signature(function).parameters[name].annotation
    if isinstance(annotation, Input):
        return annotation.type
    word = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    if word in _WORDS:
        return _WORDS[word]
    if isinstance(value, Input | ParentInput | StepOutput):
        return value.type
    return _TYPES.get(type(value), "uri_folder")


def _first_line(function: Callable[..., Any]) -> str | None:
    text = inspect.getdoc(function)
    return " ".join(text.split("\n\n", 1)[0].split()) if text else None
