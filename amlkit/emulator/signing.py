"""Tokens and shared access signatures that only this start of the emulator can make."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from urllib.parse import urlencode

TENANT = "11111111-1111-1111-1111-111111111111"
LIFETIME_SECONDS = 3600 * 12


class Signer:
    """Signs with the key of one start, and knows its own signatures again."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def knows(self, secret: str | None) -> bool:
        """Whether a client has the key, as `emulator env` prints it."""
        return hmac.compare_digest((secret or "").encode(), self._key)

    def token(self, audience: str, *, now: float | None = None) -> tuple[str, int]:
        """Return a token for an audience, and when it expires (seconds since the epoch)."""
        begin = int(time.time() if now is None else now)
        ends = begin + LIFETIME_SECONDS
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{TENANT}/",
            "tid": TENANT,
            "oid": TENANT,
            "iat": begin,
            "nbf": begin,
            "exp": ends,
        }
        text = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        return f"{text}.{self._mac(text)}", ends

    def accepts(self, header: str | None) -> bool:
        """Whether an `Authorization` header carries a token of this start that is still good."""
        kind, _, token = (header or "").partition(" ")
        text, _, signature = token.rpartition(".")
        if kind.lower() != "bearer" or not hmac.compare_digest(
            signature.encode(), self._mac(text).encode()
        ):
            return False
        claims = text.partition(".")[2]
        padded = claims + "=" * (-len(claims) % 4)
        return float(json.loads(base64.urlsafe_b64decode(padded))["exp"]) > time.time()

    def sas(self, container: str) -> str:
        """Return the query of a shared access signature for a container."""
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + LIFETIME_SECONDS))
        fields = {"sv": "2023-11-03", "sr": "c", "sp": "racwdl", "se": ends}
        return urlencode({**fields, "sig": self._mac(f"{container}\n{ends}")})

    def accepts_sas(self, container: str, query: Mapping[str, str]) -> bool:
        """Whether a query carries a signature of this start for the container."""
        ends = query.get("se", "")
        good = hmac.compare_digest(
            query.get("sig", "").encode(), self._mac(f"{container}\n{ends}").encode()
        )
        return good and ends > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def _mac(self, text: str) -> str:
        digest = hmac.new(self._key, text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _encoded(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
