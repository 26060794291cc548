"""A door before a server: what is sent to it waits there until it is opened."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress


class Gate:
    """reached: set when the first PUT waits. Closed until `open`."""

    def __init__(self, server, target):
        self._server = server
        self._target = target
        self._opened = threading.Event()
        self.reached = threading.Event()
        self.endpoint = "{}:{}".format(*server.getsockname())

    def open(self):
        self._opened.set()

    def serve(self):
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client):
        with suppress(OSError), client, socket.create_connection(self._target) as server:
            back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
            back.start()
            while content := client.recv(65536):
                if content.startswith(b"PUT ") and not self._opened.is_set():
                    self.reached.set()
                    self._opened.wait()
                server.sendall(content)
            server.shutdown(socket.SHUT_WR)
            back.join()

    def _copy(self, source, target):
        with suppress(OSError):
            while content := source.recv(65536):
                target.sendall(content)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def before(host, port):
    """Serve one before a server while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Gate(server, (host, port))
        threading.Thread(target=found.serve, daemon=True).start()
        try:
            yield found
        finally:
            found.open()
