"""Steps of a pipeline that is being built, and the values that flow into and out of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from amlkit.errors import UsageError, did_you_mean
from amlkit.light import dataclass
from amlkit.services.pipelines.components import Component, Input, Output, relative

OPEN: ContextVar[list[Step] | None] = ContextVar("open_pipeline", default=None)
"""The steps of the pipeline whose function is running."""


class Bound:
    """Something that is only known when the pipeline runs; its text is a binding."""

    def __bool__(self) -> bool:
        raise UsageError(
            f"`{self}` has no value while the pipeline is built",
            hint="list it in non_pipeline_inputs to decide by it",
        )


@dataclass(frozen=True)
class ParentInput(Bound):
    """An input of the pipeline that is being built."""

    name: str
    type: str = "uri_folder"

    def __str__(self) -> str:
        return f"${{{{parent.inputs.{self.name}}}}}"


@dataclass(frozen=True)
class StepOutput(Bound):
    """An output of a step, which can be an input of another or be returned."""

    step: Step
    port: str

    def __str__(self) -> str:
        return f"${{{{parent.jobs.{self.step.name}.outputs.{self.port}}}}}"

    def as_spec(self, base: Path) -> dict[str, Any]:
        """Return the pipeline's output that stands for it."""
        given = self.step.outputs.given.get(self.port)
        return given.as_spec(base) if given is not None else {"type": self.type}

    @property
    def type(self) -> str:
        """The output's type, as its component declares it."""
        port = (self.step.component.outputs or {}).get(self.port) or {}
        return str(port.get("type") or "uri_folder")


class Outputs:
    """The outputs of a step: `step.outputs.model`, and `step.outputs.model = Output(...)`."""

    _step: Step
    given: dict[str, Output]

    def __init__(self, step: Step) -> None:
        self.__dict__["_step"] = step
        self.__dict__["given"] = {}

    def __getattr__(self, name: str) -> StepOutput:
        if name.startswith("__"):
            raise AttributeError(name)
        return StepOutput(self._step, self._known(name))

    def __getitem__(self, name: str) -> StepOutput:
        return StepOutput(self._step, self._known(name))

    def __setattr__(self, name: str, value: Output) -> None:
        self.given[self._known(name)] = value

    def _known(self, name: str) -> str:
        known = self._step.component.outputs
        if known is not None and name not in known:
            close = did_you_mean(name, known)
            names = ", ".join(f"`{each}`" for each in known) or "none"
            raise UsageError(
                f"component `{self._step.component.name}` has no output `{name}`",
                hint=f"did you mean `{close}`?" if close else f"its outputs: {names}",
            )
        return name


class Step:
    """A step. Set its fields before the function returns; name: default, that of its variable."""

    __slots__ = (
        "_inputs",
        "_sweep",
        "component",
        "compute",
        "description",
        "display_name",
        "environment_variables",
        "is_deterministic",
        "limits",
        "name",
        "outputs",
        "resources",
        "returned",
    )

    def __init__(self, component: Component, inputs: Mapping[str, Any]) -> None:
        self.component = component
        self.name = ""
        self.display_name: str | None = None
        self.description: str | None = None
        self.compute: str | None = None
        self.environment_variables: Mapping[str, str] | None = None
        self.limits: Mapping[str, Any] | None = None
        self.resources: Mapping[str, Any] | None = None
        self.is_deterministic: bool | None = None
        self.outputs = Outputs(self)
        self._inputs = {key: value for key, value in inputs.items() if value is not None}
        self.returned: dict[str, str] = {}
        self._sweep: dict[str, Any] | None = None

    def sweep(
        self,
        *,
        search_space: Mapping[str, Any],
        primary_metric: str,
        goal: str,
        max_total_trials: int,
        max_concurrent_trials: int | None = None,
        sampling_algorithm: str | Mapping[str, Any] = "random",
        early_termination: Mapping[str, Any] | None = None,
    ) -> Step:
        """Make this step a sweep. search_space: as in YAML, or in shorthand: `uniform(0, 1)`."""
        from amlkit.specs.shorthand import parse_distribution

        space = {
            name: parse_distribution(each) if isinstance(each, str) else each
            for name, each in search_space.items()
        }
        limits = {"max_total_trials": max_total_trials}
        if max_concurrent_trials is not None:
            limits["max_concurrent_trials"] = max_concurrent_trials
        self._inputs = {key: value for key, value in self._inputs.items() if key not in space}
        self._sweep = {
            "search_space": space,
            "objective": {"goal": goal, "primary_metric": primary_metric},
            "sampling_algorithm": sampling_algorithm,
            "limits": limits,
            **({"early_termination": early_termination} if early_termination else {}),
        }
        return self

    def as_spec(self, base: Path) -> dict[str, Any]:
        """Return the step as YAML has it."""
        kind = "sweep" if self._sweep is not None else self.component.type
        spec: dict[str, Any] = {"type": kind} if kind else {}
        spec["trial" if self._sweep is not None else "component"] = self.component.as_spec(base)
        for name in ("display_name", "description", "environment_variables", "resources"):
            if getattr(self, name) is not None:
                spec[name] = getattr(self, name)
        if self.compute is not None:
            spec["compute"] = compute_reference(self.compute)
        for name in ("limits", "is_deterministic"):
            if getattr(self, name) is not None:
                spec[name] = getattr(self, name)
        if self._sweep is not None:
            spec |= {**self._sweep, "limits": {**self._sweep["limits"], **(self.limits or {})}}
        if self._inputs:
            spec["inputs"] = {name: spec_value(each, base) for name, each in self._inputs.items()}
        outputs: dict[str, Any] = {k: each.as_spec(base) for k, each in self.outputs.given.items()}
        outputs |= {port: f"${{{{parent.outputs.{k}}}}}" for port, k in self.returned.items()}
        if outputs:
            spec["outputs"] = outputs
        return spec


def add_step(component: Component, inputs: Mapping[str, Any]) -> Step:
    """Add a step to the pipeline that is being built. Raises: UsageError: none is."""
    steps = OPEN.get()
    if steps is None:
        raise UsageError(
            f"component `{component.name}` was called outside of a pipeline",
            hint="call it inside a function decorated with `@pipeline`",
        )
    step = Step(component, inputs)
    steps.append(step)
    return step


def spec_value(value: Any, base: Path) -> Any:
    """Return an input's value as YAML has it. Raises: UsageError: YAML has nothing like it."""
    if isinstance(value, Bound):
        return str(value)
    if isinstance(value, Input):
        return value.as_spec(base)
    if isinstance(value, Path):
        return {
            "type": "uri_file" if value.is_file() else "uri_folder",
            "path": relative(value, base),
        }
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Step):
        raise UsageError(
            f"step `{value.name or value.component.name}` is not an input",
            hint="name one of its outputs: step.outputs.NAME",
        )
    raise UsageError(
        f"a {type(value).__name__} cannot be an input",
        hint="use a number, text, bool or Input(...)",
    )


def compute_reference(name: str) -> str:
    """Return a compute's name as the reference that `default_compute` wants."""
    plain = name == "serverless" or name.startswith(("azureml:", "/subscriptions/", "${{"))
    return name if plain else f"azureml:{name}"
