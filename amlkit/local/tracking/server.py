"""A small HTTP/1.1 server on loopback that checks a token: `http.server` takes 30 ms to import."""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import socket
import socketserver
import threading
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from amlkit.local.tracking.api import Api, Pushed
from amlkit.local.tracking.store import RunStore, UnknownRun

BODY_LIMIT = 64 * 1024 * 1024
LINE_LIMIT = 64 * 1024
HEADER_LIMIT = 200


class _Stream(Protocol):
    def readline(self, limit: int = -1, /) -> bytes: ...

    def read(self, size: int | None = -1, /) -> bytes: ...


class BadRequest(Exception):
    """The client does not speak HTTP as this server reads it."""


class Unauthenticated(Exception):
    """The request does not carry the job's token."""


class TrackingServer:
    """A running server. Any mlflow client that gets `environment(run_id)` logs to it."""

    def __init__(
        self, server: _Server, accepting: threading.Thread, token: str, store: RunStore
    ) -> None:
        self._server = server
        self._accepting = accepting
        self._token = token
        self._store = store
        self.port = int(server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    @classmethod
    def start(
        cls, store: RunStore, *, on_metrics: Pushed, token: str, artifact_root: Path
    ) -> TrackingServer:
        """Listen on a free port of 127.0.0.1; `on_metrics` is called in the server's threads."""
        server = _Server(Api(store, on_metrics, artifact_root), token)
        accepting = threading.Thread(target=server.accept, daemon=True)
        accepting.start()
        return cls(server, accepting, token, store)

    def environment(self, run_id: str) -> dict[str, str]:
        """Return the variables that make an mlflow client log to this run."""
        experiment = self._store.info(run_id).experiment
        return {
            "MLFLOW_TRACKING_URI": self.url,
            "MLFLOW_TRACKING_TOKEN": self._token,
            "MLFLOW_RUN_ID": run_id,
            "MLFLOW_EXPERIMENT_NAME": experiment,
            "MLFLOW_EXPERIMENT_ID": self._server.api.experiment_id(experiment),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            # A proxy of the user's must not see loopback traffic.
            "NO_PROXY": _unproxied(),
            "no_proxy": _unproxied(),
        }

    def close(self) -> None:
        """Stop listening; what is being answered is answered."""
        self._server.closing = True
        with contextlib.suppress(OSError):
            # Wakes the thread that waits in `accept`.
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        # A socket that another thread waits on still listens for a moment after it is closed.
        self._accepting.join(timeout=1)
        self._server.server_close()


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, api: Api, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.api = api
        self.closing = False
        self.expected = f"Bearer {token}".encode()

    def accept(self) -> None:
        """Take connections until closed: no polling, nothing to do while nobody calls."""
        while not self.closing:
            self.handle_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the server's."""


class _Connection(socketserver.StreamRequestHandler):
    server: _Server
    rbufsize = 65536

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def handle(self) -> None:
        """Answer the requests of one kept-alive connection."""
        while True:
            try:
                request = _read(self.rfile, self.server.expected)
            except Unauthenticated:
                answer = _error("UNAUTHENTICATED", "the token of this job is missing or wrong")
                self._send(401, answer, close=True)
                return
            except BadRequest as error:
                self._send(400, _error("BAD_REQUEST", str(error)), close=True)
                return
            except OSError:
                return
            if request is None:
                return
            method, target, headers, raw = request
            status, answer = self._answer(method, target, raw)
            close = headers.get("connection", "").lower() == "close"
            self._send(status, answer, close=close)
            if close:
                return

    def _answer(self, method: str, target: str, raw: bytes) -> tuple[int, dict[str, Any]]:
        path = target
        try:
            parts = urlsplit(target)
            path = unquote(parts.path).split("/mlflow/", 1)[-1].strip("/")
            body = json.loads(raw) if raw else dict(parse_qsl(parts.query))
            if not isinstance(body, dict):
                raise ValueError("the body is not an object")  # noqa: TRY004
            return 200, self.server.api.call(method, path, body)
        except UnknownRun as error:
            return 404, _error("RESOURCE_DOES_NOT_EXIST", str(error))
        except KeyError as error:
            return 400, _error("INVALID_PARAMETER_VALUE", f"{error} is missing")
        except LookupError:
            return 404, _error("ENDPOINT_NOT_FOUND", f"{path} is not served here")
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            return 400, _error("INVALID_PARAMETER_VALUE", str(error))
        except Exception as error:  # noqa: BLE001  a client must get an answer, whatever happens
            return 500, _error("INTERNAL_ERROR", str(error))

    def _send(self, status: int, answer: dict[str, Any], *, close: bool) -> None:
        body = json.dumps(answer).encode()
        head = (
            f"HTTP/1.1 {status} {'OK' if status == 200 else 'Error'}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"Connection: {'close' if close else 'keep-alive'}\r\n\r\n"
        )
        self.wfile.write(head.encode() + body)


def _read(stream: _Stream, expected: bytes) -> tuple[str, str, dict[str, str], bytes] | None:
    """Return (method, target, headers, body), or None when the client has hung up.

    The token is checked before the body is read.
    """
    first = stream.readline(LINE_LIMIT)
    if not first:
        return None
    words = first.decode("latin-1").split()
    if len(words) != 3:
        raise BadRequest("not an HTTP request")
    headers: dict[str, str] = {}
    while (line := stream.readline(LINE_LIMIT).strip()) != b"":
        key, colon, value = line.decode("latin-1").partition(":")
        if not colon or len(headers) > HEADER_LIMIT:
            raise BadRequest("the headers cannot be read")
        headers[key.strip().lower()] = value.strip()
    given = headers.get("authorization", "").encode("latin-1", errors="replace")
    if not hmac.compare_digest(given, expected):
        raise Unauthenticated
    if "transfer-encoding" in headers:
        return words[0], words[1], headers, _chunks(stream)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > BODY_LIMIT:
        raise BadRequest("the body has no length, or is too large")
    return words[0], words[1], headers, stream.read(int(length))


def _chunks(stream: _Stream) -> bytes:
    body = b""
    while True:
        try:
            size = int(stream.readline(LINE_LIMIT).split(b";")[0], 16)
        except ValueError:
            raise BadRequest("a chunk has no size") from None
        if size < 0 or len(body) + size > BODY_LIMIT:
            raise BadRequest("the body is too large")
        body += stream.read(size)
        stream.readline(LINE_LIMIT)
        if size == 0:
            return body


def _unproxied() -> str:
    own = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return ",".join([*filter(None, [own]), "127.0.0.1,localhost"])


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error_code": code, "message": message}
