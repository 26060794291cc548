"""Early-termination policies in Azure ML's words and arithmetic, one a file, all pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from amlkit.errors import UsageError, did_you_mean
from amlkit.light import dataclass
from amlkit.local.stopping.bandit import Bandit
from amlkit.local.stopping.curves import Goal, Schedule
from amlkit.local.stopping.median_stopping import MedianStopping
from amlkit.local.stopping.policy import Policy, Stop
from amlkit.local.stopping.truncation_selection import TruncationSelection
from amlkit.records import JSON

__all__ = ["POLICIES", "Policy", "Stop", "open_policy"]

POLICIES = ("bandit", "median_stopping", "truncation_selection")


@dataclass(frozen=True)
class NoTermination:
    """Lets every trial run to its end: Azure ML's default."""

    def decide(
        self, trial: str, curves: Mapping[str, Sequence[float]], finished: Set[str]
    ) -> Stop | None:
        """Return None."""
        return None


def open_policy(spec: Mapping[str, JSON] | None, goal: str) -> Policy:
    """Return the policy that an `early_termination` mapping describes.

    goal: `maximize` or `minimize`, in any case.
    Raises: UsageError: an unknown policy, a number that is missing or out of range.
    """
    if spec is None:
        return NoTermination()
    kind = str(spec.get("type"))
    turned = Goal(maximize=goal.lower() == "maximize")
    schedule = Schedule(
        evaluation_interval=int(_number(spec, "evaluation_interval", kind)),
        delay_evaluation=int(_number(spec, "delay_evaluation", kind)),
    )
    if kind == "bandit":
        return Bandit(
            goal=turned,
            schedule=schedule,
            slack_factor=_number(spec, "slack_factor", kind),
            slack_amount=_number(spec, "slack_amount", kind),
        )
    if kind == "median_stopping":
        return MedianStopping(goal=turned, schedule=schedule)
    if kind == "truncation_selection":
        return TruncationSelection(
            goal=turned,
            schedule=schedule,
            truncation_percentage=_percentage(spec, kind),
            exclude_finished_jobs=bool(spec.get("exclude_finished_jobs", False)),
        )
    close = did_you_mean(kind, POLICIES)
    raise UsageError(
        f"`{kind}` is not an early-termination policy",
        hint=f"did you mean `{close}`?" if close else f"known: {', '.join(POLICIES)}",
    )


def _number(spec: Mapping[str, JSON], name: str, kind: str) -> float:
    found = spec.get(name)
    if found is None:
        return 0.0
    if isinstance(found, bool) or not isinstance(found, int | float) or not found >= 0:
        raise UsageError(f"{kind}: `{name}` is not a number from 0: `{found}`", hint="try 1")
    return float(found)


def _percentage(spec: Mapping[str, JSON], kind: str) -> int:
    found = int(_number(spec, "truncation_percentage", kind))
    if not 1 <= found <= 99:
        raise UsageError(
            f"{kind}: `truncation_percentage` is not between 1 and 99: `{found}`", hint="try 20"
        )
    return found
