"""What a supervisor needs to run a pipeline: its steps, flat, with what flows between them.

Pipelines within pipelines are flattened when the job is planned: `outer/inner` is a step like any
other. What a step runs stands in the row of its own job; here is only how steps hang together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlkit.light import asdict, dataclass, field
from amlkit.local.plans import CommandPlan, SweepPlan
from amlkit.records import JSON

Work = CommandPlan | SweepPlan


@dataclass(frozen=True)
class Source:
    """An output of a step. step: its path, such as `train` or `outer/train`."""

    step: str
    port: str


@dataclass(frozen=True)
class StepPlan:
    """How one step hangs together with the others.

    bound: inputs that outputs of other steps fill. deterministic: whether an earlier run with the
    same content may stand for it (`is_deterministic`).
    """

    path: str
    type: str
    bound: Mapping[str, Source] = field(default_factory=dict)
    deterministic: bool = True


@dataclass(frozen=True)
class PipelinePlan:
    """A pipeline. groups: paths of the pipelines within it, each before what it holds.

    given: steps that are not run, and the job of an earlier run that stands for each.
    forced: steps that are run whatever has run before (`--only`, `--from`).
    outputs: which step's output each output of the pipeline is.
    line: what earlier runs of the same pipeline have in common with this one.
    """

    steps: tuple[StepPlan, ...]
    groups: tuple[str, ...] = ()
    outputs: Mapping[str, Source] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    forced: tuple[str, ...] = ()
    continue_on_step_failure: bool = True
    force_rerun: bool = False
    line: str = ""

    def as_json(self) -> dict[str, JSON]:
        """Return the plan for the catalogue."""
        plain: dict[str, JSON] = asdict(self)
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> PipelinePlan:
        """Return the plan that `as_json` wrote."""
        return cls(
            **{
                **plain,
                "steps": tuple(
                    StepPlan(**{**each, "bound": _sources(each["bound"])})
                    for each in plain["steps"]
                ),
                "groups": tuple(plain["groups"]),
                "forced": tuple(plain["forced"]),
                "outputs": _sources(plain["outputs"]),
            }
        )

    def waits(self) -> dict[str, frozenset[str]]:
        """Return for each step the steps it waits for."""
        return {
            step.path: frozenset(each.step for each in step.bound.values()) - self.given.keys()
            for step in self.steps
        }

    def width(self) -> int:
        """Return how many steps can run at once at most, seen level by level."""
        waits = self.waits()
        level: dict[str, int] = {}
        left = dict(waits)
        while left:
            ready = [path for path, on in left.items() if on <= level.keys()]
            if not ready:
                break
            for path in ready:
                level[path] = max((level[each] + 1 for each in waits[path]), default=0)
                del left[path]
        counts: dict[int, int] = {}
        for each in level.values():
            counts[each] = counts.get(each, 0) + 1
        return max(counts.values(), default=1)


def _sources(plain: Mapping[str, Any]) -> dict[str, Source]:
    return {port: Source(**each) for port, each in plain.items()}


def job_of(pipeline: str, path: str) -> str:
    """Return the name of a step's job; step names hold no `-`, so it says which one it is."""
    return f"{pipeline}-{path.replace('/', '-')}"


def work_from_json(kind: str, plain: Mapping[str, Any]) -> Work:
    """Return what a step runs, from the row of its job."""
    return SweepPlan.from_json(plain) if kind == "sweep" else CommandPlan.from_json(plain)
