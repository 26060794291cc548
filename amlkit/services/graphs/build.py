"""From a pipeline's YAML, or from a pipeline that runs or has run, to its graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlkit.errors import UsageError
from amlkit.services.components import in_place
from amlkit.services.graphs.model import Edge, Graph, Node
from amlkit.specs import expressions
from amlkit.workspace import JobFilter, Jobs

if TYPE_CHECKING:
    from amlkit.records import Job
    from amlkit.specs import Loaded

Inner = Callable[[str, Mapping[str, Any]], "Node"]


def of_file(file: str | Path, overrides: Sequence[str] = (), *, lenient: bool = False) -> Graph:
    """Return the graph of a pipeline job or component in a YAML file; `-` is stdin.

    Raises: InvalidSpec, NotFound. UsageError: it is not a pipeline.
    """
    from amlkit import specs

    loaded = specs.load(file, overrides=overrides, lenient=lenient)
    if loaded.document.get("component") is not None and loaded.kind == "job.pipeline":
        loaded = in_place(loaded.document["component"], loaded) or loaded
    if not loaded.kind.endswith(".pipeline"):
        raise UsageError(f"`{file}` is not a pipeline", hint="only pipelines have a graph")
    return _of_loaded(loaded, _title(loaded))


def _of_loaded(loaded: Loaded, title: str) -> Graph:
    def node(name: str, step: Mapping[str, Any]) -> Node:
        component = step.get("component") or step.get("trial")
        found = in_place(component, loaded) if component is not None else None
        kind = str(step.get("type") or "")
        if not kind:
            kind = found.kind.removeprefix("component.") if found else "command"
        nested = found is not None and found.kind == "component.pipeline"
        inner = _of_loaded(found, name) if found is not None and nested else None
        return Node(name, name, type=kind, component=_shown(component), inner=inner)

    return _graph(title, loaded.document, node)


def _shown(component: Any) -> str:
    return str(component.get("name") or "") if isinstance(component, Mapping) else component or ""


def _title(loaded: Loaded) -> str:
    document = loaded.document
    file = loaded.path.name if loaded.path is not None else "pipeline"
    return str(document.get("display_name") or document.get("name") or file)


def of_job(jobs: Jobs, name: str) -> Graph:
    """Return the graph of a pipeline job, with the state of every step.

    Raises: NotFound. UsageError: the job is not a pipeline.
    """
    job = jobs.get(name)
    if job.type != "pipeline":
        raise UsageError(f"job `{name}` is a {job.type} job", hint="only pipelines have a graph")
    document = {"inputs": job.inputs, "outputs": job.outputs, **job.spec}
    return _of_run(jobs, job, document, job.display_name)


def _of_run(jobs: Jobs, job: Job, document: Mapping[str, Any], title: str) -> Graph:
    found = reversed(jobs.list(JobFilter(parent=job.name, archived=True)))
    children = {_step_name(each, job): each for each in found}
    # In the order of the file, which is that of the jobs where the file is not known here.
    written = document.get("jobs") or {}
    ordered = {name: children[name] for name in written if name in children}
    children = {**ordered, **dict(sorted(children.items()))} if written else children
    steps = {name: written.get(name) or each.spec or {} for name, each in children.items()}

    def node(name: str, step: Mapping[str, Any]) -> Node:
        child = children[name]
        component = step.get("component") or step.get("trial")
        inner_spec = component if isinstance(component, Mapping) else {}
        nested = child.type == "pipeline"
        return Node(
            name,
            name,
            type=child.type,
            component=_shown(component),
            status=child.status.value,
            duration_seconds=child.duration_seconds,
            reused="reused_job_id" in child.properties,
            error=child.error,
            inner=_of_run(jobs, child, inner_spec, name) if nested else None,
        )

    graph = _graph(title, {**document, "jobs": steps}, node)
    return Graph(title, graph.nodes, graph.edges, job.status.value)


def _step_name(child: Job, parent: Job) -> str:
    """Return the step that a child job is; on Azure, only its display name says it."""
    prefix = f"{parent.name}-"
    return child.name.removeprefix(prefix) if child.name.startswith(prefix) else child.display_name


# What both have in common: bindings are edges.


def _graph(title: str, document: Mapping[str, Any], node: Inner) -> Graph:
    steps: Mapping[str, Any] = document.get("jobs") or {}
    flows: dict[tuple[str, str], list[str]] = {}
    for name, step in steps.items():
        for path, text in _texts(step):
            for binding in expressions.bindings(text):
                flow = _flow(name, path, binding, document)
                if flow is not None:
                    source, target, port = flow
                    ports = flows.setdefault((source, target), [])
                    ports += [port] if port not in ports else []
    used = {each for pair in flows for each in pair}
    nodes = [
        *_ports("input", document.get("inputs") or {}, used),
        *(node(name, step) for name, step in steps.items()),
        *_ports("output", document.get("outputs") or {}, used),
    ]
    known = {each.id for each in nodes}
    edges = tuple(
        Edge(source, target, tuple(ports))
        for (source, target), ports in flows.items()
        if {source, target} <= known and source != target
    )
    return Graph(title, tuple(nodes), edges)


def _texts(step: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the bindings of a step, as YAML has them and as Azure's REST interface does."""
    from amlkit.specs.graph import texts

    yield from texts(step)
    for group in ("inputs", "outputs"):
        for name, port in (step.get(group) or {}).items():
            if isinstance(port, Mapping) and isinstance(port.get("value"), str):
                yield (group, name), port["value"]


def _flow(
    step: str, path: tuple[str, ...], binding: expressions.Binding, document: Mapping[str, Any]
) -> tuple[str, str, str] | None:
    """Return (source, target, port) of one binding; None for literals, which do not flow."""
    keys = binding.keys
    if binding.root == "parent.jobs" and len(keys) > 2:
        return keys[0], step, keys[2]
    if not keys:
        return None
    if binding.root == "parent.outputs" and path[0] == "outputs":
        return step, f"output {keys[0]}", path[1]
    if binding.root == "parent.inputs" and _is_data((document.get("inputs") or {}).get(keys[0])):
        return f"input {keys[0]}", step, path[1]
    return None


def _is_data(port: Any) -> bool:
    literal = {"string", "number", "integer", "boolean"}
    return isinstance(port, Mapping) and str(port.get("type") or "").lower() not in literal


def _ports(kind: str, ports: Mapping[str, Any], used: set[str]) -> Iterator[Node]:
    """Yield the pipeline's own inputs or outputs that something flows through."""
    for name, port in ports.items():
        if f"{kind} {name}" in used:
            type_ = port.get("type") if isinstance(port, Mapping) else None
            yield Node(f"{kind} {name}", name, kind=kind, type=str(type_ or "uri_folder"))
