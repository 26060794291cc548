"""Tokens for Azure storage, for what obstore cannot do by identity: sending the missing blocks.

Source: "az account get-access-token", "OAuth 2.0 client credentials flow on the identity platform".
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

_RESOURCE = "https://storage.azure.com"
_AUTHORITY = "https://login.microsoftonline.com"
_MARGIN_SECONDS = 300
_TIMEOUT_SECONDS = 60

Token = tuple[str, float]
"""A token, and when it expires (seconds since the epoch)."""


class Tokens:
    """Gives a good token, for as long as it is asked. ask: returns a new one, or None."""

    def __init__(self, ask: Callable[[], Token | None]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._token: Token | None = None

    def __call__(self) -> str | None:
        """Return a token that is good for some minutes, or None: there is none to be had."""
        with self._lock:
            if self._token is None or self._token[1] < time.time() + _MARGIN_SECONDS:
                self._token = self._ask()
            return self._token[0] if self._token else None


def of_login(login: Mapping[str, Any], url: str) -> Tokens | None:
    """Return what logs in as obstore would; None where only obstore can.

    login: fields for obstore. url: of the storage; no token goes to another machine without TLS.
    """
    address = urlsplit(url)
    if address.scheme != "https" and address.hostname not in {"127.0.0.1", "localhost"}:
        return None
    if login.get("use_azure_cli"):
        return Tokens(_of_azure_cli)
    given = (
        login.get("client_secret") or os.environ.get("AZURE_CLIENT_SECRET"),
        login.get("client_id") or os.environ.get("AZURE_CLIENT_ID"),
        login.get("tenant_id") or os.environ.get("AZURE_TENANT_ID"),
    )
    if "credential_provider" in login or not all(given):
        return None
    secret, client, tenant = map(str, given)
    authority = str(login.get("authority_host") or os.environ.get("AZURE_AUTHORITY_HOST") or "")
    where = f"{(authority or _AUTHORITY).rstrip('/')}/{tenant}/oauth2/v2.0/token"
    return Tokens(lambda: _of_principal(where, client, secret))


def _of_azure_cli() -> Token | None:
    program = shutil.which("az")
    if program is None:
        return None
    command = [program, "account", "get-access-token", "--resource", _RESOURCE, "-o", "json"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=True,
        )
        found = json.loads(done.stdout)
        # An older Azure CLI tells only the local time: ask it again every five minutes.
        soon = time.time() + 2 * _MARGIN_SECONDS
        return str(found["accessToken"]), float(found.get("expires_on") or soon)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None


def _of_principal(where: str, client: str, secret: str) -> Token | None:
    body = {
        "grant_type": "client_credentials",
        "client_id": client,
        "client_secret": secret,
        "scope": f"{_RESOURCE}/.default",
    }
    request = urllib.request.Request(where, data=urlencode(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            found = json.loads(answer.read())
        return str(found["access_token"]), time.time() + float(found["expires_in"])
    except (OSError, ValueError, KeyError):
        return None
