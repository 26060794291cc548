"""Large files as blocks, to storage whose answers break off."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from amlkit.local.storage import blocks
from amlkit.local.storage.refusals import Refused


class Breaking(BaseHTTPRequestHandler):
    """Answers each kind of request badly as often as `server.bad` says, then as storage does."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self._answer("list", b"<BlockList/>", 200)

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        kind = "commit" if "comp=blocklist" in self.path else "block"
        self._answer(kind, b"", 201, got=content)

    def _answer(self, kind, content, code, got=None):
        self.close_connection = True
        seen = self.server.seen[kind] = self.server.seen.get(kind, 0) + 1
        if seen > self.server.bad:
            # Before the answer: who has it looks at once.
            if got is not None:
                self.server.got.append((kind, got))
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return
        if kind == "block":
            self.wfile.write(b"what is this\r\n")
            return
        # A passing refusal and a success, both shorter than they say.
        self.send_response(503 if kind == "commit" else 200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")


@pytest.fixture
def storage():
    with ThreadingHTTPServer(("127.0.0.1", 0), Breaking) as server:
        server.bad, server.seen, server.got = 1, {}, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def put(storage, tmp_path):
    (tmp_path / "a.bin").write_bytes(b"0123456789")
    address = f"http://127.0.0.1:{storage.server_port}/c/a.bin?sig=1"
    blocks.put(address, tmp_path / "a.bin", "md5", lambda size: None)


def test_what_breaks_off_or_is_no_http_is_tried_again(storage, tmp_path):
    put(storage, tmp_path)
    assert [kind for kind, _ in storage.got] == ["block", "commit"]
    assert storage.got[0][1] == b"0123456789"
    assert storage.seen == {"list": 2, "block": 2, "commit": 2}


def test_what_breaks_off_each_time_is_refused_in_the_end(storage, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "_ATTEMPTS", 1)
    storage.bad = 99
    with pytest.raises(Refused, match="IncompleteRead"):
        put(storage, tmp_path)
    storage.seen["list"] = 99
    with pytest.raises(Refused, match="what is this"):
        put(storage, tmp_path)
    storage.seen["block"] = 99
    with pytest.raises(Refused, match="503"):
        put(storage, tmp_path)
