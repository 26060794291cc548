"""A web server in a thread: with ETags and ranges, and on wish broken or refusing."""

from __future__ import annotations

import base64
import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """Files by path, and how to misbehave. asked: every request with its Range."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.etags = True
        self.breaks_off_after: int | None = None
        self.claims_md5_of: bytes | None = None
        self.refuses_head = False
        self.url = ""

    def gets(self):
        return [each for each in self.asked if each[0] == "GET"]


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        if self.server.site.refuses_head:
            self.send_response(405)
            self.end_headers()
            return
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, *, body):
        site = self.server.site
        path = self.path.partition("?")[0]
        wanted = self.headers.get("Range")
        site.asked.append((self.command, path, wanted))
        if path == "/private":
            self.send_error(403)
            return
        if path not in site.files:
            self.send_error(404)
            return
        content = site.files[path]
        etag = f'"{hashlib.sha256(content).hexdigest()[:12]}"'
        start = 0
        if wanted and self.headers.get("If-Range") == etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        if site.etags:
            self.send_header("ETag", etag)
        claimed = site.claims_md5_of if site.claims_md5_of is not None else content
        self.send_header("Content-MD5", base64.b64encode(hashlib.md5(claimed).digest()).decode())
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if body:
            end = site.breaks_off_after
            self.wfile.write(content[start:end] if end is not None else content[start:])
            self.close_connection = True


@contextmanager
def serving():
    site = Site()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.site = site
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
