"""From a pipeline's YAML to its plan: components found, bindings followed, all of it flat.

The YAML was validated before, so this reads plain documents. What only the workspace knows is
found here, before anything starts: missing assets and files, steps that cannot run here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from amlkit.errors import AmlkitError, NotSupported
from amlkit.light import dataclass, field, replace
from amlkit.local.pipelines.components import ComponentFinder
from amlkit.local.pipelines.plans import PipelinePlan, Source, StepPlan, Work
from amlkit.local.pipelines.ports import Bound, Scope, bind, declare
from amlkit.local.plans import CommandPlan, InputPlan
from amlkit.local.resolving import Resolver
from amlkit.specs import Loaded, expressions

if TYPE_CHECKING:
    from amlkit.local.workspace import LocalWorkspace
    from amlkit.records import JSON, Asset
    from amlkit.workspace import Submission

RUNNABLE = ("command", "sweep", "parallel", "pipeline")


@dataclass(frozen=True)
class Step:
    """A step as it is planned. links: (input, asset) pairs that it reads."""

    plan: StepPlan
    work: Work
    display_name: str
    inputs: Mapping[str, JSON] = field(default_factory=dict)
    spec: Mapping[str, JSON] = field(default_factory=dict)
    links: tuple[tuple[str, Asset], ...] = ()


@dataclass(frozen=True)
class Planned:
    """A whole pipeline as it is planned. steps: by path, in the order of the file.

    groups: nested pipelines by path, each as the pipeline around it writes it.
    """

    plan: PipelinePlan
    steps: Mapping[str, Step]
    notes: tuple[str, ...] = ()
    links: tuple[tuple[str, Asset], ...] = ()
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def plan(workspace: LocalWorkspace, submission: Submission, *, dry: bool = False) -> Planned:
    """Return the plan of a pipeline job. dry: look everything up, store nothing.

    Raises: NotFound: a file, asset or environment. NotSupported: not on this machine.
    """
    return _Planner(workspace, submission, dry=dry).run()


class _Planner:
    def __init__(self, workspace: LocalWorkspace, submission: Submission, *, dry: bool) -> None:
        self._loaded = submission.spec
        self._resolver = Resolver(workspace, submission, dry=dry)
        self._finder = ComponentFinder(workspace.assets)
        self._force_rerun = submission.force_rerun
        self._steps: dict[str, Step] = {}
        self._groups: dict[str, Mapping[str, Any]] = {}
        # What an output of a nested pipeline is: (path, output) -> the step's output behind it.
        self._passed: dict[Source, Source] = {}

    def run(self) -> Planned:
        document = self._loaded.document
        settings = document.get("settings") or {}
        if (datastore := settings.get("default_datastore")) is not None:
            self._resolver.default_datastore = str(datastore).removeprefix("azureml:")
        outputs = document.get("outputs") or {}
        for name, step in (document.get("jobs") or {}).items():
            _check_runnable(name, str(step.get("type") or "command"))
        if document.get("component") is not None:
            component = self._finder.find(document["component"], self._loaded)
            top = Scope("", {}, self._resolver)
            self._expand(component, self._filled(component, document, top), "", outputs)
        else:
            resolved = self._resolver.inputs(document.get("inputs") or {})
            self._expand(self._loaded, resolved, "", outputs)
        return self._finish(settings)

    def _finish(self, settings: Mapping[str, Any]) -> Planned:
        steps = {
            path: replace(step, plan=replace(step.plan, bound=self._followed(step.plan.bound)))
            for path, step in self._steps.items()
        }
        outputs = {
            source.port: self._follow(source) for source in self._passed if source.step == ""
        }
        plan = PipelinePlan(
            tuple(step.plan for step in steps.values()),
            tuple(self._groups),
            outputs,
            continue_on_step_failure=_flag(settings, "continue_on_step_failure", default=True),
            force_rerun=self._force_rerun or _flag(settings, "force_rerun", default=False),
            line=str(self._loaded.document.get("display_name") or self._loaded.path or ""),
        )
        notes = tuple(dict.fromkeys(self._resolver.notes))
        return Planned(plan, steps, notes, tuple(self._resolver.links), self._groups)

    def _followed(self, bound: Mapping[str, Source]) -> dict[str, Source]:
        return {port: self._follow(source) for port, source in bound.items()}

    def _follow(self, source: Source) -> Source:
        """Return the step's output behind an output of a nested pipeline."""
        while source.step not in self._steps:
            try:
                source = self._passed[source]
            except KeyError:
                raise AmlkitError(
                    f"step `{source.step}` has no output `{source.port}`",
                    hint="bind it to an output of one of its steps",
                ) from None
        return source

    # Pipelines.

    def _expand(
        self, loaded: Loaded, inputs: Mapping[str, Bound], path: str, outputs: Mapping[str, Any]
    ) -> None:
        """Plan every step of a pipeline. outputs: how what is around it declares its outputs."""
        resolver = self._resolver if loaded is self._loaded else self._resolver.of(loaded)
        scope = Scope(path, inputs, resolver)
        own = loaded.document.get("outputs") or {}
        declared = {name: {**(own.get(name) or {}), **(outputs.get(name) or {})} for name in own}
        for name, step in loaded.document["jobs"].items():
            self._step(name, step, scope, loaded, declared)

    def _step(
        self,
        name: str,
        step: Mapping[str, Any],
        scope: Scope,
        owner: Loaded,
        declared: Mapping[str, Any],
    ) -> None:
        path = scope.child(name)
        _check_runnable(path, str(step.get("type") or "command"))
        field_name = "trial" if step.get("trial") is not None else "component"
        component = None
        if step.get(field_name) is not None:
            component = self._finder.find(step[field_name], owner)
        kind = _kind(step, component)
        _check_runnable(path, kind)
        outputs = self._outputs(path, step, component, scope.path, declared)
        if kind == "pipeline":
            assert component is not None
            self._groups[path] = step
            inputs = self._filled(component, step, scope)
            self._expand(component, inputs, path, outputs)
            return
        self._leaf(path, kind, step, component, scope, outputs)

    def _filled(self, component: Loaded, step: Mapping[str, Any], scope: Scope) -> dict[str, Bound]:
        ports = component.document.get("inputs") or {}
        given = step.get("inputs") or {}
        return {
            name: bind(name, ports.get(name) or {}, given.get(name), scope)
            for name in {**ports, **given}
        }

    def _outputs(
        self,
        path: str,
        step: Mapping[str, Any],
        component: Loaded | None,
        parent: str,
        declared: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return how each output of a step is declared, by whoever says something of it."""
        ports = (component.document.get("outputs") if component is not None else None) or {}
        given = step.get("outputs") or {}
        found: dict[str, Any] = {}
        for port in {**ports, **given}:
            found[port], passed = declare(ports.get(port), given.get(port))
            if passed is not None:
                self._passed[Source(parent, passed)] = Source(path, port)
                found[port] |= declared.get(passed) or {}
        return found

    # Steps that run.

    def _leaf(
        self,
        path: str,
        kind: str,
        step: Mapping[str, Any],
        component: Loaded | None,
        scope: Scope,
        outputs: Mapping[str, Any],
    ) -> None:
        content = component.document if component is not None else step
        resolver = scope.resolver if component is None else self._resolver.of(component)
        local = replace(scope, resolver=self._linking(scope.resolver))
        given = step.get("inputs") or {}
        if component is not None:
            inputs = self._filled(component, step, local)
        else:
            inputs = {key: bind(key, {}, each, local) for key, each in given.items()}
        if kind == "sweep":
            inputs = {key: each for key, each in inputs.items() if key not in step["search_space"]}
        ports = content.get("inputs") or {}
        plans = {
            key: _placeholder(each, ports.get(key), given.get(key)) for key, each in inputs.items()
        }
        work = self._command(path, kind, content, step, resolver)
        work = replace(work, inputs=plans, outputs=scope.resolver.outputs(outputs))
        chosen = _sweep(work, step, resolver) if kind == "sweep" else work
        bound = {key: each for key, each in inputs.items() if isinstance(each, Source)}
        plan = StepPlan(path, kind, bound, _flag(content, "is_deterministic", default=True))
        shown = str(step.get("display_name") or path.rpartition("/")[2])
        links = tuple(local.resolver.links)
        self._steps[path] = Step(plan, chosen, shown, dict(given), dict(step), links)

    def _linking(self, resolver: Resolver) -> Resolver:
        """Return a resolver that notes this step's links only."""
        return resolver.of(resolver.loaded)

    def _command(
        self,
        path: str,
        kind: str,
        content: Mapping[str, Any],
        step: Mapping[str, Any],
        resolver: Resolver,
    ) -> CommandPlan:
        merged = {**content, **{key: step[key] for key in _OVERRIDES if step.get(key)}}
        merged["environment_variables"] = {
            **(content.get("environment_variables") or {}),
            **(step.get("environment_variables") or {}),
        }
        if kind != "parallel":
            return resolver.task(merged, str(content["command"]))
        task = {key: merged["task"].get(key) for key in ("code", "environment")}
        return resolver.task({**merged, **task}, _parallel(path, merged))


_OVERRIDES = (
    "limits",
    "resources",
    "distribution",
    "mini_batch_size",
    "mini_batch_error_threshold",
    "error_threshold",
    "retry_settings",
    "max_concurrency_per_instance",
    "logging_level",
)


def _parallel(path: str, content: Mapping[str, Any]) -> str:
    """Return the command of a parallel step, with the step's name in what is wrong with it."""
    from amlkit.local.parallel_runner import parallel_command

    try:
        return parallel_command(content, content.get("inputs") or {})
    except AmlkitError as error:
        raise error.about(f"step `{path}`") from None


def _sweep(trial: CommandPlan, step: Mapping[str, Any], resolver: Resolver) -> Work:
    """Return the sweep of a step; `${{inputs.x}}` of a searched `x` is the trial's parameter."""
    from amlkit.specs.pipelines import SweepStep

    names = step["search_space"]
    written = [
        each
        if isinstance(each, str)
        else f"${{{{search_space.{each.keys[0]}}}}}"
        if each.root == "inputs" and each.keys and each.keys[0] in names
        else f"${{{{{each.text}}}}}"
        for each in expressions.parse(trial.command)
    ]
    model = SweepStep.model_validate({**step, "trial": "planned already"})
    values = model.model_dump(exclude_none=True, mode="json")
    return resolver.sweep_of(values, replace(trial, command="".join(written)))


def _placeholder(bound: Bound, port: Any, given: Any) -> InputPlan:
    """Return the input's plan; where another step fills it, what is known before that."""
    if not isinstance(bound, Source):
        return bound
    said = [each for each in (given, port) if isinstance(each, Mapping)]
    kind = next((str(each["type"]) for each in said if each.get("type")), "uri_folder")
    return InputPlan(
        kind, next((str(each["mode"]) for each in said if each.get("mode")), "ro_mount")
    )


def _kind(step: Mapping[str, Any], component: Loaded | None) -> str:
    if step.get("type"):
        return str(step["type"])
    if step.get("trial") is not None:
        return "sweep"
    return component.kind.removeprefix("component.") if component is not None else "command"


def _check_runnable(path: str, kind: str) -> None:
    if kind not in RUNNABLE:
        raise NotSupported(
            f"step `{path}` is of type {kind}: the embedded workspace runs command, sweep,"
            " parallel and pipeline steps",
            hint="submit this pipeline to an Azure ML workspace: amlkit -w NAME job submit ...",
        )


def _flag(values: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = values.get(name)
    return default if value is None else str(value).lower() == "true"
