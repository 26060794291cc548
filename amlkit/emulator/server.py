"""The HTTPS server: HTTP/1.1 with keep-alive, a thread and a workspace for each connection."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from amlkit.config import WorkspaceChoice
from amlkit.emulator import bodies, certificates, leftovers, routes
from amlkit.emulator.context import Context
from amlkit.emulator.faults import Fault, Faults, Reset
from amlkit.emulator.messages import Refused, Reply, Request, refusal
from amlkit.emulator.recording import Recorder
from amlkit.emulator.signing import Signer
from amlkit.emulator.state import Area, Running
from amlkit.errors import AmlkitError, UsageError
from amlkit.light import replace
from amlkit.local import processes
from amlkit.services import Workspace

IDLE_SECONDS = 120
DRAIN_SECONDS = 5
DRAIN_BYTES = 16 * 1024 * 1024


def serve(
    choice: WorkspaceChoice,
    port: int,
    faults: list[Fault],
    *,
    current_python: bool = False,
    record: Path | None = None,
    ready: Callable[[Running], None],
) -> None:
    """Serve a workspace until TERM or Ctrl-C.

    port: 0 for any that is free. record: a file for requests. ready: called once it answers.
    Raises: Conflict: one runs already. UsageError: the port is taken. NotSupported: an extra.
    """
    import os
    import secrets

    area = Area(choice.folder)
    with area.lock(), contextlib.ExitStack() as undo:
        leftovers.remove(area.root, before=time.time() - leftovers.KEPT_SECONDS)
        Workspace.of(choice).close()
        key = secrets.token_urlsafe(32)
        context = certificates.server_context(area.ca)
        server = _server(port, context)
        undo.callback(server.server_close)
        bound = int(server.server_address[1])
        server.context = Context(
            Workspace.of(choice),
            area,
            Signer(key),
            bound,
            area.workspace_id(),
            current_python=current_python,
        )
        server.choice = choice
        server.faults = Faults(faults)
        if record is not None:
            server.recorder = Recorder(record)
            undo.callback(server.recorder.close)
        running = Running(
            choice.name,
            f"https://localhost:{bound}",
            os.getpid(),
            key,
            str(area.ca),
            processes.started(os.getpid()),
        )
        _stop_on_term(server)
        area.announce(running)
        undo.callback(area.forget)
        ready(running)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever(poll_interval=0.2)


def _server(port: int, context: ssl.SSLContext) -> _Server:
    try:
        return _Server(("127.0.0.1", port), context)
    except (OSError, OverflowError) as cause:
        reason = getattr(cause, "strerror", None) or cause
        raise UsageError(
            f"port {port} cannot be used: {reason}", hint="choose another, or leave --port out"
        ) from None


def _stop_on_term(server: _Server) -> None:
    def stop(*_: object) -> None:
        # `shutdown` waits for the loop that this handler has interrupted.
        threading.Thread(target=server.shutdown, daemon=True).start()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True
    context: Context
    choice: WorkspaceChoice
    faults: Faults
    recorder: Recorder | None = None

    def __init__(self, address: tuple[str, int], tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Without a look-up of the machine's name, which can take seconds.
        import socketserver

        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    def service_actions(self) -> None:
        """End when the workspace's folder is gone: nobody could stop it any more."""
        if not self.context.area.root.exists():
            threading.Thread(target=self.shutdown, daemon=True).start()

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the connection's own thread: a client that is slow to greet delays nobody else.
        request.settimeout(IDLE_SECONDS)
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._tls.wrap_socket(request, server_side=True) as secured:
            _Handler(secured, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    _opened: Context | None = None
    _unread = False

    def _context(self, trusted: bool) -> Context:
        """Return the connection's own workspace; whoever has no permission needs none."""
        if not trusted:
            return self.server.context
        if self._opened is None:
            workspace = Workspace.of(self.server.choice)
            self._opened = replace(self.server.context, workspace=workspace)
        return self._opened

    def finish(self) -> None:
        if self._opened is not None:
            self._opened.workspace.close()
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the query of a URL can carry a signature."""

    def version_string(self) -> str:
        """Return the server's name."""
        return "amlkit-emulator"

    def _answer(self) -> None:
        try:
            reply = self._reply()
        except Reset:
            self.close_connection = True
            # Closing with an unread or lingering zero makes the client see a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            return
        self._send(reply)
        if self._unread:
            self._drain()

    def _reply(self) -> Reply:
        head = self._head()
        trusted = routes.trusted(self.server.context, head)
        try:
            request = replace(head, body=self._body(trusted))
        except Refused as error:
            return error.reply()
        try:
            reply = self._answer_to(request, trusted)
        except Reset:
            self._note(request, 0)
            raise
        self._note(request, reply.status)
        return reply

    def _note(self, request: Request, status: int) -> None:
        if self.server.recorder is not None:
            self.server.recorder.note(request, status)

    def _head(self) -> Request:
        url = urlsplit(self.path)
        return Request(
            self.command,
            unquote(url.path),
            dict(parse_qsl(url.query, keep_blank_values=True)),
            {key.lower(): value for key, value in self.headers.items()},
            raw_path=url.path,
        )

    def _answer_to(self, request: Request, trusted: bool) -> Reply:
        try:
            return routes.answer(self._context(trusted), self.server.faults, request)
        except Refused as error:
            return error.reply()
        except AmlkitError as error:
            return refusal(error).reply()
        except (Reset, ConnectionError, TimeoutError):
            raise
        except Exception as error:  # noqa: BLE001  one bad request must not end the others
            traceback.print_exc()
            return Refused(500, "InternalServerError", f"a bug: {error!r}").reply()

    def _body(self, trusted: bool) -> bytes:
        try:
            if trusted or bodies.is_small(self.headers):
                return bodies.read(self.rfile, self.headers)
        except (Refused, OSError):
            self._unread = self.close_connection = True
            raise
        self._unread = self.close_connection = True
        return b""

    def _send(self, reply: Reply) -> None:
        part = reply.part
        self.send_response(reply.status)
        headers = {"x-ms-request-id": str(uuid.uuid4()), **reply.headers}
        headers.setdefault("Content-Length", str(part.size))
        if part.size:
            headers.setdefault("Content-Type", reply.type)
        if reply.status == 204:
            del headers["Content-Length"]
        for key, value in headers.items():
            self.send_header(key, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            sent = 0
            for piece in part.pieces():
                self.wfile.write(piece)
                sent += len(piece)
            # The file is shorter by now: only an end says so.
            self.close_connection |= sent < part.size

    def _drain(self) -> None:
        """Let a client that is still sending come to read the answer: a reset would destroy it."""
        self.connection.settimeout(DRAIN_SECONDS)
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            left = DRAIN_BYTES
            # What comes at once may be little.
            while left > 0 and (some := self.connection.recv(65536)):
                left -= len(some)


for _method in ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"):
    setattr(_Handler, f"do_{_method}", _Handler._answer)
