"""A small Azure on loopback over real TLS: an authority that logs people and services in, one
workspace, and faults on request. The clients are the real ones."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from loopback_store import Refused, Store, parsed

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
SECRET = "the-right-secret"
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
    "/providers/Microsoft.MachineLearningServices/workspaces/ws"
)


def _part(claims: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def _jwt(claims: dict) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}.c2ln"


@dataclass
class Fault:
    """Answers instead of the cloud, so many times. status 0 breaks the connection off."""

    path: str
    status: int
    times: int
    headers: dict[str, str] = field(default_factory=dict)
    code: str = "Injected"


@dataclass
class Cloud:
    """One running cloud. tokens: those it gave; log: (method, path) of what it was asked."""

    base: str
    ca: Path
    identity: str
    faults: list[Fault] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    nonces: dict[str, str] = field(default_factory=dict)
    grants: list[dict[str, str]] = field(default_factory=list)
    resources: dict[str, dict] = field(default_factory=dict)
    clock_skew: float = 0.0
    device_polls: int = 1
    store: Store | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What points a process at this cloud."""
        return {
            "ARM_CLOUD_METADATA_URL": f"{self.base}/metadata/endpoints?api-version=2019-05-01",
            "REQUESTS_CA_BUNDLE": str(self.ca),
            "NO_PROXY": "localhost,127.0.0.1",
        }

    def token(self, audience: str) -> str:
        """Return a new token that this cloud takes."""
        claims = {"aud": audience, "tid": TENANT, "oid": "o", "exp": int(time.time()) + 3600}
        made = _jwt({**claims, "jti": str(len(self.tokens))})
        self.tokens.add(made)
        return made


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: Cloud

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return super().date_time_string((timestamp or time.time()) + self.cloud.clock_skew)

    def answer(self, status, body=None, headers=None):
        content = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            content = json.dumps(body).encode()
        self.send_response(status)
        sent = {"x-ms-request-id": "request-1", "Content-Type": "application/json"}
        for key, value in {**sent, "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def refuse(self, status, code, message, headers=None):
        self.answer(status, {"error": {"code": code, "message": message}}, headers)

    def serve(self):
        cloud = self.cloud
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        form = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        cloud.log.append((self.command, url.path))
        for fault in cloud.faults:
            if fault.times > 0 and fault.path in url.path:
                fault.times -= 1
                if fault.status == 0:
                    self.close_connection = True
                    self.connection.close()
                    return None
                return self.refuse(fault.status, fault.code, "it was asked for", fault.headers)
        if url.path.startswith("/metadata/endpoints"):
            return self.answer(200, [self.described()])
        if url.path.endswith("openid-configuration"):
            return self.answer(200, self.openid(url.path.split("/")[1]))
        if url.path == "/msi":
            return self.managed_identity(query)
        if url.path == "/oidc":
            right = self.headers.get("Authorization") == "Bearer from-the-runner"
            return self.answer(200 if right else 401, {"value": f"for {query['audience']}"})
        if url.path.endswith("/devicecode"):
            return self.device_code()
        if url.path.endswith("/authorize"):
            cloud.nonces["browser-code"] = query.get("nonce", "")
            return self.answer(200, {"to": query["redirect_uri"], "state": query["state"]})
        if url.path.endswith("/token"):
            return self.grant(dict(parse_qsl(form.decode())))
        if url.path.startswith("/discovery"):
            return self.answer(200, {"api": cloud.base})
        if url.path.startswith("/signed/"):
            return self.answer(*cloud.store.signed(url.path, self.headers))
        if ".blob." in url.path:
            return self.answer(*cloud.store.blob(self.command, url.path, query, self.headers, form))
        return self.resource(url.path, query, parsed(form))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = serve

    def described(self):
        base = self.cloud.base
        return {
            "name": "LoopbackCloud",
            "portal": "https://portal.azure.localhost/",
            "resourceManager": base,
            "authentication": {"loginEndpoint": base, "tenant": "common"},
            "suffixes": {"storage": "core.localhost"},
        }

    def openid(self, tenant):
        here = f"{self.cloud.base}/{tenant}"
        return {
            "issuer": f"{here}/v2.0",
            "token_endpoint": f"{here}/oauth2/v2.0/token",
            "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{here}/oauth2/v2.0/devicecode",
        }

    def managed_identity(self, query):
        if self.headers.get("X-IDENTITY-HEADER") != "right":
            return self.answer(401, {"statusCode": 401, "message": "bad header"})
        token = self.cloud.token(query["resource"])
        expires = str(int(time.time()) + 3600)
        return self.answer(
            200, {"access_token": token, "expires_on": expires, "token_type": "Bearer"}
        )

    def device_code(self):
        self.answer(
            200,
            {
                "device_code": "device",
                "user_code": "ABC-123",
                "verification_uri": "https://example.com/device",
                "expires_in": 60,
                "interval": 0,
                "message": "open it",
            },
        )

    def grant(self, form):
        self.cloud.grants.append(form)
        kind = form["grant_type"]
        bad = {
            "error": "invalid_client",
            "error_description": "AADSTS7000215: Invalid client secret.",
        }
        if kind == "client_credentials":
            assertion = form.get("client_assertion")
            if form.get("client_secret") != SECRET and not assertion:
                return self.answer(401, bad)
            return self.answer(200, self.granted(form, person=False))
        if kind.endswith("device_code"):
            self.cloud.device_polls -= 1
            if self.cloud.device_polls >= 0:
                return self.answer(400, {"error": "authorization_pending"})
        return self.answer(200, self.granted(form, person=True))

    def granted(self, form, *, person):
        scopes = [s for s in form.get("scope", "").split() if s.startswith("http")]
        scope = scopes[0] if scopes else self.cloud.base
        found = {
            "token_type": "Bearer",
            "expires_in": 3600,
            "ext_expires_in": 3600,
            "scope": form.get("scope", ""),
            "access_token": self.cloud.token(scope.removesuffix("/.default")),
        }
        if person:
            now = int(time.time())
            claims = {
                "aud": form["client_id"],
                "iss": f"{self.cloud.base}/{TENANT}/v2.0",
                "iat": now,
                "exp": now + 3600,
                "tid": TENANT,
                "oid": "person",
                "sub": "person",
                "preferred_username": "ada@example.com",
            }
            if nonce := self.cloud.nonces.get(form.get("code", "")):
                claims["nonce"] = nonce
            found |= {
                "refresh_token": "refresh-me",
                "id_token": _jwt(claims),
                "client_info": _part({"uid": "person", "utid": TENANT}),
            }
        return found

    def resource(self, path, query, body):
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.cloud.tokens:
            return self.refuse(401, "AuthenticationFailed", "the token is not known here")
        if path in self.cloud.resources:
            return self.answer(200, self.cloud.resources[path])
        before, _, below = path.partition(WORKSPACE + "/")
        store = self.cloud.store
        try:
            if before.startswith("/history"):
                return self.answer(200, store.history(self.command, below, body))
            if before.startswith("/mlflow"):
                return self.answer(200, store.mlflow(path, query))
            if below:
                return self.answer(*store.arm(self.command, f"/{below}", query, body))
            raise Refused(404, "ResourceNotFound", f"`{path.rsplit('/', 1)[-1]}` was not found")
        except Refused as no:
            return self.refuse(no.status, no.code, str(no))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that goes away is no error of the cloud's."""


def _certificate(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "cloud.pem", folder / "cloud.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private


@contextmanager
def running(folder: Path) -> Iterator[Cloud]:
    """Run a cloud until the block ends: TLS for all but the managed identity, which has none."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    cloud = Cloud("", certificate, "")
    handler = type("Handler", (_Handler,), {"cloud": cloud})
    secure, plain = _Server(("127.0.0.1", 0), handler), _Server(("127.0.0.1", 0), handler)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    cloud.base = f"https://localhost:{secure.server_port}"
    cloud.identity = f"http://127.0.0.1:{plain.server_port}/msi"
    cloud.resources[WORKSPACE] = {
        "id": WORKSPACE,
        "name": "ws",
        "location": "westeurope",
        "properties": {
            "workspaceId": "w",
            "discoveryUrl": f"{cloud.base}/discovery",
            "mlFlowTrackingUri": cloud.base.replace("https", "azureml")
            + f"/mlflow/v1.0{WORKSPACE}",
        },
    }
    cloud.store = Store(cloud.base, WORKSPACE)
    threads = [threading.Thread(target=each.serve_forever) for each in (secure, plain)]
    for each in threads:
        each.start()
    try:
        yield cloud
    finally:
        for each in (secure, plain):
            each.shutdown()
            each.server_close()
        for each in threads:
            each.join()
