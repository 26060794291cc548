"""A server of file shares on loopback, for the real azure-storage-file-share: there is no emulator.

It speaks the REST API of Azure Files as answers of the service that were recorded by the SDK's own
tests have it (Create File, Put Range, Rename File, List Directories and Files ...). Signatures are
checked for real: SharedKey, a share's SAS, and over TLS tokens. On wish it fails once, breaks a
connection in the middle of a file, or holds requests until it is told to go on.
"""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import re
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from shares_tree import MAX_RANGE, Refused, Share

ACCOUNT = "acme"
KEY = base64.b64encode(b"the key of the test's account").decode()


@dataclass
class Fault:
    """What happens to requests instead: status, or a broken connection in the middle (0)."""

    words: tuple[str, ...]
    status: int
    times: int = 1
    code: str = "ServerBusy"


@dataclass
class Service:
    """The shares of one account. log: a line for each request; tokens: those that it takes."""

    shares: dict[str, Share] = field(default_factory=dict)
    endpoint: str = ""
    key: str = KEY
    log: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    page_size: int = 5000
    lock: threading.RLock = field(default_factory=threading.RLock)
    held: threading.Event = field(default_factory=threading.Event)
    _hold: tuple[tuple[str, ...], int] | None = None
    _go_on: threading.Event = field(default_factory=threading.Event)

    def requests(self, *words):
        """Return the lines of the log that have all the words."""
        return [line for line in list(self.log) if all(word in line for word in words)]

    def hold(self, *words, after):
        """Let so many requests pass that have the words, and hold those after them."""
        self.held.clear()
        self._go_on.clear()
        self._hold = (words, after)

    def go_on(self):
        self._hold = None
        self._go_on.set()

    def wait_until_held(self):
        assert self.held.wait(30), "nothing was held"

    def met(self, line):
        """Note a request; hold it or return the fault that it meets."""
        with self.lock:
            self.log.append(line)
            hold = self._hold
            if hold and all(word in line for word in hold[0]):
                self._hold = (hold[0], hold[1] - 1)
            else:
                hold = None
            fault = next((f for f in self.faults if all(w in line for w in f.words)), None)
            if fault is not None:
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
        if hold and hold[1] <= 0:
            self.held.set()
            self._go_on.wait(60)
        return fault


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *arguments):
        pass

    @property
    def service(self):
        return self.server.service

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        self.query = {k.lower(): v for k, v in parse_qsl(parts.query, keep_blank_values=True)}
        # An emulator has one host for all accounts, which are then the first part of the path.
        account, _, rest = unquote(parts.path).lstrip("/").partition("/")
        share, _, place = rest.partition("/")
        self.place = self.dotted(place, "x-ms-allow-trailing-dot")
        what = self.query.get("comp") or self.query.get("restype") or "file"
        self.fault = self.service.met(f"{self.command} {what} {share}/{self.place}")
        try:
            if self.fault and self.fault.status:
                raise Refused(self.fault.status, self.fault.code)
            self.check_login(parts, account, share)
            with self.service.lock:
                if share not in self.service.shares:
                    raise Refused(404, "ShareNotFound", "The specified share does not exist.")
                self.share = self.service.shares[share]
                answer = self.operation(body)
            self.answer(*answer)
        except Refused as no:
            self.refuse(no)

    do_GET = do_HEAD = do_PUT = do_DELETE = serve

    def operation(self, body):
        """Return the status, the headers and the body of an answer."""
        comp, is_folder = self.query.get("comp"), self.query.get("restype") == "directory"
        if not self.headers.get("x-ms-version"):
            raise Refused(400, "MissingRequiredHeader")
        named = (self.command, "folder" if is_folder else "file", comp)
        operations = {
            ("PUT", "folder", None): self.create_folder,
            ("DELETE", "folder", None): self.delete_folder,
            ("GET", "folder", "list"): self.list,
            ("PUT", "file", None): self.create_file,
            ("PUT", "file", "range"): self.put_range,
            ("PUT", "file", "rename"): self.rename,
            ("GET", "file", "rangelist"): self.list_ranges,
            ("HEAD", "file", None): self.properties,
            ("GET", "file", None): self.content,
            ("DELETE", "file", None): self.delete_file,
        }
        if named not in operations:
            raise Refused(400, "UnsupportedHttpVerb", f"{named} is not served")
        return operations[named](body)

    # Operations.

    def create_folder(self, body):
        self.share.create_folder(self.place)
        return 201, {}, b""

    def delete_folder(self, body):
        self.share.delete_folder(self.place)
        return 202, {}, b""

    def create_file(self, body):
        if self.headers.get("x-ms-type") != "file" or body:
            raise Refused(400, "InvalidHeaderValue")
        if re.search(r'[\x00-\x1f"\\:|<>*?]', self.place):
            raise Refused(400, "InvalidResourceName")
        size = int(self.headers["x-ms-content-length"])
        return 201, self.about(self.share.create_file(self.place, size, self.metadata())), b""

    def put_range(self, body):
        start, end = self.asked_range()
        if self.headers.get("x-ms-write") != "update" or len(body) != end - start + 1:
            raise Refused(400, "InvalidHeaderValue")
        digest = _md5(body)
        if self.headers.get("Content-MD5") not in {None, digest}:
            raise Refused(400, "Md5Mismatch", "The MD5 value specified did not match.")
        made = self.share.put_range(self.place, start, body)
        return 201, {**self.about(made), "Content-MD5": digest}, b""

    def rename(self, body):
        source = urlsplit(self.headers["x-ms-file-rename-source"])
        if "sig" in self.query and "sig=" not in source.query:
            raise Refused(403, "AuthorizationFailure", "The source has no SAS of its own.")
        _account, _share, path = unquote(source.path).lstrip("/").split("/", 2)
        path = self.dotted(path, "x-ms-source-allow-trailing-dot")
        made = self.share.rename(
            path,
            self.place,
            replace=(self.headers.get("x-ms-file-rename-replace-if-exists") or "").lower()
            == "true",
            metadata=self.metadata(),
            written=self.headers.get("x-ms-file-last-write-time"),
        )
        return 200, self.about(made), b""

    def list_ranges(self, body):
        found = sorted(self.share.file(self.place).ranges)
        begin = int(self.query.get("marker") or 0)
        shown = found[begin : begin + self.service.page_size]
        more = begin + len(shown) if begin + len(shown) < len(found) else ""
        ranges = "".join(f"<Range><Start>{a}</Start><End>{b}</End></Range>" for a, b in shown)
        return 200, *_xml(f"<Ranges>{ranges}<NextMarker>{more}</NextMarker></Ranges>")

    def properties(self, body):
        self.share.no_folder(self.place)
        found = self.share.file(self.place)
        return 200, {**self.about(found), "Content-Length": str(len(found.content))}, b""

    def content(self, body):
        found = self.share.file(self.place)
        headers = self.about(found)
        asked = self.asked_range()
        if asked is None:
            return 200, headers, bytes(found.content)
        start, end = asked[0], min(asked[1], len(found.content) - 1)
        if start >= len(found.content):
            raise Refused(416, "InvalidRange", "The range specified is invalid.")
        content = bytes(found.content[start : end + 1])
        if self.headers.get("x-ms-range-get-content-md5", "").lower() == "true":
            if len(content) > MAX_RANGE:
                raise Refused(400, "OutOfRangeInput")
            headers["Content-MD5"] = _md5(content)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(found.content)}"
        return 206, headers, content

    def delete_file(self, body):
        self.share.delete_file(self.place)
        return 202, {}, b""

    def list(self, body):
        files, folders = self.share.below(self.place, self.query.get("prefix", ""))
        entries = sorted([*files, *folders], key=str.upper)
        begin = int(self.query.get("marker") or 0)
        shown = entries[begin : begin + self.service.page_size]
        more = begin + len(shown) if begin + len(shown) < len(entries) else ""
        include = self.query.get("include", "").lower().split(",")
        items = "".join(_entry(name, files.get(name), include) for name in shown)
        return 200, *_xml(
            f'<EnumerationResults ServiceEndpoint="http://{self.service.endpoint}/{ACCOUNT}/"'
            f' ShareName="share" DirectoryPath="{escape(self.place)}">'
            f"<Prefix>{escape(self.query.get('prefix', ''))}</Prefix><Entries>{items}</Entries>"
            f"<NextMarker>{more}</NextMarker></EnumerationResults>"
        )

    # Headers.

    def about(self, found):
        meta = {f"x-ms-meta-{name}": value for name, value in found.metadata.items()}
        return {
            "ETag": found.etag,
            "Last-Modified": email.utils.format_datetime(found.modified, usegmt=True),
            "x-ms-type": "File",
            "x-ms-file-last-write-time": found.written,
            **meta,
        }

    def metadata(self):
        return {k[10:]: v for k, v in self.headers.items() if k.lower().startswith("x-ms-meta-")}

    def dotted(self, path, header):
        """Return a path as the service takes it: without dots at the end, unless it is told."""
        if self.headers.get(header, "").lower() == "true":
            return path
        return "/".join(each.rstrip(".") for each in path.split("/"))

    def asked_range(self):
        text = self.headers.get("x-ms-range") or self.headers.get("Range")
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", text or "")
        return (int(found[1]), int(found[2] or 1 << 60)) if found else None

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.send_header("x-ms-version", self.headers.get("x-ms-version") or "")
        self.end_headers()
        if self.fault is not None:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.close_connection = True
        elif self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, no):
        self.fault = None
        headers, body = _xml(f"<Error><Code>{no.code}</Code><Message>{no}</Message></Error>")
        self.answer(no.status, {**headers, "x-ms-error-code": no.code}, body)

    # Logins. Source: "Authorize with Shared Key", "Create a service SAS".

    def check_login(self, parts, account, share):
        given = self.headers.get("Authorization") or ""
        if given.startswith("Bearer "):
            if given.removeprefix("Bearer ") not in self.service.tokens:
                raise Refused(401, "InvalidAuthenticationInfo")
            if self.headers.get("x-ms-file-request-intent") != "backup":
                raise Refused(400, "MissingRequiredHeader")
        elif given:
            name, _, signature = given.removeprefix("SharedKey ").rpartition(":")
            # The name is the last part where an address stands for an account.
            if name.rsplit("/", 1)[-1] != ACCOUNT or signature != self.signature(parts, name):
                raise Refused(403, "AuthenticationFailed", "Server failed to authenticate.")
        elif "sig" in self.query:
            self.check_sas(share)
        else:
            raise Refused(403, "NoAuthenticationInformation")

    def signature(self, parts, account):
        names = ("Encoding", "Language", "Length", "MD5", "Type")
        fields = [self.command, *(self.headers.get(f"Content-{name}") or "" for name in names)]
        fields[3] = "" if fields[3] == "0" else fields[3]
        fields.append("" if self.headers.get("x-ms-date") else self.headers.get("Date") or "")
        conditions = ("Modified-Since", "Match", "None-Match", "Unmodified-Since")
        fields += [self.headers.get(f"If-{name}") or "" for name in conditions]
        fields.append(self.headers.get("Range") or "")
        own = sorted((k.lower(), v) for k, v in self.headers.items() if k.lower()[:5] == "x-ms-")
        fields += [f"{name}:{value}" for name, value in own]
        fields.append(f"/{account}{parts.path}")
        fields += [f"{name}:{value}" for name, value in sorted(self.query.items())]
        return self.signed("\n".join(fields))

    def check_sas(self, share):
        asked = self.query
        fields = [asked.get(each, "") for each in ("sp", "st", "se")]
        fields.append(f"/file/{ACCOUNT}/{share}")
        more = ("si", "sip", "spr", "sv", "rscc", "rscd", "rsce", "rscl", "rsct")
        fields += [asked.get(each, "") for each in more]
        if asked.get("sr") != "s" or asked["sig"] != self.signed("\n".join(fields)):
            raise Refused(403, "AuthenticationFailed", "Signature did not match.")
        if datetime.fromisoformat(asked["se"]) < datetime.now(UTC):
            text = "Signature not valid in the specified time frame"
            raise Refused(403, "AuthenticationFailed", text)

    def signed(self, text):
        key = base64.b64decode(self.service.key)
        return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()


def _md5(content):
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def _xml(text):
    body = f'\ufeff<?xml version="1.0" encoding="utf-8"?>{text}'.encode()
    return {"Content-Type": "application/xml"}, body


def _entry(name, file, include):
    if file is None:
        return f"<Directory><Name>{escape(name)}</Name><Properties /></Directory>"
    more = f"<Content-Length>{len(file.content)}</Content-Length>"
    if "timestamps" in include:
        moment = email.utils.format_datetime(file.modified, usegmt=True)
        more += f"<LastWriteTime>{file.written}</LastWriteTime>"
        more += f"<Last-Modified>{moment}</Last-Modified>"
    if "etag" in include:
        more += f"<Etag>{file.etag}</Etag>"
    return f"<File><Name>{escape(name)}</Name><Properties>{more}</Properties></File>"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that is killed is no error of the server's."""


@contextmanager
def running(certificate=None):
    """Run one until the block ends. certificate: files of a certificate and its key, for TLS."""
    with _Server(("127.0.0.1", 0), Handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        service = server.service = Service()
        service.endpoint = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            service.go_on()
            server.shutdown()
            thread.join()
