"""Logging in to storage without a key: a service principal, the Azure CLI, a managed identity.

The authority and the storage are a server on loopback that takes only the token it gave.
"""

from __future__ import annotations

import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

LISTED = (
    '<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs><Blob><Name>a.csv</Name>'
    "<Properties><Content-Length>4</Content-Length><Etag>0x1</Etag>"
    "<Content-Type>text/csv</Content-Type>"
    "<Last-Modified>Mon, 01 Jan 2024 00:00:00 GMT</Last-Modified></Properties></Blob></Blobs>"
    "<NextMarker/></EnumerationResults>"
)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def answer(self, status, body, kind="application/json"):
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self):
        size = int(self.headers.get("Content-Length") or 0)
        asked = {k: v[0] for k, v in parse_qs(self.rfile.read(size).decode()).items()}
        self.server.asked.append((urlsplit(self.path).path, asked))
        if asked.get("client_secret") != "the-right-secret":
            self.answer(401, json.dumps({"error": "invalid_client"}))
            return
        given = {"access_token": "good", "expires_in": 3600, "token_type": "Bearer"}
        self.answer(200, json.dumps(given))

    def do_GET(self):
        if urlsplit(self.path).path == "/msi":
            self.server.asked.append(("/msi", {}))
            self.answer(
                200,
                json.dumps(
                    {
                        "access_token": "good",
                        "expires_in": "3600",
                        "expires_on": "4102444800",
                        "token_type": "Bearer",
                        "resource": "https://storage.azure.com",
                    }
                ),
            )
            return
        if self.headers.get("Authorization") != "Bearer good":
            code = "<Error><Code>AuthenticationFailed</Code></Error>"
            self.answer(403, code, "application/xml")
            return
        if "comp=blocklist" in self.path:
            self.answer(200, self.server.block_list(), "application/xml")
            return
        self.answer(200, LISTED, "application/xml")

    def do_HEAD(self):
        self.send_response(404)
        self.end_headers()

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        query = parse_qs(urlsplit(self.path).query)
        block = query.get("blockid", [""])[0]
        enough = block and len(self.server.blocks) >= self.server.most_blocks
        if self.headers.get("Authorization") != "Bearer good" or enough:
            self.answer(403, "<Error><Code>AuthorizationFailure</Code></Error>", "application/xml")
            return
        if block:
            self.server.blocks[block] = content
            self.server.sent += 1
        else:
            names = re.findall("<Latest>([^<]+)</Latest>", content.decode())
            self.server.blob = b"".join(self.server.blocks[name] for name in names)
        self.answer(201, "")


class Server(ThreadingHTTPServer):
    """An authority and storage. blocks: those in no file; most_blocks: it refuses more."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.blocks, self.most_blocks, self.sent, self.blob = [], {}, 999, 0, None

    def block_list(self):
        found = "".join(
            f"<Block><Name>{name}</Name><Size>{len(content)}</Size></Block>"
            for name, content in self.blocks.items()
        )
        return f"<BlockList><UncommittedBlocks>{found}</UncommittedBlocks></BlockList>"


@pytest.fixture
def server():
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def define(amlkit, server, tmp_path):
    def made(*flags):
        (tmp_path / "d.yml").write_text(
            "name: images\ntype: azure_data_lake_gen2\naccount_name: acct\nfilesystem: c\n"
            f"protocol: http\nendpoint: 127.0.0.1:{server.server_port}\n"
        )
        done = amlkit("datastore", "create", "-f", "d.yml", *flags)
        assert done.returncode == 0, done.stderr

    return made


def listed(done):
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_service_principal_logs_in_with_a_secret_that_is_only_named(
    amlkit, define, server, tmp_path
):
    authority = f"http://127.0.0.1:{server.server_port}"
    define(
        "--tenant-id", "11111111-1111-1111-1111-111111111111", "--client-id", "app",
        "--client-secret-env", "APP_SECRET", "--authority-url", authority,
    )  # fmt: skip
    ls = ("datastore", "ls", "images", "-o", "name")
    assert listed(amlkit(*ls, env={"APP_SECRET": "the-right-secret"})) == ["a.csv"]
    path, asked = server.asked[-1]
    assert path == "/11111111-1111-1111-1111-111111111111/oauth2/v2.0/token"
    assert (asked["client_id"], asked["grant_type"]) == ("app", "client_credentials")
    refused = amlkit(*ls, env={"APP_SECRET": "wrong-secret-text"})
    assert refused.returncode == 4, refused.stderr
    assert "wrong-secret-text" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 2
    for each in (tmp_path / "home").rglob("*"):
        assert not each.is_file() or b"the-right-secret" not in each.read_bytes()


def test_without_credentials_the_azure_cli_is_asked(amlkit, define, tmp_path):
    define()
    folder, env = fake_azure_cli(tmp_path)
    assert listed(amlkit("datastore", "ls", "images", "-o", "name", env=env)) == ["a.csv"]
    assert "get-access-token" in (folder / "asked").read_text()
    (folder / "az").write_text("#!/bin/sh\necho 'Please run az login' >&2\nexit 1\n")
    failed = amlkit("datastore", "ls", "images", env=env)
    assert failed.returncode == 4, failed.stderr
    assert "az login" in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 2


def fake_azure_cli(tmp_path):
    """Return a folder with a program `az` that gives a token, and variables to find it by."""
    folder = tmp_path / "bin"
    folder.mkdir()
    answer = {
        "accessToken": "good",
        "expiresOn": "2099-01-01 00:00:00.000000",
        "expires_on": 4070908800,
        "subscription": "s",
        "tenant": "t",
        "tokenType": "Bearer",
    }
    (folder / "az").write_text(
        f"#!/bin/sh\necho \"$@\" >> '{folder}/asked'\necho '{json.dumps(answer)}'\n"
    )
    (folder / "az").chmod(0o755)
    return folder, {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize("login", ["azure cli", "service principal"])
def test_a_large_upload_by_identity_goes_on_inside_the_file(
    amlkit, define, server, tmp_path, login
):
    if login == "azure cli":
        define()
        _, env = fake_azure_cli(tmp_path)
    else:
        define(
            "--tenant-id", "11111111-1111-1111-1111-111111111111", "--client-id", "app",
            "--client-secret-env", "APP_SECRET",
            "--authority-url", f"http://127.0.0.1:{server.server_port}",
        )  # fmt: skip
        env = {"APP_SECRET": "the-right-secret"}
    content = b"".join(bytes([number]) * (8 << 20) for number in range(4))
    (tmp_path / "big.bin").write_bytes(content)
    upload = ("datastore", "upload", "images", "--path", "big.bin")
    server.most_blocks = 2
    broken = amlkit(*upload, env=env)
    assert broken.returncode == 4, broken.stderr
    assert (server.blob, server.sent) == (None, 2)
    server.most_blocks = 999
    done = amlkit(*upload, env=env)
    assert done.returncode == 0, done.stderr
    assert (server.blob == content, server.sent) == (True, 4)


def test_a_machine_s_managed_identity_is_used_where_there_is_no_azure_cli(
    amlkit, define, server, tmp_path
):
    define()
    address = f"http://127.0.0.1:{server.server_port}/msi"
    # No Azure CLI may be on the path.
    env = {"IDENTITY_ENDPOINT": address, "AZURE_MSI_ENDPOINT": address, "PATH": str(tmp_path)}
    assert listed(amlkit("datastore", "ls", "images", "-o", "name", env=env)) == ["a.csv"]
    assert ("/msi", {}) in server.asked


def test_a_managed_identity_that_is_not_there_says_how_to_log_in(amlkit, define, tmp_path):
    define()
    address = "http://127.0.0.1:9/msi"
    env = {"IDENTITY_ENDPOINT": address, "AZURE_MSI_ENDPOINT": address, "PATH": str(tmp_path)}
    failed = amlkit("datastore", "ls", "images", env=env)
    assert failed.returncode == 4, failed.stderr
    assert "az login, or define the datastore with a key or a SAS" in failed.stderr
