"""Azure Resource Manager and the run history over plain REST: a tenth of the SDK's start-up.

Source: the public REST reference of Microsoft.MachineLearningServices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline.policies import (
    RequestIdPolicy,
    RetryPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

from amlkit import __version__
from amlkit.azure.clouds import Cloud
from amlkit.azure.errors import translated

API_VERSION = "2024-10-01"
USER_AGENT = f"amlkit/{__version__}"


class ArmClient:
    """One workspace's REST API. Paths start at the workspace; every answer is plain JSON."""

    def __init__(self, credential: Any, cloud: Cloud, workspace_id: str) -> None:
        self.workspace_id = workspace_id
        self.credential = credential
        self.cloud = cloud
        # One transport, so that both pipelines share their connections.
        self._transport = RequestsTransport()
        self._arm = self._pipeline(ARMChallengeAuthenticationPolicy(credential, cloud.scope))
        self._open = self._pipeline()

    def _pipeline(self, *authentication: Any) -> ARMPipelineClient[HttpRequest, HttpResponse]:
        return ARMPipelineClient(
            self.cloud.resource_manager,
            transport=self._transport,
            policies=[
                RequestIdPolicy(),
                UserAgentPolicy(base_user_agent=USER_AGENT),
                RetryPolicy(),
                *authentication,
            ],
        )

    def get(self, path: str, subject: str, **query: str) -> dict[str, Any]:
        """Return one resource below the workspace; `subject` is what an error speaks of."""
        return self.send("GET", path, subject, query=query)

    def send(
        self,
        method: str,
        path: str,
        subject: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send one request below the workspace and return its JSON; {} where there is none."""
        url = f"{self.cloud.resource_manager}{self.workspace_id}{path}"
        return self._json(self.request(method, url, subject, body=body, query=query))

    def list(self, path: str, subject: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield the resources of every page."""
        url = f"{self.cloud.resource_manager}{self.workspace_id}{path}"
        yield from self.pages(url, subject, query)

    def pages(
        self, url: str, subject: str, query: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the items of a listing, following `nextLink` and `continuationToken`."""
        asked = dict(query or {})
        while True:
            page = self._json(self.request("GET", url, subject, query=asked))
            yield from page.get("value") or []
            if page.get("nextLink"):
                url, asked = str(page["nextLink"]), {}
            elif page.get("continuationToken"):
                asked = {**asked, "$continuationToken": str(page["continuationToken"])}
            else:
                return

    def request(
        self,
        method: str,
        url: str,
        subject: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """Send one authenticated request and return a good answer. Raises: AmlkitError."""
        parameters = dict(query or {})
        if url.startswith(self.cloud.resource_manager) and "api-version" not in url:
            parameters.setdefault("api-version", API_VERSION)
        request = HttpRequest(method, url, params=parameters, json=body, headers=headers)
        return self._checked(self._arm, request, subject, enforce_https=not _on_this_machine(url))

    def fetch(self, url: str, subject: str, *, start: int = 0) -> bytes | None:
        """Return what a signed URL has from a byte on; None when there is no more."""
        headers = {"x-ms-version": "2021-12-02"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with translated(subject):
            response = self._open.send_request(HttpRequest("GET", url, headers=headers))
            if response.status_code in {404, 416}:
                return None
            response.raise_for_status()
            content = bytes(response.read())
        # A server without ranges sends everything again.
        return content if response.status_code == 206 or not start else content[start:]

    def _checked(self, client: Any, request: HttpRequest, subject: str, **options: Any) -> Any:
        with translated(subject):
            response = client.send_request(request, **options)
            if response.status_code >= 400:
                _raise(response)
        return response

    @staticmethod
    def _json(response: HttpResponse) -> dict[str, Any]:
        if not response.content:
            return {}
        found = response.json()
        return found if isinstance(found, dict) else {"value": found}

    @cached_property
    def workspace(self) -> dict[str, Any]:
        """The workspace itself."""
        name = self.workspace_id.rsplit("/", 1)[-1]
        return self.get("", f"workspace `{name}`")

    @cached_property
    def data_plane(self) -> str:
        """The host of run history and its siblings, as the workspace's discovery names it."""
        url = str(self.workspace["properties"]["discoveryUrl"])
        with translated("the workspace's discovery"):
            response = self._open.send_request(HttpRequest("GET", url))
            response.raise_for_status()
            return str(response.json()["api"]).rstrip("/")

    def history(self, path: str) -> str:
        """Return a URL of the run history."""
        return f"{self.data_plane}/history/v1.0{self.workspace_id}{path}"

    def close(self) -> None:
        """Close its connections."""
        self._transport.close()


def _raise(response: HttpResponse) -> None:
    from azure.core.exceptions import (
        ClientAuthenticationError,
        HttpResponseError,
        ResourceExistsError,
        ResourceNotFoundError,
    )
    from azure.mgmt.core.exceptions import ARMErrorFormat

    known: dict[int, type[HttpResponseError]] = {
        401: ClientAuthenticationError,
        404: ResourceNotFoundError,
        409: ResourceExistsError,
    }
    kind = known.get(response.status_code, HttpResponseError)
    raise kind(response=response, error_format=ARMErrorFormat)


def _on_this_machine(url: str) -> bool:
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
