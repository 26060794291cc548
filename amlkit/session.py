"""What a command holds while it runs: the global options, the output, the workspace."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import typer

from amlkit.output import Output

if TYPE_CHECKING:
    from amlkit.config import WorkspaceChoice
    from amlkit.services import Workspace


class Session:
    """One run of the command line. The workspace opens when a command first asks for it."""

    def __init__(self, *, workspace: str | None, quiet: bool, verbose: bool, color: bool | None):
        self.workspace_flag = workspace
        self.verbose = verbose
        self.output = Output(quiet=quiet, verbose=verbose, color=color)

    @staticmethod
    def of(ctx: typer.Context) -> Session:
        """Return the session of a command's context."""
        session = ctx.find_root().obj
        assert isinstance(session, Session)
        return session

    @cached_property
    def choice(self) -> WorkspaceChoice:
        """Which workspace this run uses; says once on a terminal when nothing chose it."""
        from amlkit.config import choose_workspace

        choice = choose_workspace(self.workspace_flag)
        if choice.chosen_by == "default":
            self.output.note(
                "using the embedded local workspace (`amlkit workspace login` changes that)"
            )
        return choice

    def warm_up(self) -> None:
        """Say that a job is about to be submitted: what it needs starts while its spec is read."""
        from amlkit.workspace import warm_up

        warm_up(self.choice)

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace, opened: the same object that a notebook gets."""
        from amlkit.services import Workspace

        return Workspace.of(self.choice)
