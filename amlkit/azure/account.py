"""Logging in to one Azure ML workspace, logging out, and finding out what is wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from amlkit.azure import clouds, credentials, logins
from amlkit.azure.client import ArmClient
from amlkit.azure.clouds import Cloud
from amlkit.azure.credentials import BY_A_PERSON, Fresh
from amlkit.azure.errors import translated
from amlkit.config import WorkspaceChoice, setting
from amlkit.errors import AmlkitError, NotLoggedIn
from amlkit.light import asdict
from amlkit.records import Check

SKEW_SECONDS = 300.0
"""How far a clock may be off before tokens are refused. Source: Microsoft Entra, clock skew."""


def workspace_id(choice: WorkspaceChoice) -> str:
    """Return the ARM id of the chosen workspace."""
    return (
        f"/subscriptions/{choice.subscription_id}/resourceGroups/{choice.resource_group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{choice.workspace_name}"
    )


class AzureAccount:
    """The login of one workspace."""

    def __init__(self, choice: WorkspaceChoice) -> None:
        self._choice = choice

    @cached_property
    def cloud(self) -> Cloud:
        """The cloud that the workspace is in."""
        return clouds.current(self._choice.cloud, self._choice.endpoints)

    def client(self, fresh: Fresh | None = None) -> ArmClient:
        """Return a client of the workspace with its remembered login, or with a fresh one."""
        choice = self._choice
        credential = credentials.make(choice.credential, self.cloud, choice.tenant_id, fresh=fresh)
        return ArmClient(credential, self.cloud, workspace_id(choice))

    def sign_in(
        self,
        *,
        secret: str | None,
        tell: Callable[[str], None],
        may_cache_plain: Callable[[], bool],
    ) -> Mapping[str, Any]:
        """Log in afresh and look at the workspace; return what has to be remembered of it.

        Raises: NotLoggedIn: refused, or tokens cannot be kept encrypted and may not
            be kept plain. NotFound: no such workspace. Nothing is remembered then.
        """
        login = dict(self._choice.credential)
        by_a_person = login["method"] in BY_A_PERSON
        if by_a_person:
            login["cache"] = _kind_of_cache(may_cache_plain)
        choice = self._choice
        fresh = Fresh(secret, tell)
        credential = credentials.make(login, self.cloud, choice.tenant_id, fresh=fresh)
        try:
            if by_a_person:
                with translated("login"):
                    logins.save(login["record"], credential.authenticate(scopes=[self.cloud.scope]))
            else:
                with translated("login"):
                    credential.get_token(self.cloud.scope)
            client = ArmClient(credential, self.cloud, workspace_id(choice))
            client.workspace  # noqa: B018  asks for it
            client.close()
        except AmlkitError:
            self.forget()
            raise
        cloud = self.cloud
        return {
            "credential": login,
            "cloud": cloud.metadata_url or cloud.name,
            "endpoints": asdict(cloud) if cloud.metadata_url else {},
        }

    def forget(self) -> None:
        """Remove what a login left: the record, and every token in its cache."""
        if record := self._choice.credential.get("record"):
            logins.forget(record)

    def checks(self) -> Iterator[Check]:
        """Yield what was looked at, ending at the first thing that is not well."""
        for name, look in (
            ("cloud", self._look_at_cloud),
            ("network", self._look_at_network),
            ("clock", self._look_at_clock),
            ("credential", self._look_at_credential),
            ("workspace", self._look_at_workspace),
            ("datastore", self._look_at_datastore),
        ):
            try:
                yield Check(name, True, look())
            except AmlkitError as error:
                yield Check(name, False, error.message, error.hint)
                return

    def _look_at_cloud(self) -> str:
        return f"{self.cloud.name}: {self.cloud.resource_manager}"

    @cached_property
    def _greeting(self) -> Any:
        """An answer without a login: what it says matters less than that and when it came."""
        from azure.core import PipelineClient
        from azure.core.pipeline.policies import RetryPolicy
        from azure.core.rest import HttpRequest

        with (
            translated(f"`{self.cloud.resource_manager}`"),
            PipelineClient(
                self.cloud.resource_manager, policies=[RetryPolicy(retry_total=1)]
            ) as client,
        ):
            return client.send_request(
                HttpRequest("GET", f"{self.cloud.resource_manager}/subscriptions")
            )

    def _look_at_network(self) -> str:
        self._greeting  # noqa: B018  asks for it
        proxy = next((k for k in ("HTTPS_PROXY", "https_proxy") if os.environ.get(k)), None)
        bundle = os.environ.get("REQUESTS_CA_BUNDLE")
        how = [f"through {proxy}" if proxy else "directly"]
        if bundle:
            how.append(f"trusting `{bundle}`")
        return f"reached {', '.join(how)}"

    def _look_at_clock(self) -> str:
        date = self._greeting.headers.get("Date")
        if not date:
            return "the server sends no date"
        with suppress(ValueError, TypeError):
            off = time.time() - parsedate_to_datetime(date).timestamp()
            if abs(off) > SKEW_SECONDS:
                raise NotLoggedIn(
                    f"this machine's clock is {off:+.0f} s off, and tokens need it right",
                    hint="set the clock, by NTP for one",
                )
            return f"{off:+.0f} s against the server"
        return f"the server's date `{date}` cannot be read"

    @cached_property
    def _client(self) -> ArmClient:
        return self.client()

    def _look_at_credential(self) -> str:
        method = self._choice.credential.get("method") or setting("login") or ""
        with translated(f"login by {method or 'nothing'}"):
            token = self._client.credential.get_token(self.cloud.scope)
        return f"{method}: a token for {max(0, int(token.expires_on - time.time())) // 60} minutes"

    def _look_at_workspace(self) -> str:
        found = self._client.workspace
        return f"{found['name']} in {found.get('location')}"

    def _look_at_datastore(self) -> str:
        from amlkit.azure.datastores import AzureDatastores

        stores = AzureDatastores(self._client)
        default = stores.default()
        next(iter(stores.files(default.name, limit=1)), None)
        return f"{default.name}: its files can be listed"


def _kind_of_cache(may_be_plain: Callable[[], bool]) -> str:
    if logins.encrypts():
        return "encrypted"
    if may_be_plain():
        return "plain"
    raise NotLoggedIn(
        "this platform cannot encrypt the tokens of this login",
        hint="install libsecret and unlock its keyring, or add --plain-cache to keep them in a file"
        " that only you can read",
    )
