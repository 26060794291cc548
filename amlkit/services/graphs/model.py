"""What is drawn: steps, the pipeline's own inputs and outputs, and what flows between them."""

from __future__ import annotations

from amlkit.light import dataclass


@dataclass(frozen=True)
class Node:
    """One box. id: unique in its graph; inner: the steps of a nested pipeline.

    kind: `step`, or `input` and `output` of the pipeline itself.
    status: of a run, Azure ML's word; duration_seconds: once it has started.
    """

    id: str
    name: str
    kind: str = "step"
    type: str = ""
    component: str = ""
    status: str | None = None
    duration_seconds: float | None = None
    reused: bool = False
    error: str | None = None
    inner: Graph | None = None

    @property
    def summary(self) -> str:
        """The line below the name: type, status, duration."""
        parts = [self.type, self.status or "", "reused" if self.reused else self.duration]
        return " · ".join(part for part in parts if part)

    @property
    def duration(self) -> str:
        """The duration for people, or nothing."""
        seconds = self.duration_seconds
        if seconds is None:
            return ""
        if seconds < 60:
            return f"{seconds:.1f} s"
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


@dataclass(frozen=True)
class Edge:
    """What flows from one node to another. ports: names of the outputs (or the input)."""

    source: str
    target: str
    ports: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """A pipeline. status: of a run."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    status: str | None = None
