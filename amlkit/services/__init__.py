"""What the verbs mean, in plain Python: the nouns of the command line as objects.

    from amlkit import Workspace

    workspace = Workspace.open()
    workspace.data.create(name="digits", path="data/train")

Every command makes exactly these calls. Services return records, never print, and know no Typer,
Rich or Azure SDK.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from amlkit import workspace as protocol
from amlkit.config import WorkspaceChoice, choose_workspace

if TYPE_CHECKING:
    from amlkit.services.components import Components
    from amlkit.services.computes import Computes
    from amlkit.services.data import Data
    from amlkit.services.datastores import Datastores
    from amlkit.services.environments import Environments
    from amlkit.services.jobs import Jobs
    from amlkit.services.models import Models


class Workspace:
    """One workspace, with a service for each noun."""

    def __init__(self, backend: protocol.Workspace, choice: WorkspaceChoice) -> None:
        self.backend = backend
        self.choice = choice

    @classmethod
    def open(cls, name: str | None = None) -> Workspace:
        """Open a workspace by name; without one, what the command line would use here.

        Raises: NotFound: no such workspace. NotLoggedIn: Azure needs a login.
        """
        return cls.of(choose_workspace(name))

    @classmethod
    def of(cls, choice: WorkspaceChoice) -> Workspace:
        """Open the workspace that was chosen."""
        return cls(protocol.open_workspace(choice), choice)

    @cached_property
    def data(self) -> Data:
        """Data assets."""
        from amlkit.services.data import Data

        return Data(self.backend)

    @cached_property
    def datastores(self) -> Datastores:
        """Datastores."""
        from amlkit.services.datastores import Datastores

        return Datastores(self.backend)

    @cached_property
    def computes(self) -> Computes:
        """Computes."""
        from amlkit.services.computes import Computes

        return Computes(self.backend)

    @cached_property
    def environments(self) -> Environments:
        """Environments."""
        from amlkit.services.environments import Environments

        return Environments(self.backend)

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs, sweeps, pipelines."""
        from amlkit.services.jobs import Jobs

        return Jobs(self.backend)

    @cached_property
    def components(self) -> Components:
        """Components."""
        from amlkit.services.components import Components

        return Components(self.backend)

    @cached_property
    def models(self) -> Models:
        """Models."""
        from amlkit.services.models import Models

        return Models(self.backend)

    def close(self) -> None:
        """Let go of files and connections."""
        self.backend.close()
